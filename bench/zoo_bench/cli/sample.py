"""``zoo sample``. Imports nothing heavy until it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo.completion import names as completes


def sample(
    run: Annotated[Path, typer.Argument(help="A run's JSON file, or a folder of results and which of its runs.")],
    model: Annotated[str, typer.Option(help="Of a folder: the model.", autocompletion=completes("models"))] = "",
    run_seed: Annotated[int | None, typer.Option(help="Of a folder: the training seed.", show_default=False)] = None,
    n: Annotated[int, typer.Option("-n", help="How many samples.")] = 64,
    seed: Annotated[int, typer.Option(help="Sampling seed; the same seed gives every model the same latents.")] = 0,
    out: Annotated[Path, typer.Option(help="A .png sheet, or an .npz with the array `samples`.")] = Path("samples.png"),
) -> None:
    """Draw samples from a finished run's weights.

    `zoo sample results/bench --model dcgan --run-seed 0` chooses a run of a folder; where it has only one that fits,
    less is enough.
    """
    from zoo.loading import find_run
    from zoo.registry import installed
    from zoo_bench.plan.code import is_changed
    from zoo_bench.score.stored import sample_run
    from zoo_bench.store.records import read_record

    if run.is_dir() or model or run_seed is not None:
        run = find_run(run, model, run_seed)
    print(sample_run(run, n=n, seed=seed, out=out))
    record = read_record(run)
    if is_changed(installed().models.get(record.spec.model), record.code):
        sentence = (
            f"the code of model {record.spec.model!r} has changed since this run was trained, its version has not"
        )
        print(f"zoo: {sentence}: `zoo bench --force` trains it again", file=sys.stderr)

"""``zoo sample``. Imports nothing heavy until it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def sample(
    run: Annotated[Path, typer.Argument(help="A run's JSON file, under runs/ in the output folder.")],
    n: Annotated[int, typer.Option("-n", help="How many samples.")] = 64,
    seed: Annotated[int, typer.Option(help="Sampling seed; the same seed gives every model the same latents.")] = 0,
    out: Annotated[Path, typer.Option(help="A .png sheet, or an .npz with the array `samples`.")] = Path("samples.png"),
) -> None:
    """Draw samples from a finished run's weights."""
    from zoo.registry import installed
    from zoo_bench.plan.code import is_changed
    from zoo_bench.score.stored import sample_run
    from zoo_bench.store.records import read_record

    print(sample_run(run, n=n, seed=seed, out=out))
    record = read_record(run)
    model = record.spec.model
    if is_changed(installed().models.get(model), record.code):
        sentence = f"the code of model {model!r} has changed since this run was trained, its version has not"
        print(f"zoo: {sentence}: `zoo bench --force` trains it again", file=sys.stderr)

"""``zoo sample``. Imports nothing heavy until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo_bench.cli.chosen import Classes, ModelName, Run, RunSeed, Seed, find


def sample(
    run: Run,
    model: ModelName = "",
    run_seed: RunSeed = None,
    n: Annotated[int, typer.Option("-n", help="How many samples; a sheet by class has whole rows.")] = 64,
    seed: Seed = 0,
    classes: Classes = "",
    truncation: Annotated[
        float | None,
        typer.Option(help="Cut latents off at plus and minus this, such as 0.7.", show_default=False),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="A .png sheet, an .npz with the array `samples`, or a new folder for a PNG each.")
    ] = Path("samples.png"),
) -> None:
    """Draw samples from a finished run's weights, any number with flat memory into an .npz or a folder.

    `zoo sample results/bench --model dcgan --run-seed 0` chooses a run of a folder; where it has only one that fits,
    less is enough. Every file says in its metadata what made it.
    """
    from zoo_bench.score.sampling import parse_classes, sample_run

    wanted = parse_classes(classes)
    found = find(run, model, run_seed)
    print(sample_run(found, n=n, seed=seed, out=out, classes=wanted, truncation=truncation))

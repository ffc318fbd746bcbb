"""``zoo reconstruct``. Imports nothing heavy until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo_bench.cli.chosen import ModelName, Run, RunSeed, find


def reconstruct(
    run: Run,
    model: ModelName = "",
    run_seed: RunSeed = None,
    n: Annotated[int, typer.Option("-n", help="Items, rounded up to whole rows of 8.")] = 32,
    seed: Annotated[int, typer.Option(help="By which the items are chosen.")] = 0,
    out: Annotated[Path, typer.Option(help="A .png sheet.")] = Path("reconstructions.png"),
) -> None:
    """Show items of the test split, and below each what the model makes of its code."""
    from zoo_bench.score import inside

    print(inside.reconstruct(find(run, model, run_seed), n=n, seed=seed, out=out))

"""``zoo neighbours``. Imports nothing heavy until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo_bench.cli.chosen import ModelName, Run, RunSeed, Seed, find


def neighbours(
    run: Run,
    model: ModelName = "",
    run_seed: RunSeed = None,
    n: Annotated[int, typer.Option("-n", help="Samples.")] = 32,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="A .png sheet.")] = Path("neighbours.png"),
) -> None:
    """Show samples, each with the nearest training image to its right: a copy has itself there."""
    from zoo_bench.score import inside

    print(inside.neighbours(find(run, model, run_seed), n=n, seed=seed, out=out))

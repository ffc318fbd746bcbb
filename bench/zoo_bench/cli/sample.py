"""``zoo sample``. Imports nothing heavy until it runs."""

from __future__ import annotations

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
    from zoo_bench.score.stored import sample_run

    print(sample_run(run, n=n, seed=seed, out=out))

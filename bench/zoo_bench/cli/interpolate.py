"""``zoo interpolate``. Imports nothing heavy until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from zoo_bench.cli.chosen import Classes, ModelName, Run, RunSeed, Seed, find


def interpolate(
    run: Run,
    model: ModelName = "",
    run_seed: RunSeed = None,
    others: Annotated[
        list[Path] | None, typer.Option("--and", help="JSON file of a further run, given the same latents; repeatable.")
    ] = None,
    path: Annotated[
        Literal["linear", "spherical"], typer.Option(help="Spherical keeps the norm that Gaussian latents have.")
    ] = "spherical",
    n: Annotated[int, typer.Option("-n", help="Pairs of latents.")] = 8,
    steps: Annotated[
        int | None, typer.Option(help="Images from one latent to the other.", show_default="10, of a film 50")
    ] = None,
    seed: Seed = 0,
    classes: Classes = "",
    out: Annotated[Path, typer.Option(help="A .png sheet with a pair a row, or a .gif or .mp4 that loops.")] = Path(
        "interpolation.png"
    ),
) -> None:
    """Go from one random latent to another: what lies between two images of a model."""
    from zoo_bench.score import inside
    from zoo_bench.score.sampling import parse_classes

    wanted = parse_classes(classes)
    runs = [find(run, model, run_seed), *(find(other, "", None) for other in others or [])]
    print(inside.interpolate(runs, n=n, steps=steps, way=path, seed=seed, classes=wanted, out=out))

"""``zoo traverse``. Imports nothing heavy until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo_bench.cli.chosen import Classes, ModelName, Run, RunSeed, Seed, find


def traverse(
    run: Run,
    model: ModelName = "",
    run_seed: RunSeed = None,
    n: Annotated[int, typer.Option("-n", help="Dimensions, at most all.")] = 10,
    steps: Annotated[int, typer.Option(help="Images of a row, from -3 to 3.")] = 11,
    seed: Seed = 0,
    classes: Classes = "",
    out: Annotated[Path, typer.Option(help="A .png sheet.")] = Path("traversal.png"),
) -> None:
    """Change one dimension of the latent a row, those first that do most.

    That is the KL divergence of the posterior for models that encode, and the change of the image for others.
    """
    from zoo_bench.score import inside
    from zoo_bench.score.sampling import parse_classes

    wanted = parse_classes(classes)
    print(inside.traverse(find(run, model, run_seed), n=n, steps=steps, seed=seed, classes=wanted, out=out))

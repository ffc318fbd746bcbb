"""How far MIND's directions are from all directions: independent ones, and those of orthonormal bases.

Run as ``python bench/simulations/mind.py``; it prints a Markdown table and takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from zoo_bench.score.metrics.mind import directions, sliced_distance

FEATURES = (2, 8, 64)
DRAWS = 100
MANY = 1_000_000


def independent(features: int, n: int = 1000, seed: int = 0) -> Tensor:
    """Return ``n`` unit directions drawn one by one."""
    draws = torch.randn(n, features, dtype=torch.float64, generator=Generator().manual_seed(seed))
    return F.normalize(draws, dim=1)


def worst_shift(drawn: Tensor) -> float:
    """Return by how much at most a shift is off under these directions, as a share of its squared norm."""
    features = drawn.shape[1]
    eigenvalues = torch.linalg.eigvalsh(features * drawn.T @ drawn / len(drawn))
    return float((eigenvalues - 1).abs().max())


def shift_error(features: int) -> float:
    """Return by how much MIND of normal samples and the same ones shifted is off from 3 |v|^2, as a share."""
    x = torch.randn(500, features, dtype=torch.float64, generator=Generator().manual_seed(0))
    shift = torch.randn(features, dtype=torch.float64, generator=Generator().manual_seed(1))
    return abs(sliced_distance(x + shift, x) / (3 * float(shift.square().sum())) - 1)


def stretch(drawn: Tensor) -> float:
    """Return the mean squared 2-Wasserstein distance of a stretched to a standard normal distribution's projections.

    Standard deviations of the former go evenly from 1 to 3; that of its projection on u is sqrt(u' S u).
    """
    variances = torch.linspace(1, 3, drawn.shape[1], dtype=torch.float64).square()
    return float(((drawn.square() @ variances).sqrt() - 1).square().mean())


def errors(features: int) -> tuple[float, float, float, float]:
    """Return relative errors: of a shift under independent directions and in MIND, and the same of the stretch.

    Those of independent directions are root mean squares over a hundred draws, of the shift that each sees worst.
    """
    true = stretch(independent(features, MANY, seed=DRAWS))
    draws = [independent(features, seed=seed) for seed in range(DRAWS)]
    shifts, stretches = ([f(drawn) for drawn in draws] for f in (worst_shift, lambda drawn: stretch(drawn) / true - 1))
    return rms(shifts), shift_error(features), rms(stretches), abs(stretch(directions(features)) / true - 1)


def rms(values: list[float]) -> float:
    """Return the root mean square."""
    return math.sqrt(fmean(value**2 for value in values))


def table() -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| features | shift, independent | shift, bases | stretch, independent | stretch, bases |"
    yield "|--:|--:|--:|--:|--:|"
    for features in FEATURES:
        yield f"| {features} | " + " | ".join(f"{100 * error:.2g} %" for error in errors(features)) + " |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("\n".join(table()))

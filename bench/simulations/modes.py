"""What shares of classes cost by chance alone, and how well the spread of modes is read.

Run as ``python bench/simulations/modes.py``; it prints two Markdown tables and takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Generator

from zoo_bench.score.metrics.modes import divergences, spread
from zoo_bench.score.metrics.ndb import jensen_shannon

REPETITIONS = 1000
SIZES = ((10, 200, 600), (10, 600, 600), (10, 10_000, 10_000), (100, 2000, 10_000))
"""Classes, real and generated items."""

SPREADS = (0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
POINTS = (20, 100, 300)
OUTLIERS = (0.0, 0.3)


def real_shares(k: int, n: int, m: int, repetitions: int = REPETITIONS) -> list[tuple[float, float]]:
    """Return mean and expected KL, total variation and Jensen-Shannon divergence of two samples of the same shares.

    The shares of the ``k`` classes go evenly from 0.5 / k to 1.5 / k.
    """
    generator = np.random.default_rng(0)
    true = np.linspace(0.5, 1.5, k) / k
    real, generated = (torch.from_numpy(generator.multinomial(size, true, repetitions) / size) for size in (n, m))
    found = []
    for p, q in zip(generated, real, strict=True):
        values = divergences(p, q)
        found.append((values["mode_kl"], values["mode_tv"], jensen_shannon(p, q)))
    noise = 1 / n + 1 / m
    deviations = np.sqrt(2 / math.pi * true * (1 - true) * noise)
    expected = ((k - 1) / 2 * noise, deviations.sum() / 2, (k - 1) / 8 * noise)
    return list(zip(np.mean(found, axis=0).tolist(), map(float, expected), strict=True))


def read_spread(true: float, n: int, outliers: float, repetitions: int = 200) -> tuple[float, float]:
    """Return mean and standard deviation of the spread that is read of ``n`` points, some of which are far off.

    Modes are those of a ring of 8, 38 standard deviations from the middle between two.
    """
    generator = Generator().manual_seed(0)
    found = []
    for _ in range(repetitions):
        points = true * torch.randn(n, 2, generator=generator, dtype=torch.float64)
        far = round(outliers * n)
        points[:far] = 38 * (2 * torch.rand(far, 2, generator=generator, dtype=torch.float64) - 1)
        found.append(spread(points))
    return float(np.mean(found)), float(np.std(found))


def tables() -> Iterator[str]:
    """Yield the lines of two Markdown tables."""
    yield "| classes | real | generated | KL, expected | total variation, expected | JS, expected |"
    yield "|--:|--:|--:|--:|--:|--:|"
    for k, n, m in SIZES:
        cells = [f"{mean:.2g}, {expected:.2g}" for mean, expected in real_shares(k, n, m)]
        yield f"| {k} | {n:,} | {m:,} | " + " | ".join(cells) + " |"
    yield ""
    cases = [(n, outliers) for outliers in OUTLIERS for n in POINTS]
    yield "| true | " + " | ".join(f"{n} points{f', {o:.0%} far off' if o else ''}" for n, o in cases) + " |"
    yield "|--:|" + "--:|" * len(cases)
    for true in SPREADS:
        cells = ["{:.2f} ± {:.2f}".format(*read_spread(true, n, outliers)) for n, outliers in cases]
        yield f"| {true} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("\n".join(tables()))

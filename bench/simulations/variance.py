"""How often the intervals of ``zoo variance`` hold what they are for: ``python bench/simulations/variance.py``.

A truth is a sum of independent normal effects, each a function of some axes' seeds: of one axis (additive), or of
several together (an interaction). An axis's total effect is then the sum of the variances of all effects that it has a
part in, which is the closed form that the intervals are held against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zoo_bench.core.seeds import Axis
from zoo_bench.report.read.variance import AXES, Components, deviation, share

Truth = Mapping[tuple[Axis, ...], float]
"""The variance of every effect, by the axes that it is a function of."""

TRAINED: tuple[Axis, ...] = ("initialisation", "data", "training")
TRUTHS: dict[str, Truth] = {
    "additive, all alike": {(axis,): 0.25 for axis in AXES},
    "additive, 70 / 15 / 10 / 5 %": dict(zip([(axis,) for axis in AXES], (0.70, 0.15, 0.10, 0.05), strict=True)),
    "chaotic: one interaction of all": {tuple(AXES): 1.0},
    "chaotic training, 5 % sampling": {TRAINED: 0.95, ("sampling",): 0.05},
    "half and half": {TRAINED: 0.5, **{(axis,): 0.125 for axis in AXES}},
}
SIZES = (5, 2), (10, 2), (20, 2), (10, 4)
STUDIES = 4000

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]


def normal(generator: np.random.Generator, size: tuple[int, ...]) -> Any:
    """Draw standard normal values."""
    return generator.standard_normal(size)


def heavy_tailed(generator: np.random.Generator, size: tuple[int, ...]) -> Any:
    """Draw values of variance 1 from Student's t with five degrees of freedom."""
    return generator.standard_t(5, size) * np.sqrt(3 / 5)


def study(truth: Truth, size: tuple[int, int], generator: np.random.Generator, draw: Draw = normal) -> dict[Axis, Any]:
    """Return log FIDs (bases, repeats) by axis, in which runs differ from their base, the first, in that axis alone."""
    bases, repeats = size
    base = {axes: draw(generator, (bases, 1)) for axes in truth}

    def effect(axes: tuple[Axis, ...], axis: Axis) -> Any:
        others = draw(generator, (bases, repeats - 1)) if axis in axes else np.repeat(base[axes], repeats - 1, axis=1)
        return np.sqrt(truth[axes]) * np.hstack([base[axes], others])

    return {axis: sum(effect(axes, axis) for axes in truth) for axis in AXES}


def coverage(
    truth: Truth, size: tuple[int, int], studies: int = STUDIES, level: float = 0.95, draw: Draw = normal
) -> dict[str, float]:
    """Return how often intervals hold the truth, by what they are of; those of axes are averaged over the axes."""
    generator = np.random.default_rng(0)
    total = sum(truth.values())
    effects = {axis: sum(variance for axes, variance in truth.items() if axis in axes) for axis in AXES}
    hits: dict[str, list[bool]] = {"deviation": [], "share": [], "cut share": [], "total": []}
    for _ in range(studies):
        found = study(truth, size, generator, draw)
        for axis, values in found.items():
            spread, part, share_of = deviation(values, level), share(values, level), effects[axis] / total
            hits["deviation"].append(spread.low <= np.sqrt(effects[axis]) <= spread.high)
            hits["share"].append(part.low <= share_of <= part.high)
            hits["cut share"].append(min(1.0, part.low) <= share_of <= min(1.0, part.high))
        whole = deviation([values[:, 0]], level)
        hits["total"].append(whole.low <= np.sqrt(total) <= whole.high)
    return {name: float(np.mean(held)) for name, held in hits.items()}


def interactions(truth: Truth, size: tuple[int, int], studies: int = STUDIES // 4, draw: Draw = normal) -> float:
    """Return how often a study says that axes act together."""
    generator = np.random.default_rng(0)
    drawn = (study(truth, size, generator, draw) for _ in range(studies))
    return float(np.mean([Components.of({a: np.exp(v).tolist() for a, v in s.items()}).interact for s in drawn]))


def main() -> None:
    """Print the coverage of intervals of 95 % and of 90 %, and how often interactions are claimed, in Markdown."""
    headers = ["truth", "bases x repeats", "deviation", "share", "share, cut at 100 %", "all axes", "act together"]
    print(f"| {' | '.join(headers)} |\n|{' --- |' * len(headers)}")
    heavy = {"not normal: Student's t, 5 degrees of freedom": TRUTHS["half and half"]}
    for draw, truths in ((normal, TRUTHS), (heavy_tailed, heavy)):
        for name, truth in truths.items():
            for size in SIZES:
                at_95, at_90 = (coverage(truth, size, level=level, draw=draw) for level in (0.95, 0.90))
                cells = [f"{100 * at_95[what]:.1f} / {100 * at_90[what]:.1f}" for what in at_95]
                claimed = f"{100 * interactions(truth, size, draw=draw):.1f}"
                print(f"| {name} | {size[0]} x {size[1]} | {' | '.join(cells)} | {claimed} |", flush=True)


if __name__ == "__main__":
    main()

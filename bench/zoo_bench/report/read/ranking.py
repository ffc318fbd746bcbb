"""Ranks of models over blocks: Friedman's test, Nemenyi's post-hoc test and the critical difference (Demšar 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
"""Significance level."""


@dataclass(frozen=True)
class Ranking:
    """How models rank over blocks.

    Attributes:
        ranks: Average rank of each model, best (lowest) first; 1 is first in every block.
        blocks: Number of blocks.
        p: Friedman's p-value of all models being alike; NaN if it has none, because all ranks are tied.
        critical_difference: Smallest difference of average ranks that Nemenyi's test separates at 5 %.
        cliques: Maximal runs of neighbours that the test does not separate, as names, best first.
    """

    ranks: dict[str, float]
    blocks: int
    p: float
    critical_difference: float
    cliques: list[tuple[str, ...]]


def rank(scores: pd.DataFrame) -> Ranking | None:
    """Rank models over blocks.

    Args:
        scores: One row per block, one column per model, higher is better; blocks with a missing score are left out.

    Returns:
        None with fewer than three models or two blocks, for which there is no such test.
    """
    scores = scores.dropna()
    if scores.shape[1] < 3 or len(scores) < 2:
        return None
    from scikit_posthocs import posthoc_nemenyi_friedman  # type: ignore[import-untyped]
    from scipy.stats import friedmanchisquare

    average = scores.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    names = [str(name) for name in average.index]
    ordered = scores[average.index]
    alike = bool((ordered.nunique(axis=1) == 1).all())
    p = math.nan if alike else float(friedmanchisquare(*(ordered[name] for name in average.index)).pvalue)
    separable = posthoc_nemenyi_friedman(ordered.to_numpy()).to_numpy() < ALPHA
    return Ranking(
        dict(zip(names, map(float, average), strict=True)),
        len(scores),
        p,
        critical_difference(len(names), len(scores)),
        _cliques(names, separable.tolist()),
    )


def critical_difference(models: int, blocks: int) -> float:
    """Return Nemenyi's critical difference of average ranks at 5 %: q sqrt(k (k + 1) / 6 N) (Demšar 2006, 3.2.2)."""
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - ALPHA, models, math.inf)) / math.sqrt(2)
    return q * math.sqrt(models * (models + 1) / (6 * blocks))


def _cliques(names: Sequence[str], separable: Sequence[Sequence[bool]]) -> list[tuple[str, ...]]:
    cliques, reached = [], 0
    for first in range(len(names)):
        last = first
        while last + 1 < len(names) and not separable[first][last + 1]:
            last += 1
        if last > first and last > reached:
            cliques.append(tuple(names[first : last + 1]))
            reached = last
    return cliques

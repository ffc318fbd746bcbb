"""Ranks of models over blocks: Friedman's test, Nemenyi's post-hoc test and the critical difference (Demšar 2006)."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
    from scipy.stats import friedmanchisquare

    average = scores.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    ranks = {str(name): float(value) for name, value in average.items()}
    alike = bool((scores.nunique(axis=1) == 1).all())
    p = math.nan if alike else float(friedmanchisquare(*(scores[name] for name in average.index)).pvalue)
    difference = critical_difference(len(ranks), len(scores))
    return Ranking(ranks, len(scores), p, difference, _cliques(ranks, difference))


def critical_difference(models: int, blocks: int) -> float:
    """Return Nemenyi's critical difference of average ranks at 5 %: q sqrt(k (k + 1) / 6 N) (Demšar 2006, 3.2.2)."""
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - ALPHA, models, math.inf)) / math.sqrt(2)
    return q * math.sqrt(models * (models + 1) / (6 * blocks))


def _cliques(ranks: Mapping[str, float], difference: float) -> list[tuple[str, ...]]:
    names, cliques, reached = list(ranks), [], 0
    for first, name in enumerate(names):
        last = sum(other - ranks[name] < difference for other in ranks.values()) - 1  # the ranks ascend
        if last > first and last > reached:
            cliques.append(tuple(names[first : last + 1]))
            reached = last
    return cliques

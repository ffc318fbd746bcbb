"""Statistics over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A mean over runs and its 95 % confidence interval.

    Attributes:
        mean: Arithmetic mean, or geometric mean on the log scale.
        low: Lower end; NaN with fewer than two values.
        high: Upper end; NaN with fewer than two values.
        n: Number of values.
    """

    mean: float
    low: float
    high: float
    n: int


def t_interval(values: Sequence[float], *, log: bool = False, level: float = 0.95) -> Estimate:
    """Return the mean of independent runs with Student's t interval.

    Bootstrap intervals cover far too little at three to ten runs, Student's covers about its level.

    Args:
        values: One per run.
        log: Work on the log scale, for positive figures such as FID whose spread grows with their size.
        level: Confidence level.
    """
    from scipy.stats import t

    n = len(values)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    if log and min(values) <= 0:
        log = False
    scaled = [math.log(v) for v in values] if log else list(values)
    back = math.exp if log else float
    mean = math.fsum(scaled) / n
    if n == 1:
        return Estimate(back(mean), math.nan, math.nan, 1)
    error = math.sqrt(math.fsum((v - mean) ** 2 for v in scaled) / (n - 1) / n)
    half = float(t.ppf(0.5 + level / 2, n - 1)) * error
    return Estimate(back(mean), back(mean - half), back(mean + half), n)

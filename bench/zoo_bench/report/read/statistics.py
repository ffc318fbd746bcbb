"""Statistics over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MIN_SEEDS_OF_SPREAD = 3
"""With fewer seeds on either side the spread, and with it the change that they would show, is hardly known."""

MAX_LOG = 700.0
"""The exponential of more overflows."""


def _exp(value: float) -> float:
    return math.exp(value) if value < MAX_LOG else math.inf


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

    With three to ten runs, bootstrap intervals cover the mean far too rarely; Student's cover it about as often as they
    claim.

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
    back = _exp if log else float
    mean = math.fsum(scaled) / n
    if n == 1:
        return Estimate(back(mean), math.nan, math.nan, 1)
    error = math.sqrt(math.fsum((v - mean) ** 2 for v in scaled) / (n - 1) / n)
    half = float(t.ppf(0.5 + level / 2, n - 1)) * error
    return Estimate(back(mean), back(mean - half), back(mean + half), n)


@dataclass(frozen=True)
class Difference:
    """How far the mean of B is from that of A.

    Attributes:
        estimate: B minus A, or on the log scale B over A, with its 95 % interval; ``n`` is the smaller count.
        p: Two-sided p-value of no difference; NaN if either side has fewer than two values.
        ratio: Whether the estimate is a ratio.
        error: Standard error of the difference, on the log scale if that is a ratio; NaN without spread.
        freedom: Degrees of freedom of Welch's test; NaN without spread.
    """

    estimate: Estimate
    p: float
    ratio: bool
    error: float = math.nan
    freedom: float = math.nan

    def detectable(self, alpha: float, power: float = 0.8) -> float:
        """Return the smallest rise that a two-sided test with this error shows with some power.

        It solves ``P(t' > t) = power`` for the noncentrality of t', the noncentral t distribution, where t is the
        critical value. Error and freedom are those of Welch's test. With the pooled ones the rise would come out too
        small by a third with three runs and six tests, because Welch's freedom is smaller.

        Args:
            alpha: Level of the test, divided already by the number of tests.
            power: Wanted probability of showing it.

        Returns:
            A difference, or a ratio above 1, infinite if that overflows; NaN without spread, or with fewer than three
            values on either side.
        """
        from scipy.special import nctdtrinc, stdtrit

        if math.isnan(self.error) or self.estimate.n < MIN_SEEDS_OF_SPREAD:
            return math.nan
        critical = float(stdtrit(self.freedom, 1 - alpha / 2))
        rise = float(nctdtrinc(self.freedom, 1 - power, critical)) * self.error
        return _exp(rise) if self.ratio else rise

    @property
    def sign(self) -> int:
        """1 if B has the higher mean, -1 if it has the lower one, 0 if they are equal."""
        equal = 1.0 if self.ratio else 0.0
        return (self.estimate.mean > equal) - (self.estimate.mean < equal)


def welch(a: Sequence[float], b: Sequence[float], *, log: bool = False, level: float = 0.95) -> Difference:
    """Compare two means of independent runs by Welch's t test and interval.

    Where neither side varies there is no t statistic: p is then that of the exact Mann-Whitney test, which claims no
    more than the number of runs supports.

    Args:
        a: One value per run.
        b: One value per run.
        log: Compare on the log scale, so that the estimate is a ratio; ignored if any value is not positive.
        level: Confidence level.
    """
    from scipy.special import stdtr, stdtrit

    log = log and min((*a, *b), default=0.0) > 0
    x, y = ([math.log(v) for v in values] if log else list(values) for values in (a, b))
    back = _exp if log else float
    n = min(len(x), len(y))
    if n == 0:
        return Difference(Estimate(math.nan, math.nan, math.nan, 0), math.nan, log)
    difference = math.fsum(y) / len(y) - math.fsum(x) / len(x)
    if n == 1:
        return Difference(Estimate(back(difference), math.nan, math.nan, 1), math.nan, log)
    parts = [variance(values) / len(values) for values in (x, y)]
    if not sum(parts):
        p = _exact_rank_test(len(x), len(y)) if difference else 1.0
        return Difference(Estimate(back(difference), math.nan, math.nan, n), p, log)
    error = math.sqrt(sum(parts))
    share = parts[0] / sum(parts)
    freedom = 1 / (share**2 / (len(x) - 1) + (1 - share) ** 2 / (len(y) - 1))
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    p = float(2 * stdtr(freedom, -abs(difference) / error))
    estimate = Estimate(back(difference), back(difference - half), back(difference + half), n)
    return Difference(estimate, p, log, error, freedom)


def paired(a: Sequence[float], b: Sequence[float]) -> Difference:
    """Compare two figures of the same runs by Student's t test and interval of their differences.

    Where all differences are equal there is no t statistic: p is then that of the exact sign test.

    Args:
        a: One value per run.
        b: One value per run, in the same order.
    """
    from scipy.special import stdtr

    differences = [round(y - x, 12) for x, y in zip(a, b, strict=True)]  # so that equal ones are equal
    estimate, n = t_interval(differences), len(differences)
    if n < 2:
        return Difference(estimate, math.nan, ratio=False)
    error = math.sqrt(variance(differences) / n)
    if not error:
        return Difference(estimate, 2.0 ** (1 - n) if estimate.mean else 1.0, ratio=False)
    p = float(2 * stdtr(n - 1, -abs(estimate.mean) / error))
    return Difference(estimate, p, False, error, n - 1)


def _exact_rank_test(m: int, n: int) -> float:
    """Return the two-sided p-value of Mann-Whitney's test where every value of one side exceeds all of the other."""
    return 2 / math.comb(m + n, m)


def variance(values: Sequence[float]) -> float:
    """Return the unbiased variance of two values or more, exactly 0 where all are equal."""
    if max(values) == min(values):
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for multiple tests (Holm 1979), in the order given; a NaN stays and is not counted."""
    order = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    adjusted, highest = list(p_values), 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        adjusted[i] = highest
    return adjusted


def iqm(values: Sequence[float]) -> float:
    """Return the interquartile mean (Agarwal et al. 2021): without the lowest and the highest quarter, rounded down."""
    ordered, cut = sorted(values), len(values) // 4
    return math.fsum(ordered[cut : len(ordered) - cut]) / (len(ordered) - 2 * cut) if ordered else math.nan


def stratified_iqm(
    strata: Sequence[Sequence[float]], *, seed: int = 0, repeats: int = 2000, level: float = 0.95
) -> Estimate:
    """Return the interquartile mean of all runs with a percentile bootstrap interval.

    Args:
        strata: Scores of runs, one sequence per task; runs are resampled within their task (Agarwal et al. 2021).
        seed: Seed of the resampling.
        repeats: Number of resamples.
        level: Confidence level.
    """
    import numpy as np

    filled = [np.asarray(stratum, dtype=float) for stratum in strata if len(stratum)]
    n = sum(map(len, filled))
    if n <= len(filled):
        return Estimate(iqm([float(v) for stratum in filled for v in stratum]), math.nan, math.nan, n)
    generator, cut = np.random.default_rng(seed), n // 4

    def resampled(times: int) -> Any:
        drawn = [stratum[generator.integers(len(stratum), size=(times, len(stratum)))] for stratum in filled]
        return np.sort(np.concatenate(drawn, axis=1), axis=1)[:, cut : n - cut].mean(axis=1)

    at_once = max(1, min(repeats, 1_000_000 // n))
    means = np.concatenate([resampled(min(at_once, repeats - done)) for done in range(0, repeats, at_once)])
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(iqm(np.concatenate(filled).tolist()), float(low), float(high), n)


def probability_of_improvement(a: Sequence[float], b: Sequence[float]) -> float:
    """Return P(a run of A > a run of B) = U / (mn), with ties counted half; NaN if either is empty."""
    from scipy.stats import rankdata

    if not len(a) or not len(b):
        return math.nan
    ranks = rankdata([*a, *b])[: len(a)]
    return float((ranks.sum() - len(a) * (len(a) + 1) / 2) / (len(a) * len(b)))


def performance_profile(scores: Sequence[float], thresholds: Sequence[float]) -> list[float]:
    """Return, for each threshold, the share of runs whose score is at least that; ``scores`` must not be empty."""
    return [sum(score >= threshold for score in scores) / len(scores) for threshold in thresholds]

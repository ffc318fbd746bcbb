"""How many seeds two models need for their difference to be shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from zoo_bench.report.read.statistics import variance

MIN_SEEDS = 5
"""With fewer seeds on either side a range of the seeds needed would say nothing: its ends differ by a factor of 70."""

MAX_SEEDS_NEEDED = 1000
"""More than so many seeds count as unlimited."""


@dataclass(frozen=True)
class SeedsNeeded:
    """How many seeds each of two models needs for their difference to be shown: a 90 % interval.

    Attributes:
        low: Its lower end.
        high: Its upper end; None if there may be no difference, or more than 1,000 seeds are needed.
    """

    low: int
    high: int | None

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low} seeds"
        return f"{self.low} to {self.high} seeds" if self.low < self.high else f"{self.low} seeds"

    @classmethod
    def of(
        cls, a: Sequence[float], b: Sequence[float], *, log: bool = False, alpha: float = 0.05, power: float = 0.8
    ) -> SeedsNeeded | None:
        """Return the seeds with which Welch's two-sided test shows the difference with some power.

        The ends are those of the 90 % interval of the standardised difference, by inversion of the noncentral t
        distribution (Steiger and Fouladi 1997); the ratio of the variances is taken to be that of these runs.

        Args:
            a: One value per run.
            b: One value per run.
            log: Whether the comparison is on the log scale.
            alpha: Level of the test, divided already by the number of tests.
            power: Wanted probability of showing it.

        Returns:
            None with fewer than five values on either side, without spread, or if even the lower end is above 1,000.
        """
        from scipy.special import nctdtrinc

        if min(len(a), len(b)) < MIN_SEEDS:
            return None
        log = log and min(*a, *b) > 0
        x, y = ([math.log(v) for v in values] if log else list(values) for values in (a, b))
        variances = variance(x), variance(y)
        errors = variances[0] / len(x), variances[1] / len(y)
        if not sum(errors):
            return None
        t = abs(math.fsum(y) / len(y) - math.fsum(x) / len(x)) / math.sqrt(sum(errors))
        freedom = sum(errors) ** 2 / (errors[0] ** 2 / (len(x) - 1) + errors[1] ** 2 / (len(y) - 1))
        scale = math.sqrt(sum(errors) / sum(variances))
        largest, smallest = (scale * float(nctdtrinc(freedom, p, t)) for p in (0.05, 0.95))
        share = variances[0] / sum(variances)
        low, high = (_seeds_for(effect, share, alpha, power) for effect in (largest, smallest))
        return None if low is None else cls(low, high)


def _seeds_for(effect: float, share: float, alpha: float, power: float) -> int | None:
    """Return the fewest seeds of each side with which Welch's test has the power, or None if 1,000 are too few.

    Args:
        effect: Difference of the means over the root of the sum of the variances; none is shown unless it is above 0.
        share: The first variance's share of that sum.
        alpha: Level of the two-sided test.
        power: Wanted probability.
    """
    from scipy.stats import nct, t

    def enough(n: int) -> bool:
        freedom = (n - 1) / (share**2 + (1 - share) ** 2)
        return float(nct.sf(t.ppf(1 - alpha / 2, freedom), freedom, effect * math.sqrt(n))) >= power

    if effect <= 0 or not enough(MAX_SEEDS_NEEDED):
        return None
    low, high = 1, MAX_SEEDS_NEEDED
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high

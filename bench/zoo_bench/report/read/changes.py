"""How B differs from A by one metric, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from zoo.columns import Column
from zoo_bench.plan.seeds import FIRST_LOOK
from zoo_bench.report.read.claims import ALPHA, EXCLUDED, Excluded, Model, difference, lacks_look
from zoo_bench.report.read.seeds_needed import SeedsNeeded
from zoo_bench.report.read.statistics import Difference, Estimate, holm, welch
from zoo_bench.report.text import signed

INSEPARABLE = "not separable"
LOOKLESS = f"needs seeds 0 to {FIRST_LOOK - 1} of both"
_NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


@dataclass(frozen=True)
class Comparison:
    """One metric of a pair of models that is to be compared.

    Attributes:
        key: What their runs have in common.
        pair: The model, or both models.
        metric: The metric.
        a: Model A.
        b: Model B.
        obstacle: Why their values cannot be compared; empty if they can.
    """

    key: dict[str, str]
    pair: str
    metric: Column
    a: Model
    b: Model
    obstacle: str = ""

    @property
    def values(self) -> tuple[list[float], list[float]]:
        """Values of the finished runs of both."""
        return self.a.values.get(self.metric.name, []), self.b.values.get(self.metric.name, [])

    @property
    def exact(self) -> bool:
        """Whether the difference is exact, not sampled: the metric does not vary with the seed."""
        return self.metric.group == "size" and all(len(set(values)) == 1 for values in self.values)

    @property
    def no_claim(self) -> Excluded | Literal[""]:
        """Why nothing is claimed of A or B; empty if both take part in claims."""
        return self.a.no_claim or self.b.no_claim

    @property
    def excluded(self) -> str:
        """The same in words; empty if both take part in claims."""
        if not self.no_claim:
            return ""
        return f"{'A' if self.a.no_claim else 'B'} {EXCLUDED[self.no_claim]}"

    @property
    def complete(self) -> bool:
        """Whether neither mean leaves out a finished run."""
        return self.a.has_all(self.metric) and self.b.has_all(self.metric)

    @property
    def adaptive(self) -> bool:
        """Whether seeds were added to A or B until models were separable."""
        return self.a.adaptive or self.b.adaptive

    @property
    def lacks_look(self) -> bool:
        """Whether that is so and no look at the seeds of both can be made, which what is exact does not need."""
        return not self.exact and lacks_look(self.a, self.b, self.metric)

    def difference(self) -> Difference:
        """Return how B differs from A; an exact difference, and one of which nothing is claimed, has no p-value."""
        if self.obstacle:
            return Difference(_NOTHING, math.nan, self.metric.log)
        if self.exact or self.no_claim:  # which may have no seeds, if it was made elsewhere
            return replace(welch(*self.values, log=self.metric.log), p=math.nan)
        return difference(self.a, self.b, self.metric)


@dataclass(frozen=True)
class Change:
    """One metric of a pair of models in one group, and what is said of it.

    Attributes:
        comparison: What is compared.
        difference: B against A.
        p: Its p-value, Holm-corrected over the pairs of the family; NaN if there is no test.
        family: What these pairs share: the metric, and for two models of one table that table.
        tests: Number of pairs in the family.
    """

    comparison: Comparison
    difference: Difference
    p: float
    family: tuple[str, ...]
    tests: int

    @property
    def key(self) -> dict[str, str]:
        """What the runs have in common."""
        return self.comparison.key

    @property
    def pair(self) -> str:
        """The model, or both models."""
        return self.comparison.pair

    @property
    def metric(self) -> Column:
        """The metric."""
        return self.comparison.metric

    @property
    def a(self) -> Estimate:
        """Mean and interval of A."""
        return self.comparison.a.estimates.get(self.metric.name, _NOTHING)

    @property
    def b(self) -> Estimate:
        """Mean and interval of B."""
        return self.comparison.b.estimates.get(self.metric.name, _NOTHING)

    @property
    def compared(self) -> bool:
        """Whether there is anything to show: a value on either side, and no obstacle."""
        return bool(self.a.n or self.b.n) and not self.comparison.obstacle

    @property
    def relative(self) -> float:
        """(B - A) / |A|; NaN if either is missing."""
        if self.a.mean == self.b.mean:
            return 0.0
        step = self.b.mean - self.a.mean
        return step / abs(self.a.mean) if self.a.mean else math.copysign(math.inf, step)

    def separable(self, level: float = ALPHA) -> bool:
        """Return whether B is separable from A at a level; exact changes always are."""
        x, y = self.comparison.values
        if self.comparison.exact:
            return x[0] != y[0]
        return self.comparison.complete and self.p < level

    @cached_property
    def verdict(self) -> str:
        """What the runs support, in words."""
        x, y = self.comparison.values
        if self.comparison.obstacle:
            return self.comparison.obstacle
        if not x or not y:
            return f"no finished run in {'A' if not x else 'B'} has a value"
        if x == y or (self.comparison.exact and x[0] == y[0]):
            return "the same"
        if self.comparison.no_claim:
            return f"{self.comparison.excluded}: no claim"
        if not self.comparison.complete:
            return "some finished runs have no value"
        if math.isnan(self.p) and not self.comparison.exact:
            return "one run says nothing about spread"
        if self.comparison.lacks_look:
            return LOOKLESS
        if not self.separable():
            return INSEPARABLE
        better = {"higher": 1, "lower": -1}.get(self.metric.better)
        if self.comparison.exact or not better:
            return "rises" if self.difference.sign > 0 else "falls"
        return "better" if self.difference.sign == better else "worse"

    @cached_property
    def seeds_needed(self) -> SeedsNeeded | None:
        """Seeds that each side would need; None if unknown, or if the verdict is not "not separable".

        They are unknown where seeds were added: a difference at which one stopped is biased.
        """
        if self.verdict != INSEPARABLE or self.comparison.adaptive:
            return None
        return SeedsNeeded.of(*self.comparison.values, log=self.metric.log, alpha=ALPHA / self.tests)

    def detectable(self, level: float = ALPHA, power: float = 0.8) -> float:
        """Return the rise that the seeds would have shown with some power, at a level that the family's pairs share.

        It is :meth:`~zoo_bench.report.read.statistics.Difference.detectable`, but NaN where seeds were added, as that
        is about Welch's own p-value.
        """
        return math.nan if self.comparison.adaptive else self.difference.detectable(level / max(1, self.tests), power)

    def shown(self) -> tuple[str, str]:
        """Return the difference and its interval as text: in percent on the log scale."""
        e = self.difference.estimate
        if not e.n:
            return "", ""
        mean, low, high = (100 * (v - 1) if self.difference.ratio else v for v in (e.mean, e.low, e.high))
        unit = "%" if self.difference.ratio else ""
        interval = "" if math.isnan(e.low) else f"{signed(low, 2)}{unit} to {signed(high, 2)}{unit}"
        return f"{signed(mean)}{unit}", interval

    def row(self) -> dict[str, Any]:
        """Return it as one flat row.

        ``change``, ``low``, ``high`` and ``detectable``, the rise that the seeds would have shown with 80 %
        probability, are on the scale that ``scale`` names; ``p`` is corrected over ``tests`` pairs.
        """
        e, sides = self.difference.estimate, (self.comparison.a, self.comparison.b)
        return {
            **self.key,
            "model": self.pair,
            "metric": self.metric.name,
            "better": self.metric.better,
            "a": self.a.mean,
            "n_a": self.a.n,
            "b": self.b.mean,
            "n_b": self.b.n,
            "scale": "ratio" if self.difference.ratio else "difference",
            "change": e.mean if e.n else math.nan,
            "low": e.low,
            "high": e.high,
            "p": self.p,
            "verdict": self.verdict,
            "seeds_needed_low": self.seeds_needed and self.seeds_needed.low,
            "seeds_needed_high": self.seeds_needed and self.seeds_needed.high,
            "tests": self.tests,
            "detectable": self.detectable(),
            **{f"failed_{side}": model.failed for side, model in zip("ab", sides, strict=True)},
        }


def changes(comparisons: Sequence[Comparison]) -> list[Change]:
    """Compare pairs of two benches; p-values are corrected over all pairs with the same metric."""
    differences = [comparison.difference() for comparison in comparisons]
    made: dict[int, Change] = {}
    for name in {comparison.metric.name for comparison in comparisons}:
        family = [i for i, comparison in enumerate(comparisons) if comparison.metric.name == name]
        corrected = holm([differences[i].p for i in family])
        tests = sum(not math.isnan(p) for p in corrected)
        for i, p in zip(family, corrected, strict=True):
            made[i] = Change(comparisons[i], differences[i], p, (name,), tests)
    return [made[i] for i in range(len(comparisons))]

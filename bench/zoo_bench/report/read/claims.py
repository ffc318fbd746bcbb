"""Who is best, and who is separable from whom: the one place that decides it for tables, reports and comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

from zoo.columns import Column
from zoo_bench.report.read.sequential import has_look, sequential_p
from zoo_bench.report.read.statistics import Difference, Estimate, holm, welch
from zoo_bench.report.text import shortened

ALPHA = 0.05
"""Significance level."""

Standing = Literal["best", "tied", ""]

Excluded = Literal["outside", "marked", "failed"]

EXCLUDED: dict[Excluded, str] = {
    "outside": "was made elsewhere",
    "marked": "is marked",
    "failed": "has failed runs",
}
"""By reason why nothing is claimed of a model, how sentences say it of "every model"."""

MARKED_MEANING = "marked, because its figures are not to be trusted; no claim is made of it."


def correction(*, adaptive: bool) -> str:
    """Return how p-values are corrected, and the level, as captions say it after the name of the test."""
    return ("corrected for the looks of --seeds auto, " if adaptive else "") + "Holm-corrected, 5 %"


@dataclass(frozen=True)
class Model:
    """One row: a model's runs in a group.

    Attributes:
        label: Its name in the group.
        runs: Number of runs.
        ok: Number that finished.
        collapsed: Number that diverged, or finished with fewer than half of the task's modes.
        values: Finite values of finished runs, by column.
        estimates: Mean and interval, by column.
        outside: Whether its samples were made elsewhere, under an unknown budget.
        marks: What speaks against its figures, in sentences.
        failed: Number that diverged, ended in an error or took too long; not those that the user interrupted.
        seeds: Training seeds of these values, by column.
        adaptive: Whether seeds were added until models were separable.
    """

    label: str
    runs: int
    ok: int
    collapsed: int
    values: dict[str, list[float]] = field(repr=False)
    estimates: dict[str, Estimate]
    outside: bool = False
    marks: tuple[str, ...] = ()
    failed: int = 0
    seeds: dict[str, list[int]] = field(default_factory=dict, repr=False)
    adaptive: bool = False

    @property
    def name(self) -> str:
        """Its label as tables show it, cut if it is long, with "!" if it is marked."""
        return f"{shortened(self.label)} !" if self.marks else shortened(self.label)

    @property
    def no_claim(self) -> Excluded | Literal[""]:
        """Why nothing is claimed of it; empty if it takes part in claims.

        The mean of a model with failed runs leaves out its worst runs. If it took part, a model would gain by diverging
        where it would have finished badly.
        """
        return "outside" if self.outside else "marked" if self.marks else "failed" if self.failed else ""

    def has_all(self, metric: Column) -> bool:
        """Whether every finished run has a finite value, so that the mean leaves out none; always true for costs."""
        return metric.cost or len(self.values[metric.name]) == self.ok

    def by_seed(self, metric: Column) -> dict[int, float]:
        """Return its values of a metric by training seed."""
        return dict(zip(self.seeds.get(metric.name, []), self.values.get(metric.name, []), strict=True))


def difference(a: Model, b: Model, metric: Column) -> Difference:
    """Return how B differs from A by Welch's t.

    The p-value is that of :func:`~zoo_bench.report.read.sequential.sequential_p` where seeds were added to either until
    models were separable: Welch's own would be too small.
    """
    found = welch(a.values.get(metric.name, []), b.values.get(metric.name, []), log=metric.log)
    if not (a.adaptive or b.adaptive):
        return found
    return replace(found, p=sequential_p(a.by_seed(metric), b.by_seed(metric), log=metric.log))


def lacks_look(a: Model, b: Model, metric: Column) -> bool:
    """Return whether seeds were added to either model and no look can be made, so that nothing separates the two."""
    return (a.adaptive or b.adaptive) and not has_look(a.by_seed(metric), b.by_seed(metric))


@dataclass(frozen=True)
class Claims:
    """What the runs of a group support by one metric.

    Attributes:
        metric: The metric.
        ranked: The models that have a value and of which claims are made, best mean first; those whose mean leaves out
            finished runs come last.
        p_values: The p-value of every pair of these, from :func:`difference`, in both orders, Holm-corrected over them;
            NaN where one has a single run.
    """

    metric: Column
    ranked: list[Model]
    p_values: dict[tuple[str, str], float]

    @classmethod
    def of(cls, models: Sequence[Model], metric: Column) -> Claims:
        """Return what the runs of some models support."""
        name, sign = metric.name, -1 if metric.better == "higher" else 1
        candidates = [m for m in models if m.estimates[name].n and not m.no_claim]
        pairs = list(combinations(candidates, 2))
        corrected = holm([difference(a, b, metric).p for a, b in pairs])
        p_values = {}
        for (a, b), p in zip(pairs, corrected, strict=True):
            p_values[a.label, b.label] = p_values[b.label, a.label] = p
        ranked = sorted(candidates, key=lambda m: (not m.has_all(metric), sign * m.estimates[name].mean, m.label))
        return cls(metric, ranked, p_values)

    @property
    def tests(self) -> int:
        """Number of pairs with a p-value, those that the correction is over."""
        return sum(not math.isnan(p) for p in self.p_values.values()) // 2

    def is_separable(self, a: Model, b: Model) -> bool:
        """Return whether the runs tell two models apart: neither mean leaves out a finished run, and p is below 5 %."""
        complete = a.has_all(self.metric) and b.has_all(self.metric)
        return complete and self.p_values.get((a.label, b.label), math.nan) < ALPHA

    @property
    def standings(self) -> dict[str, Standing]:
        """Which model is best, and which models are not separable from it, by label; empty if nothing can be said.

        A metric has no best if it has no direction, if every model has a single value, because one run supports no
        claim, or if the means of all models leave out finished runs, such as those that missed a target. If only some
        means do so, these models are neither better nor worse than the best.
        """
        name, rows = self.metric.name, self.ranked
        several = any(row.estimates[name].n > 1 for row in rows)
        if not self.metric.better or not several or not rows[0].has_all(self.metric):
            return {}
        best = rows[0]
        standings: dict[str, Standing] = {best.label: "best"}
        for row in rows[1:]:
            equal = row.has_all(self.metric) and row.estimates[name].mean == best.estimates[name].mean
            standings[row.label] = "best" if equal else "" if self.is_separable(best, row) else "tied"
        return standings

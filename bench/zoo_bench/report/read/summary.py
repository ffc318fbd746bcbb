"""A group of runs as a table: an estimate for every model and metric, and which models are separable from the best."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from zoo.columns import Column
from zoo_bench.report.read.columns import columns_of
from zoo_bench.report.read.groups import IDENTITY, Group
from zoo_bench.report.read.statistics import Estimate, holm, seeds_needed, t_interval, welch
from zoo_bench.report.text import figure, listed

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
"""Significance level."""

MAX_MAGNITUDE = 1e150
"""Largest size of a value that counts as finite; the square of a larger one may overflow."""

Standing = Literal["best", "tied", ""]


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
        outside: Whether its samples were made elsewhere, under an unknown budget, so that it takes part in no claim.
    """

    label: str
    runs: int
    ok: int
    collapsed: int
    values: dict[str, list[float]] = field(repr=False)
    estimates: dict[str, Estimate]
    outside: bool = False

    def has_all(self, metric: Column) -> bool:
        """Whether every finished run has a finite value, so that the mean leaves out none; always true for costs."""
        return metric.cost or len(self.values[metric.name]) == self.ok


@dataclass(frozen=True)
class Summary:
    """A group's models, best first by the leading metric, and its metrics.

    Attributes:
        group: The runs.
        metrics: Every figure that any of them has.
        models: One per label.
        controls: Values of sets of known quality under the group's judge, by control and column.
    """

    group: Group
    metrics: list[Column]
    models: list[Model]
    controls: dict[str, dict[str, float]]

    @cached_property
    def leading(self) -> Column | None:
        """The metric that models are ordered by: FID, else the first with a direction.

        It is none of the learning curve's, and none that follows the protocol of papers.
        """
        apart = ("curve", "published")
        directed = [m for m in self.metrics if m.better and not m.cost and m.group not in apart]
        return next((m for m in directed if m.name == "fid"), directed[0] if directed else None)

    @cached_property
    def p_values(self) -> dict[str, dict[tuple[str, str], float]]:
        """Welch's p-values of every pair of models, Holm-corrected within a metric; NaN where one has a single run."""
        p_values = {}
        for metric in self.metrics:
            pairs = list(combinations([m for m in self.models if m.values[metric.name] and not m.outside], 2))
            values = [welch(a.values[metric.name], b.values[metric.name], log=metric.log).p for a, b in pairs]
            by_pair = {}
            for (a, b), p in zip(pairs, holm(values), strict=True):
                by_pair[a.label, b.label] = by_pair[b.label, a.label] = p
            p_values[metric.name] = by_pair
        return p_values

    @cached_property
    def standings(self) -> dict[str, dict[str, Standing]]:
        """For every metric with a direction: which model is best, and which models are not separable from it.

        A metric has no best if every model has a single value, because one run supports no claim, or if the means of
        all models leave out finished runs, such as those that missed a target. If only some means do so, these models
        are neither better nor worse than the best.
        """
        return {metric.name: self._standings_in(metric) for metric in self.metrics if metric.better}

    def _standings_in(self, metric: Column) -> dict[str, Standing]:
        rows = ranked(self.models, metric)
        if not rows or not any(row.estimates[metric.name].n > 1 for row in rows) or not rows[0].has_all(metric):
            return {}
        best = rows[0]
        standings: dict[str, Standing] = {best.label: "best"}
        for row in rows[1:]:
            p = self.p_values[metric.name].get((best.label, row.label), math.nan)
            separable = row.has_all(metric) and p < ALPHA
            equal = row.estimates[metric.name].mean == best.estimates[metric.name].mean
            standings[row.label] = "best" if equal else "" if separable else "tied"
        return standings

    def floor(self, metric: Column) -> float | None:
        """Return what real data score, if the metric names a column for that and the group has it."""
        values = finite(self.group.runs[metric.floor]) if metric.floor in self.group.runs else []
        return sum(values) / len(values) if values else None

    @cached_property
    def references(self) -> dict[str, dict[str, float]]:
        """What models are compared with, by name and column: the controls, and the floor of every metric with one."""
        floors = {m.name: floor for m in self.metrics if (floor := self.floor(m)) is not None}
        return {**self.controls, **({"floor": floors} if floors else {})}

    def verdict(self) -> str:
        """Return in words which model is best by the leading metric, and what the runs do not support."""
        metric = self.leading
        rows = ranked(self.models, metric) if metric else []
        if not metric and any(m.group == "published" for m in self.metrics):
            return "Values by the protocol of papers rank no models."
        if self.models and all(model.outside for model in self.models):
            return "These samples were made elsewhere, under unknown budgets, so this ranks nothing."
        if not metric or not rows:
            return "No run finished with a score."
        best, others = rows[0], rows[1:]
        estimate = best.estimates[metric.name]
        extreme = "lowest" if metric.better == "lower" else "highest"
        basis = f" over the {best.ok} of {best.runs} runs that finished" if best.ok < best.runs else ""
        lead = f"{best.label} has the {extreme} {metric.heading}, {figure(estimate.mean)}{basis}"
        if not others:
            return f"{best.label} is the only model with a score: {metric.heading} {figure(estimate.mean)}{basis}."
        if all(row.estimates[metric.name].n < 2 for row in rows):
            return f"{lead}, with one seed per model: one seed says nothing about spread, so this ranks nothing."
        if not best.has_all(metric):
            return f"{lead}; every model has finished runs without a score, so this ranks nothing."
        if estimate.n > 1:
            lead += f" ({figure(estimate.low)} to {figure(estimate.high)})"
        tied = [row for row in others if self.standings[metric.name][row.label] == "tied"]
        if not tied:
            return f"{lead}, separable from every other model."
        rest = [row.label for row in others if row not in tied]
        also = f"; separable from {listed(rest) if len(rest) < 4 else f'the other {len(rest)}'}" if rest else ""
        return f"{lead}; {self._not_separable(metric, best, tied)}{also}."

    def _not_separable(self, metric: Column, best: Model, tied: Sequence[Model]) -> str:
        alpha = ALPHA / max(1, len(self.p_values[metric.name]) // 2)
        column, seeds = metric.name, sorted({row.estimates[metric.name].n for row in (best, *tied)})
        count = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
        names = []
        for row in tied:
            values = best.values[column], row.values[column]
            needed = seeds_needed(*values, log=metric.log, alpha=alpha) if row.has_all(metric) else None
            names.append(f"{row.label} (about {needed} would be needed)" if needed else row.label)
        return f"not separable from {listed(names, 'or')} with {count} seed{'s' if count != '1' else ''}"


def finite(values: pd.Series[Any]) -> list[float]:
    """Return the values that are not missing, and finite, as are their squares."""
    return [float(v) for v in values.dropna() if abs(v) < MAX_MAGNITUDE]


def ranked(models: Sequence[Model], metric: Column) -> list[Model]:
    """Return the models that have a value, best mean first; those whose mean leaves out finished runs come last.

    Samples that were made elsewhere are left out: they had another budget.
    """
    sign = -1 if metric.better == "higher" else 1
    candidates = [m for m in models if m.estimates[metric.name].n and not m.outside]
    return sorted(candidates, key=lambda m: (not m.has_all(metric), sign * m.estimates[metric.name].mean, m.label))


def summarise(group: Group, controls: Sequence[dict[str, Any]] = ()) -> Summary:
    """Summarise a group; failed runs are counted, not averaged, and models without a score come last.

    Args:
        group: Comparable runs.
        controls: As in :class:`zoo_bench.report.read.results.Results`; those of the group's
            task, version and judge are used.
    """
    metrics = [_with_total(column, group.runs) for column in columns_of(group.runs)]
    models = []
    for label, runs in group.runs.groupby("_label", sort=True):
        ok = runs[runs["status"] == "ok"]
        values = {m.name: finite(ok[m.name]) for m in metrics}
        estimates = {m.name: _within(t_interval(values[m.name], log=m.log), m.limits) for m in metrics}
        outside = bool((runs["samples"] != "").any())
        models.append(Model(str(label), len(runs), len(ok), _collapsed(runs), values, estimates, outside))
    matches = [c["controls"] for c in controls if all(c[k] == group.key[k] for k in IDENTITY)]
    group_controls: dict[str, dict[str, float]] = matches[0] if matches else {}
    summary = Summary(group, metrics, models, group_controls)
    first = ranked(models, summary.leading) if summary.leading else []
    order = [m.label for m in first]
    rest = sorted((m for m in models if m.label not in order), key=lambda model: model.outside)
    return Summary(group, metrics, [*first, *rest], group_controls)


def _with_total(column: Column, runs: pd.DataFrame) -> Column:
    """Return the column with the highest total of these runs as the end of its range."""
    totals = finite(runs[column.total]) if column.total in runs else []
    return replace(column, range=(column.range[0], max(totals))) if totals else column


def headlines(summaries: Sequence[Summary]) -> list[str]:
    """Return the names of the columns in the terminal's table."""
    return list(dict.fromkeys(m.name for s in summaries for m in s.metrics if m.headline))


def with_columns(summaries: Sequence[Summary], columns: Collection[str]) -> list[Summary]:
    """Return the summaries with no other metrics than these columns."""
    return [replace(s, metrics=[m for m in s.metrics if m.name in columns]) for s in summaries]


def _within(estimate: Estimate, possible: tuple[float, float]) -> Estimate:
    """Return the estimate with its interval cut to possible values, which costs no coverage; NaN stays."""
    if estimate.n < 2:
        return estimate
    return replace(estimate, low=max(estimate.low, possible[0]), high=min(estimate.high, possible[1]))


def _collapsed(runs: pd.DataFrame) -> int:
    few = (runs["status"] == "ok") & (runs["modes_captured"] < runs["modes_total"] / 2)
    return int(((runs["status"] == "diverged") | few.fillna(False)).sum())


def tidy_table(summaries: Sequence[Summary]) -> pd.DataFrame:
    """Return a tidy table: one row per group, model and metric, then one per control; ``kind`` says which."""
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {
            **s.group.key,
            "model": m.label,
            "kind": "outside" if m.outside else "model",
            "runs": m.runs,
            "ok": m.ok,
            "collapsed": m.collapsed,
            "metric": metric.name,
            "better": metric.better,
            "mean": e.mean,
            "low": e.low,
            "high": e.high,
            "n": e.n,
            "scale": "log" if metric.log else "linear",
            "floor": s.floor(metric),
            "standing": s.standings.get(metric.name, {}).get(m.label, ""),
        }
        for s in summaries
        for m in s.models
        for metric in s.metrics
        for e in [m.estimates[metric.name]]
    ]
    rows += [
        {
            **s.group.key,
            "model": name,
            "kind": "control",
            "metric": metric.name,
            "better": metric.better,
            "mean": row[metric.name],
            "n": 1,
            "scale": "log" if metric.log else "linear",
            "floor": s.floor(metric),
            "standing": "",
        }
        for s in summaries
        for name, row in s.controls.items()
        for metric in s.metrics
        if metric.name in row
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(("runs", "ok", "collapsed", "n"), "Int64") if rows else {})

"""A group of runs as a table: an estimate for every model and metric, and which models are separable from the best."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zoo.columns import Column
from zoo_bench.plan.seeds import FIRST_LOOK
from zoo_bench.report.read.agreement import JUDGES, of_pairs, of_the_best
from zoo_bench.report.read.claims import ALPHA, EXCLUDED, Claims, Excluded, Model, Standing, lacks_look
from zoo_bench.report.read.columns import columns_of
from zoo_bench.report.read.groups import IDENTITY, Group
from zoo_bench.report.read.junk import mostly_junk
from zoo_bench.report.read.marks import marks_of
from zoo_bench.report.read.seeds_needed import SeedsNeeded
from zoo_bench.report.read.statistics import Estimate, t_interval
from zoo_bench.report.text import figure, listed, plural

if TYPE_CHECKING:
    import pandas as pd

FAILURES = {"diverged": "diverged", "error": "ended in an error", "timeout": "took too long"}
"""By status of a run that failed, how sentences say it."""

MAX_MAGNITUDE = 1e150
"""Largest size of a value that counts as finite; the square of a larger one may overflow."""

MAX_MARKS = 4
"""Clauses against one model that a sentence has; runs under a budget of seconds may each have one of their own."""


@dataclass(frozen=True)
class Summary:
    """A group's models, best first by the leading metric, and its metrics.

    Attributes:
        group: The runs.
        metrics: Every figure that any of them has.
        models: One per label.
        controls: Values of sets of known quality under the group's judge, by control and column.
        panel: FID under each judge, whether or not it is among the metrics: what is claimed of one depends on all.
        few: Number of items of every control that has fewer than a model has samples.
    """

    group: Group
    metrics: list[Column]
    models: list[Model]
    controls: dict[str, dict[str, float]]
    panel: tuple[Column, ...] = ()
    few: dict[str, int] = field(default_factory=dict)

    @cached_property
    def leading(self) -> Column | None:
        """The metric that models are ordered by: FID, else the first with a direction.

        It is none of the learning curve's, and none that follows the protocol of papers.
        """
        apart = ("curve", "published")
        directed = [m for m in self.metrics if m.better and not m.cost and m.group not in apart]
        return next((m for m in directed if m.name == "fid"), directed[0] if directed else None)

    @cached_property
    def headlines(self) -> list[Column]:
        """The metrics of the table in terminals, notebooks and at the top of the page."""
        return [metric for metric in self.metrics if metric.headline]

    @cached_property
    def claims(self) -> dict[str, Claims]:
        """What the runs support by every metric, and by FID under each judge."""
        return {metric.name: Claims.of(self.models, metric) for metric in {*self.metrics, *self.panel}}

    @cached_property
    def standings(self) -> dict[str, dict[str, Standing]]:
        """For every metric with a direction: which model is best, and which models are not separable from it."""
        return {metric.name: self.claims[metric.name].standings for metric in self.metrics if metric.better}

    def standing(self, model: Model, metric: Column | None) -> Standing | Excluded:
        """Return how a model stands by a metric, or why nothing is claimed of it."""
        return model.no_claim or (self.standings.get(metric.name, {}).get(model.label, "") if metric else "")

    @property
    def marks(self) -> list[str]:
        """A sentence for every marked model: what speaks against its figures; of many clauses the last are counted."""
        marked = [(model.label, model.marks[:MAX_MARKS], len(model.marks[MAX_MARKS:])) for model in self.models]
        return [
            f"! {label}: {'; '.join(named)}{f'; and {more} more' if more else ''}."
            for label, named, more in marked
            if named
        ]

    @property
    def notes(self) -> list[str]:
        """What else the reader must know: whether judges agree, whose samples are junk, what runs are odd."""
        found = of_pairs(self.claims), mostly_junk(self.models)
        return [*filter(None, found), *self.group.notes]

    def floor(self, metric: Column) -> float | None:
        """Return what real data score, if the metric names a column for that and the group has it."""
        return self._mean(metric.floor)

    def floor_sd(self, metric: Column) -> float | None:
        """Return the standard deviation of what real data score, if the group has it."""
        return self._mean(f"{metric.floor}_sd")

    def _mean(self, column: str) -> float | None:
        values = finite(self.group.runs[column]) if column in self.group.runs else []
        return sum(values) / len(values) if values else None

    @cached_property
    def control_rows(self) -> dict[str, dict[str, float]]:
        """The controls by the names of their rows, which say how many items those with few have."""
        return {
            f"{name} ({self.few[name]})" if name in self.few else name: values for name, values in self.controls.items()
        }

    @cached_property
    def references(self) -> dict[str, dict[str, float]]:
        """What models are compared with, by name and column: the controls, and the floor of every metric with one."""
        floors = {m.name: floor for m in self.metrics if (floor := self.floor(m)) is not None}
        return {**self.control_rows, **({"floor": floors} if floors else {})}

    def verdict(self) -> str:
        """Return in words which model is best by the leading metric, and what the runs do not support."""
        return f"{self._ranking().strip()} {self._failures()}".strip()

    def _ranking(self) -> str:
        metric = self.leading
        rows = self.claims[metric.name].ranked if metric else []
        if not metric and any(m.group == "published" for m in self.metrics):
            return "Values by the protocol of papers rank no models."
        if self.models and all(model.outside for model in self.models):
            return "These samples were made elsewhere, under unknown budgets, so this ranks nothing."
        scored = [model for model in self.models if metric and model.estimates[metric.name].n]
        if not metric or not scored:
            return "No run finished with a score."
        reasons = {model.no_claim for model in scored}
        if not rows:
            predicates = [text for reason, text in EXCLUDED.items() if reason in reasons]
            return f"Every model with a score {listed(predicates, 'or')}, so this ranks nothing."
        reasons |= {model.no_claim for model in self.models if model.failed}
        lacks = [text for reason, text in (("marked", "a mark"), ("failed", "failed runs")) if reason in reasons]
        without = f"without {listed(lacks, 'or')}" if lacks else ""
        best, others = rows[0], rows[1:]
        estimate = best.estimates[metric.name]
        extreme = "lowest" if metric.better == "lower" else "highest"
        basis = f" over the {best.ok} of {best.runs} runs that finished" if best.ok < best.runs else ""
        among = f" of models {without}" if without else ""
        lead = f"{best.label} has the {extreme} {metric.heading}{among}, {figure(estimate.mean)}{basis}"
        if not others:
            also = f" and {without}" if without else ""
            return (
                f"{best.label} is the only model with a score{also}: {metric.heading} {figure(estimate.mean)}{basis}."
            )
        if all(row.estimates[metric.name].n < 2 for row in rows):
            return f"{lead}, with one seed per model: one seed says nothing about spread, so this ranks nothing."
        if not best.has_all(metric):
            return f"{lead}; every model has finished runs without a score, so this ranks nothing."
        if estimate.n > 1:
            lead += f" ({figure(estimate.low)} to {figure(estimate.high)})"
        tied = [row for row in others if self.standings[metric.name][row.label] == "tied"]
        if not tied:
            return (
                f"{lead}, separable from every other {'of these' if without else 'model'}. {of_the_best(self.claims)}"
            )
        rest = [row.label for row in others if row not in tied]
        also = f"; separable from {listed(rest) if len(rest) < 4 else f'the other {len(rest)}'}" if rest else ""
        return f"{lead}; {self._not_separable(metric, best, tied)}{also}. {of_the_best(self.claims)}"

    def _not_separable(self, metric: Column, best: Model, tied: Sequence[Model]) -> str:
        alpha = ALPHA / max(1, self.claims[metric.name].tests)
        column, seeds = metric.name, sorted({row.estimates[metric.name].n for row in (best, *tied)})
        count = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
        names = []
        for row in tied:
            values = best.values[column], row.values[column]
            is_estimable = row.has_all(metric) and not self.group.adaptive  # a stopped difference is biased
            needed = SeedsNeeded.of(*values, log=metric.log, alpha=alpha) if is_estimable else None
            least = f"seeds 0 to {FIRST_LOOK - 1} of both" if lacks_look(best, row, metric) else needed
            names.append(f"{row.label} ({least} would be needed)" if least else row.label)
        return f"not separable from {listed(names, 'or')} with {count} seed{'s' if count != '1' else ''}"

    def _failures(self) -> str:
        """Return a sentence on the models of which nothing is claimed because runs failed."""
        metric, runs, named = self.leading, self.group.runs, list[str]()
        models = [model for model in self.models if metric and model.no_claim == "failed"]
        for model in models:
            statuses = runs.loc[runs["_label"] == model.label, "status"]
            counts = [(int((statuses == status).sum()), text) for status, text in FAILURES.items()]
            how = listed([f"{n} of {plural(model.ok + model.failed, 'run')} {text}" for n, text in counts if n])
            named.append(f"{model.label} ({how})")
        has_mean = any(metric and model.estimates[metric.name].n for model in models)
        why = ": a mean leaves out the runs that failed" if has_mean else ""
        return f"Nothing is claimed of {listed(named)}{why}." if named else ""


def finite(values: pd.Series[Any]) -> list[float]:
    """Return the values that are not missing, and finite, as are their squares."""
    return [float(v) for v in values[_is_finite(values)]]


def _is_finite(values: pd.Series[Any]) -> pd.Series[bool]:
    return (values.abs() < MAX_MAGNITUDE).fillna(False).astype(bool)


def summarise(group: Group, controls: Sequence[dict[str, Any]] = ()) -> Summary:
    """Summarise a group; failed runs are counted, not averaged, and models without a score come last.

    Args:
        group: Comparable runs.
        controls: As in :class:`zoo_bench.report.read.results.Results`; those of the group's
            task, version and judge are used.
    """
    metrics = [_with_total(column, group.runs) for column in columns_of(group.runs)]
    own = next((c for c in controls if all(c[k] == group.key[k] for k in IDENTITY)), {})
    group_controls: dict[str, dict[str, float]] = own.get("controls", {})
    finished = group.runs[group.runs["status"] == "ok"]
    by_label = {str(label): runs for label, runs in finished.groupby("_label")}
    figure_marks = marks_of(by_label, group_controls.get("real", {}))
    models = []
    for label, runs in group.runs.groupby("_label", sort=True):
        ok = runs[runs["status"] == "ok"]
        values = {m.name: finite(ok[m.name]) for m in metrics}
        seeds = {m.name: [int(s) for s in ok["seed"][_is_finite(ok[m.name])].dropna()] for m in metrics}
        estimates = {m.name: _within(t_interval(values[m.name], log=m.log), m.limits) for m in metrics}
        outside = bool((runs["samples"] != "").any())
        marks = (*group.marks.get(str(label), ()), *figure_marks.get(str(label), ()))
        counts = len(runs), len(ok), _collapsed(runs)
        failed = int(runs["status"].isin(list(FAILURES)).sum())
        models.append(Model(str(label), *counts, values, estimates, outside, marks, failed, seeds, group.adaptive))
    panel = tuple(metric for metric in metrics if metric.name in JUDGES)
    summary = Summary(group, metrics, models, group_controls, panel, own.get("few", {}))
    first = summary.claims[summary.leading.name].ranked if summary.leading else []
    rest = [model for model in models if model not in first]
    return replace(summary, models=[*first, *sorted(rest, key=lambda model: _place(model, summary.leading))])


def _place(model: Model, metric: Column | None) -> tuple[bool, bool, float]:
    """Return a key for models of which nothing is claimed: scored ones first, by score, those made elsewhere last."""
    mean = model.estimates[metric.name].mean if metric else math.nan
    sign = -1 if metric and metric.better == "higher" else 1
    return model.outside, math.isnan(mean), 0.0 if math.isnan(mean) else sign * mean


def _with_total(column: Column, runs: pd.DataFrame) -> Column:
    """Return the column with the highest total of these runs as the end of its range."""
    totals = finite(runs[column.total]) if column.total in runs else []
    return replace(column, range=(column.range[0], max(totals))) if totals else column


def headlines(summaries: Sequence[Summary]) -> list[str]:
    """Return the names of the columns in the terminal's table."""
    return list(dict.fromkeys(m.name for s in summaries for m in s.headlines))


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

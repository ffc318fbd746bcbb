"""``zoo compare``: two benches, or two models of one, metric by metric."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from zoo.columns import Column
from zoo.errors import UnknownNameError, ZooError
from zoo_bench.report.read.claims import ALPHA, EXCLUDED, Excluded, Model
from zoo_bench.report.read.groups import KEYS, Group, groups
from zoo_bench.report.read.results import Results
from zoo_bench.report.read.statistics import Difference, Estimate, SeedsNeeded, holm, welch
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.text import listed

INSEPARABLE = "not separable"
_LIMIT_PATTERN = re.compile(r"\s*([\w.-]+)\s*:\s*([+-])\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*")


@dataclass(frozen=True)
class Change:
    """One metric of a pair of models in one group.

    Attributes:
        key: What the runs have in common.
        pair: The model, or both models.
        metric: The metric.
        a: Mean and interval of A.
        b: Mean and interval of B.
        difference: B against A.
        p: Its p-value, Holm-corrected over all pairs with this metric.
        verdict: In words.
        seeds_needed: Seeds that each side would need; None if unknown, or if the verdict is not "not separable".
    """

    key: dict[str, str]
    pair: str
    metric: Column
    a: Estimate
    b: Estimate
    difference: Difference
    p: float
    verdict: str
    seeds_needed: SeedsNeeded | None

    @property
    def relative(self) -> float:
        """(B - A) / |A|; NaN if either is missing."""
        if self.a.mean == self.b.mean:
            return 0.0
        step = self.b.mean - self.a.mean
        return step / abs(self.a.mean) if self.a.mean else math.copysign(math.inf, step)

    def shown(self) -> tuple[str, str]:
        """Return the difference and its interval as text: in percent on the log scale."""
        e = self.difference.estimate
        if not e.n:
            return "", ""
        values = [f"{100 * (v - 1):+.3g}%" if self.difference.ratio else f"{v:+.3g}" for v in (e.mean, e.low, e.high)]
        return values[0], "" if math.isnan(e.low) else f"{values[1]} to {values[2]}"

    def row(self) -> dict[str, Any]:
        """Return it as one flat row."""
        e = self.difference.estimate
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
        }


@dataclass(frozen=True)
class Comparison:
    """One metric of a pair of models that is to be compared.

    Attributes:
        key: What their runs have in common.
        pair: The model, or both models.
        metric: The metric.
        a: Model A.
        b: Model B.
    """

    key: dict[str, str]
    pair: str
    metric: Column
    a: Model
    b: Model

    @property
    def values(self) -> tuple[list[float], list[float]]:
        """Values of the finished runs of both."""
        return self.a.values.get(self.metric.name, []), self.b.values.get(self.metric.name, [])

    @property
    def exact(self) -> bool:
        """Whether the difference is exact, not sampled: the metric does not vary with the seed."""
        x, y = self.values
        return self.metric.group == "size" and len(set(x)) == len(set(y)) == 1 and x[0] != y[0]

    @property
    def no_claim(self) -> Excluded | Literal[""]:
        """Why nothing is claimed of A or B; empty if both take part in claims."""
        return self.a.no_claim or self.b.no_claim

    def difference(self) -> Difference:
        """Return how B differs from A; an exact difference, and one of which nothing is claimed, has no p-value."""
        difference = welch(*self.values, log=self.metric.log)
        return replace(difference, p=math.nan) if self.exact or self.no_claim else difference


@dataclass(frozen=True)
class Limit:
    """How far a metric may move: ``fid:+5%`` fails if it rises by more than 5 %, ``modes_captured:-1`` if it falls."""

    column: str
    sign: int
    size: float
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read "fid:+5%" or "modes_captured:-1".

        Raises:
            ZooError: If it has another form.
        """
        match = _LIMIT_PATTERN.fullmatch(text)
        if not match:
            raise ZooError(f"--fail-if {text!r} is not understood: write METRIC:+5%, METRIC:-2% or METRIC:+0.3")
        column, sign, size, percent = match.groups()
        return cls(column, -1 if sign == "-" else 1, float(size) / (100 if percent else 1), bool(percent))

    def __str__(self) -> str:
        size = f"{100 * self.size:g}%" if self.percent else f"{self.size:g}"
        return f"{self.column}:{'+' if self.sign > 0 else '-'}{size}"

    def violations(self, changes: Sequence[Change]) -> Iterator[str]:
        """Yield one sentence per pair that exceeds the limit, or has a value only in A.

        Raises:
            UnknownNameError: If no pair has the metric.
        """
        matches = [c for c in changes if c.metric.name == self.column]
        if not matches:
            raise UnknownNameError("metric in --fail-if", self.column, {c.metric.name for c in changes})
        for change in matches:
            where = f"{self}: {change.pair} on {change.key['task']}"
            if change.a.n and not change.b.n:
                yield f"{where} has no finished run in B"
                continue
            moved = change.relative if self.percent else change.b.mean - change.a.mean
            if self.sign * moved > self.size:
                shown = f"{100 * moved:+.3g} %" if self.percent else f"{moved:+.3g}"
                certain = change.p < ALPHA or change.verdict in ("rises", "falls")
                doubt = "" if certain else ", which these runs do not separate from no change"
                yield f"{where} changed by {shown}{doubt}"


def folders(a: Results, b: Results) -> tuple[list[Change], list[str]]:
    """Compare every model that two benches share, group by group; also return what could not be compared and why.

    Raises:
        ZooError: If nothing can be compared.
    """
    first, second = ({tuple(g.key.values()): g for g in groups(r.frame)} for r in (a, b))
    notes = [f"only in A: {_name(first[key])}" for key in first if key not in second]
    notes += [f"only in B: {_name(second[key])}" for key in second if key not in first]
    compared: list[Comparison] = []
    for key in first.keys() & second.keys():
        group_a, group_b = first[key], second[key]
        models = [{m.label: m for m in summarise(g).models} for g in (group_a, group_b)]
        comparable = _machines(group_a) == _machines(group_b)
        if not comparable:
            notes.append(f"{_name(group_a)}: speeds are not compared, because machines, threads or load differ")
        for label in sorted(models[0].keys() ^ models[1].keys()):
            notes.append(f"{_name(group_a)}: {label} is only in {'A' if label in models[0] else 'B'}")
        versions = group_a.versions, group_b.versions
        others = sorted(c for c in versions[0].keys() & versions[1].keys() if versions[0][c] != versions[1][c])
        if others:
            notes.append(f"{_name(group_a)}: {listed(others)}: not compared, because judges or versions differ")
        metrics = {
            m.name: m
            for g in (group_a, group_b)
            for m in summarise(g).metrics
            if (comparable or m.group != "speed") and m.name not in others
        }
        compared += [
            Comparison(group_a.key, label, metric, models[0][label], models[1][label])
            for label in sorted(models[0].keys() & models[1].keys())
            for metric in metrics.values()
        ]
    if not compared:
        raise ZooError(f"nothing to compare: {_reason(list(first.values()), list(second.values()))}")
    return _changes(sorted(compared, key=lambda comparison: (*comparison.key.values(), comparison.pair))), notes


def models(results: Results, a: str, b: str) -> list[Change]:
    """Compare two models of one bench in every group that has both.

    Raises:
        ZooError: If no group has both.
    """
    summaries = [summarise(group) for group in groups(results.frame)]
    labels = {m.label for s in summaries for m in s.models}
    for name in (a, b):
        if name not in labels:
            raise UnknownNameError("model", name, labels)
    compared = []
    for summary in summaries:
        by_label = {m.label: m for m in summary.models}
        if a in by_label and b in by_label:
            pair = f"{a} (A), {b} (B)"
            compared += [Comparison(summary.group.key, pair, m, by_label[a], by_label[b]) for m in summary.metrics]
    if not compared:
        raise ZooError(f"nothing to compare: no table has both {a!r} and {b!r}")
    return _changes(compared)


def _changes(comparisons: Sequence[Comparison]) -> list[Change]:
    """Compare; p-values are corrected over all pairs with the same metric."""
    compared = [comparison for comparison in comparisons if any(comparison.values)]
    differences = [comparison.difference() for comparison in compared]
    corrected = [math.nan] * len(compared)
    tests = Counter(comparison.metric.name for comparison in compared)
    for name in tests:
        family = [i for i, comparison in enumerate(compared) if comparison.metric.name == name]
        for i, p in zip(family, holm([differences[i].p for i in family]), strict=True):
            corrected[i] = p
    return [
        _change(comparison, difference, p, tests[comparison.metric.name])
        for comparison, difference, p in zip(compared, differences, corrected, strict=True)
    ]


def _change(comparison: Comparison, difference: Difference, p: float, tests: int) -> Change:
    metric, no_estimate = comparison.metric, Estimate(math.nan, math.nan, math.nan, 0)
    a, b = (model.estimates.get(metric.name, no_estimate) for model in (comparison.a, comparison.b))
    verdict = _verdict(comparison, difference, p)
    needed = None
    if verdict == INSEPARABLE:
        needed = SeedsNeeded.of(*comparison.values, log=metric.log, alpha=ALPHA / tests)
    return Change(comparison.key, comparison.pair, metric, a, b, difference, p, verdict, needed)


def _verdict(comparison: Comparison, difference: Difference, p: float) -> str:
    metric = comparison.metric
    x, y = comparison.values
    if not x or not y:
        return f"no finished run in {'A' if not x else 'B'}"
    if x == y:
        return "the same"
    if comparison.no_claim:
        side = "A" if comparison.a.no_claim == comparison.no_claim else "B"
        return f"{side} {EXCLUDED[comparison.no_claim]}: no claim"
    if not (comparison.a.has_all(metric) and comparison.b.has_all(metric)):
        return "some finished runs have no value"
    direction = "rises" if difference.estimate.mean > (1 if difference.ratio else 0) else "falls"
    if comparison.exact:
        return direction
    if math.isnan(p):
        return "one run says nothing about spread"
    if p >= ALPHA:
        return INSEPARABLE
    if not metric.better:
        return direction
    return "better" if direction == {"higher": "rises", "lower": "falls"}[metric.better] else "worse"


def _machines(group: Group) -> set[tuple[str, ...]]:
    ok = group.runs[(group.runs["status"] == "ok") & group.runs["train_images_per_s"].notna()]
    return {tuple(map(str, row)) for row in ok[["_machine", "threads", "contended"]].itertuples(index=False)}


def _name(group: Group) -> str:
    return ", ".join(f"{KEYS[k]} {v}" for k, v in group.key.items())


def _reason(first: Sequence[Group], second: Sequence[Group]) -> str:
    tasks = [{g.key["task"] for g in side} for side in (first, second)]
    common = sorted(tasks[0] & tasks[1])
    if not common:
        return f"A has {listed(sorted(tasks[0]))}, B has {listed(sorted(tasks[1]))}"
    for task in common:
        differing = []
        for key, name in KEYS.items():
            a, b = (sorted({g.key[key] or "none" for g in side if g.key["task"] == task}) for side in (first, second))
            if not set(a) & set(b):
                differing.append(f"{name} ({listed(a)} in A, {listed(b)} in B)")
        if differing:
            return f"runs on {task} differ in {listed(differing)}"
    return f"no model on {listed(common)} is in both"

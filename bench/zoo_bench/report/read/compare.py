"""``zoo compare``: two benches, or two models of one, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Sequence

from zoo.errors import UnknownNameError, ZooError
from zoo_bench.report.read.changes import Change, Comparison, changes
from zoo_bench.report.read.groups import KEYS, Group, described, groups
from zoo_bench.report.read.results import Results
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.text import listed


def folders(a: Results, b: Results) -> tuple[list[Change], list[str]]:
    """Compare every model that two benches share, group by group; also return what could not be compared and why.

    P-values are corrected over all pairs with the same metric. Where a task is in both benches but no group of it is,
    or judges or machines differ, the changes have that as an obstacle.

    Raises:
        ZooError: If nothing can be compared.
    """
    first, second = ({tuple(g.key.values()): g for g in groups(r.frame)} for r in (a, b))
    notes = [f"only in A: {described(first[key].key)}" for key in first if key not in second]
    notes += [f"only in B: {described(second[key].key)}" for key in second if key not in first]
    matched = {first[key].key["task"] for key in first.keys() & second.keys()}
    compared: list[Comparison] = []
    for key, group in first.items():
        others = [g for g in second.values() if g.key["task"] == group.key["task"]]
        if key in second:
            compared += _comparisons(group, second[key], notes)
        elif others and group.key["task"] not in matched:
            compared += _comparisons(group, others[0], [], _reason([group], others))
    if not any(not comparison.obstacle for comparison in compared):
        raise ZooError(f"nothing to compare: {_reason(list(first.values()), list(second.values()))}")
    compared.sort(key=lambda comparison: (*comparison.key.values(), comparison.pair))
    return changes(compared), notes


def _comparisons(a: Group, b: Group, notes: list[str], obstacle: str = "") -> list[Comparison]:
    """Return every metric of every model that two groups share; notes say what else there is."""
    summaries = [summarise(group) for group in (a, b)]
    by_label = [{m.label: m for m in summary.models} for summary in summaries]
    for label in sorted(by_label[0].keys() ^ by_label[1].keys()):
        notes.append(f"{described(a.key)}: {label} is only in {'A' if label in by_label[0] else 'B'}")
    metrics = {m.name: m for summary in summaries for m in summary.metrics}
    obstacles = dict.fromkeys(metrics, obstacle)
    if not obstacle and _machines(a) != _machines(b):
        notes.append(f"{described(a.key)}: speeds are not compared, because machines, threads or load differ")
        obstacles |= {m.name: "machines, threads or load differ" for m in metrics.values() if m.group == "speed"}
    versions = a.versions, b.versions
    others = sorted(c for c in versions[0].keys() & versions[1].keys() if versions[0][c] != versions[1][c])
    if not obstacle and others:
        notes.append(f"{described(a.key)}: {listed(others)}: not compared, because judges or versions differ")
        obstacles |= dict.fromkeys(others, "judges or versions differ")
    return [
        Comparison(a.key, label, metric, by_label[0][label], by_label[1][label], obstacles[metric.name])
        for label in sorted(by_label[0].keys() & by_label[1].keys())
        for metric in metrics.values()
    ]


def models(results: Results, a: str, b: str) -> list[Change]:
    """Compare two models of one bench in every group that has both; p-values are those of the group's table.

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
            for metric in summary.metrics:
                pair = Comparison(summary.group.key, f"{a} (A), {b} (B)", metric, by_label[a], by_label[b])
                p_values = summary.claims[metric.name].p_values
                p = math.nan if pair.exact else p_values.get((a, b), math.nan)
                family = (metric.name, *summary.group.key.values())
                compared.append(Change(pair, pair.difference(), p, family, summary.claims[metric.name].tests))
    if not compared:
        raise ZooError(f"nothing to compare: no table has both {a!r} and {b!r}")
    return compared


def _machines(group: Group) -> set[tuple[str, ...]]:
    ok = group.runs[(group.runs["status"] == "ok") & group.runs["train_images_per_s"].notna()]
    return {tuple(map(str, row)) for row in ok[["_machine", "threads", "contended"]].itertuples(index=False)}


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

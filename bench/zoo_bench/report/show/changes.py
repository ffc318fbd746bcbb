"""Comparisons as ``zoo compare`` prints them: tables for the terminal, Markdown, JSON, and JUnit's XML for gates."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.etree import ElementTree

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from zoo_bench.report import text
from zoo_bench.report.read.changes import Change
from zoo_bench.report.read.gate import Gate
from zoo_bench.report.read.groups import described
from zoo_bench.report.text import figure, visible

LEAST_HEADING = 13
"""Columns of the terminal that a metric's heading has at least, so that no word of it is cut."""

_HEADINGS = ("metric", "A", "B", "change", "95 %", "p", "verdict")
_STYLES = {"better": "green", "worse": "red"}


def tables(changes: Sequence[Change]) -> Iterator[RenderableType]:
    """Yield a title and a table for every pair of models that was compared."""
    for title, rows in _by_pair(changes):
        yield Text(title, style="bold")
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
        for name in _HEADINGS:
            right = name in ("A", "B", "change", "p")
            wraps = name in ("metric", "verdict")
            least = LEAST_HEADING if name == "metric" else None
            table.add_column(name, justify="right" if right else "left", no_wrap=not wraps, min_width=least)
        for change in rows:
            *cells, verdict = _cells(change)
            table.add_row(*cells, Text(verdict, style=_STYLES.get(change.verdict, "")))
        yield table
        yield Text()
    yield Text(caption(changes), style="dim")


def caption(changes: Sequence[Change]) -> str:
    """Return how to read the tables."""
    looks = "corrected for the looks of --seeds auto, " if any(c.comparison.adaptive for c in changes) else ""
    parts = [
        "Percent: ratio of geometric means; else difference of means.",
        f"Welch's t, intervals 95 %, p {looks}Holm-corrected over the pairs of a metric.",
    ]
    if any(change.seeds_needed for change in changes):
        parts.append("≈: not separable at 5 %; so many seeds of each would be needed.")
    return " ".join(parts)


def markdown(changes: Sequence[Change], gates: Sequence[Gate]) -> str:
    """Return one GitHub table per pair of models, and a list of the gates."""
    parts = []
    for title, rows in _by_pair(changes):
        lines = [f"| {' | '.join(_HEADINGS)} |", "|---|--:|--:|--:|---|--:|---|"]
        lines += [f"| {' | '.join(map(text.markdown, _cells(change)))} |" for change in rows]
        parts.append(f"**{text.markdown(title)}**\n\n" + "\n".join(lines) + "\n")
    if gates:
        parts.append("".join(f"- {'passed' if g.passed else '**failed**'}: {text.markdown(g)}\n" for g in gates))
    return "\n".join([*parts, f"{text.markdown(caption(changes))}\n"])


def as_json(changes: Sequence[Change], gates: Sequence[Gate]) -> str:
    """Return a row per pair of models and metric, with its gates."""
    rows = []
    for change in changes:
        row = {
            **change.row(),
            "gates": [
                {"limit": str(g.limit), "level": g.level, "strict": g.strict, "passed": g.passed, "sentence": str(g)}
                for g in gates
                if g.change is change
            ],
        }
        rows.append({k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()})
    return json.dumps(rows, indent=2)


def junit(gates: Sequence[Gate]) -> str:
    """Return JUnit's XML: a test case per gate, which fails if the gate does."""
    failed = sum(not gate.passed for gate in gates)
    counts = {"name": "zoo compare", "tests": str(len(gates)), "failures": str(failed), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", counts)
    for gate in gates:
        name = {"classname": visible(described(gate.change.key)), "name": visible(f"{gate.limit}: {gate.change.pair}")}
        case = ElementTree.SubElement(suite, "testcase", name)
        if gate.passed:
            ElementTree.SubElement(case, "system-out").text = visible(gate)
        else:
            ElementTree.SubElement(case, "failure", message=visible(gate))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def _by_pair(changes: Sequence[Change]) -> Iterator[tuple[str, list[Change]]]:
    for (key, pair), rows in groupby(changes, key=lambda change: (change.key, change.pair)):
        yield visible(f"{pair} on {key['task']}: budget {key['budget']}, judge {key['judge']}"), list(rows)


def _cells(change: Change) -> list[str]:
    p = "" if math.isnan(change.p) else "<0.001" if change.p < 0.001 else f"{change.p:.3f}"
    name = f"{change.metric.heading} {change.metric.arrow}".strip()
    return [name, figure(change.a.mean), figure(change.b.mean), *change.shown(), p, _verdict(change)]


def _verdict(change: Change) -> str:
    needed = change.seeds_needed
    if not needed:
        return change.verdict
    return f"≈ {needed.low} to {needed.high}" if needed.high else f"≈ from {needed.low}"

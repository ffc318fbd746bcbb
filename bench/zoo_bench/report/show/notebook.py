"""The report's tables as notebooks show them."""

from __future__ import annotations

from collections.abc import Sequence

from zoo_bench.report.read.claims import correction
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show import tables
from zoo_bench.report.show.figures import colours_of
from zoo_bench.report.show.html import template
from zoo_bench.report.show.terminal import title


def table(summaries: Sequence[Summary]) -> str:
    """Return HTML: for every group its verdict and a table of the headline metrics, with intervals, the best marked."""
    colours = colours_of(summaries)
    groups = []
    for summary in summaries:
        shown = tables.table(summary, summary.headlines, colours, {})
        groups.append({"title": title(summary), "verdict": summary.verdict(), **shown})
    corrected = correction(adaptive=any(summary.group.adaptive for summary in summaries))
    return str(template("notebook.html.j2").render(groups=groups, correction=corrected))

"""The report's figures and tables as notebooks show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo_bench.report.read.claims import correction
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show import sections
from zoo_bench.report.show.figures import Figure, colours_of
from zoo_bench.report.show.html import TEMPLATES, template
from zoo_bench.report.show.terminal import title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

STYLES = ("band", "colour", "colours", "front", "hollow", "ink", "step", "thick")
"""What a trace of :mod:`.figures` says of its looks, which the report's page turns into colours and lines itself."""


def table(summaries: Sequence[Summary]) -> str:
    """Return HTML: for every group its verdict and a table of the headline metrics, with intervals, the best marked."""
    colours = colours_of(summaries)
    groups = []
    for summary in summaries:
        shown = [metric for metric in summary.metrics if metric.headline]
        groups.append(
            {
                "title": title(summary),
                "verdict": summary.verdict(),
                **sections.table(summary, shown, colours, {}),
            }
        )
    corrected = correction(adaptive=any(summary.group.adaptive for summary in summaries))
    return str(template("notebook.html.j2").render(groups=groups, correction=corrected))


def draw(figure: Figure) -> PlotlyFigure:
    """Return a figure of :mod:`.figures` for plotly's Python library, with a button for each of its variants."""
    from plotly.graph_objects import Figure as PlotlyFigure

    variants = figure["variants"]
    owners = [i for i, variant in enumerate(variants) for _ in variant["data"]]
    traces = [_painted(trace) for variant in variants for trace in variant["data"]]
    buttons = [
        {
            "label": variant["name"],
            "method": "update",
            "args": [{"visible": [owner == i for owner in owners]}, _axes(variant)],
        }
        for i, variant in enumerate(variants)
    ]
    menu = {
        "type": "buttons",
        "direction": "right",
        "buttons": buttons,
        "x": 1,
        "xanchor": "right",
        "y": 1.02,
        "yanchor": "bottom",
    }
    theme = _theme()
    layout = {
        **_axes(variants[0]),
        "title": {"text": figure["label"], "font": {"size": 14}},
        "height": figure["height"] + 60,  # for the title, which the report's page has outside of the figure
        "margin": {"l": 8, "r": 12, "t": 90, "b": 8},
        "font": {"color": theme["ink"], "size": 12.5},
        "paper_bgcolor": theme["page"],
        "plot_bgcolor": theme["page"],
        "bargap": 0.45,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "updatemenus": [menu] if len(variants) > 1 else [],
    }
    return PlotlyFigure([{**t, "visible": owner == 0} for t, owner in zip(traces, owners, strict=True)], layout)


def _axes(variant: dict[str, Any]) -> dict[str, Any]:
    theme = _theme()
    usual = {"gridcolor": theme["line"], "linecolor": theme["line"], "zeroline": False, "automargin": True}
    return {
        name: {**usual, **axis, "title": {"font": {"size": 13}, **axis.get("title", {})}}
        for name, axis in variant["layout"].items()
    }


def _painted(trace: dict[str, Any]) -> dict[str, Any]:
    """Return a trace with colours and lines, as ``report.js`` paints it."""
    theme = _theme()
    style = {name: trace.get(name) for name in STYLES}
    painted = {"type": "scatter", **{name: value for name, value in trace.items() if name not in STYLES}}
    if style["colours"]:
        return {**painted, "marker": {"color": [_faint(theme[f"c{c}"], 0.75) for c in style["colours"]]}}
    tone = theme["soft" if style["front"] else "ink"] if style["colour"] is None else theme[f"c{style['colour']}"]
    painted["line"] = {
        "color": tone,
        "width": 0 if style["band"] else 4 if style["thick"] else 1 if style["front"] else 2,
        "dash": "dot" if style["front"] else "solid",
        "shape": "hv" if style["step"] else "linear",
    }
    painted["marker"] = {
        "color": theme["page"] if style["hollow"] else tone,
        "size": 0 if style["step"] else 6 if style["ink"] else 8,
        "line": {"color": theme["page"] if style["ink"] else tone, "width": 1 if style["ink"] else 2},
    }
    if style["band"]:
        painted["fillcolor"] = _faint(tone, 0.13)
    if "error_y" in painted:
        painted["error_y"] |= {"type": "data", "color": _faint(tone, 0.55), "thickness": 1.2, "width": 0}
    return painted


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


@cache
def _theme() -> dict[str, str]:
    """Return the colours of the report's light theme, by their names in its style sheet."""
    light, _, _ = (TEMPLATES / "report.css").read_text(encoding="utf-8").partition("@media")
    colours = dict(re.findall(r"--(\w+): (#\w+)", light))
    return {name: f"#{''.join(2 * c for c in code[1:])}" if len(code) == 4 else code for name, code in colours.items()}

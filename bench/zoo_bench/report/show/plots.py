"""Figures of the report: learning curves, modes, performance profiles and ranks; see :mod:`.figures` for their form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from zoo_bench.report.read.overall import THRESHOLDS
from zoo_bench.report.read.ranking import Ranking
from zoo_bench.report.read.statistics import t_interval
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show.figures import Colours, Figure, figure_of, log_axis, log_range
from zoo_bench.report.text import plotly

Curves = Mapping[str, Sequence[Mapping[str, Any]]]

AXIS_TITLES = {"images": "training images", "seconds": "training seconds", "flops": "training FLOPs"}
ROW_HEIGHT_PIXELS = 30
"""Height of a model's row in a figure."""


def learning_curves(summary: Summary, curves: Curves, colours: Colours) -> Figure | None:
    """Validation FID against what was spent: geometric mean over seeds, with Student's band from three seeds on."""
    variants = []
    for spent, title in AXIS_TITLES.items():
        traces, values, ends = [], list[float](), list[float]()
        for model in summary.models:
            points = mean_curve(summary, curves, model.label, spent)
            if not points:
                continue
            x, mean, low, high, n = (list(column) for column in zip(*points, strict=True))
            values += mean
            ends += x
            colour = colours[model.label]
            if max(n) > 2:
                traces.append(
                    {
                        "x": x + x[::-1],
                        "y": high + low[::-1],
                        "fill": "toself",
                        "mode": "lines",
                        "hoverinfo": "skip",
                        "showlegend": False,
                        "legendgroup": plotly(model.label),
                        "colour": colour,
                        "band": True,
                    }
                )
            traces.append(
                {
                    "x": x,
                    "y": mean,
                    "mode": "lines+markers",
                    "name": plotly(model.label),
                    "colour": colour,
                    "legendgroup": plotly(model.label),
                    "hovertemplate": "FID %{y:.3~g} at %{x:.3~s}",
                }
            )
        if values:
            layout = {
                "xaxis": {**log_axis(title), "range": log_range(ends)},
                "yaxis": {**log_axis("validation FID"), "range": log_range(values)},
            }
            variants.append({"name": spent if spent != "flops" else "FLOPs", "data": traces, "layout": layout})
    return figure_of("Learning curves: validation FID against images, seconds and FLOPs of training.", variants)


def mean_curve(
    summary: Summary, curves: Curves, label: str, spent: str
) -> list[tuple[float, float, float, float, int]]:
    """Return the curve of one model: at each mark what was spent, mean FID, its interval, and how many seeds it has.

    It ends where a run diverged, because from there on the mean would be that of the better runs alone, and is empty
    if one did before the first mark.
    """
    runs = summary.group.runs[summary.group.runs["_label"] == label]
    by_mark: dict[int, list[tuple[float, float]]] = {}
    ends = [math.inf]
    for run_id, status in zip(runs["run_id"], runs["status"], strict=True):
        marks = list[int]()
        for point in curves.get(str(run_id), ()):
            x, fid = point.get(spent, math.nan), point.get("fid", math.nan)
            share = point.get("share", x)
            if math.isfinite(x) and math.isfinite(fid) and x > 0 and fid > 0 and share > 0:
                mark = math.floor(math.log2(share))  # runs of equal time pass a mark at different rounds
                marks.append(mark)
                by_mark.setdefault(mark, []).append((x, fid))
        if status == "diverged":
            ends.append(max(marks, default=-math.inf))
    points = []
    for mark in sorted(mark for mark in by_mark if mark <= min(ends)):
        e = t_interval([fid for _, fid in by_mark[mark]], log=True)
        low, high = (e.low, e.high) if e.n > 1 else (e.mean, e.mean)
        points.append((sum(x for x, _ in by_mark[mark]) / e.n, e.mean, low, high, e.n))
    return points


def modes(summary: Summary, colours: Colours) -> Figure | None:
    """Modes that samples reach: mean as a bar, every run as a dot, of all that the task has."""
    models = [m for m in reversed(summary.models) if m.values.get("modes_captured")]
    totals = summary.group.runs["modes_total"].dropna()
    if not models or totals.empty:
        return None
    total = int(totals.max())
    names = [plotly(m.label) for m in models]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": [m.estimates["modes_captured"].mean for m in models],
        "colours": [colours[m.label] for m in models],
        "showlegend": False,
        "hovertemplate": "%{x:.3~g} modes<extra></extra>",
    }
    dots = {
        "mode": "markers",
        "y": [n for n, m in zip(names, models, strict=True) for _ in m.values["modes_captured"]],
        "x": [v for m in models for v in m.values["modes_captured"]],
        "ink": True,
        "showlegend": False,
        "hovertemplate": "%{x} modes<extra></extra>",
    }
    layout = {
        "xaxis": {"title": {"text": f"modes captured, of {total}"}, "range": [0, total * 1.03]},
        "yaxis": {"type": "category", "ticks": "", "showgrid": False},
    }
    variants = [{"name": "", "data": [bars, dots], "layout": layout}]
    return figure_of("Modes captured by each model.", variants, 90 + ROW_HEIGHT_PIXELS * len(models))


def profiles(shares: Mapping[str, Sequence[float]], colours: Colours) -> Figure | None:
    """Return performance profiles: share of runs that reach a score."""
    traces = [
        {
            "x": list(THRESHOLDS),
            "y": list(values),
            "mode": "lines",
            "name": plotly(label),
            "colour": colours[label],
            "step": True,
            "hovertemplate": "%{y:.0%} of runs reach %{x:.2~g}",
        }
        for label, values in shares.items()
    ]
    layout = {
        "xaxis": {**log_axis("score: FID floor / FID"), "range": [-3, 0]},
        "yaxis": {"title": {"text": "share of runs that reach it"}, "range": [0, 1.03], "tickformat": ".0%"},
    }
    return figure_of("Performance profiles.", [{"name": "", "data": traces, "layout": layout}])


def ranks(ranking: Ranking, colours: Colours) -> Figure | None:
    """Return the critical-difference diagram: average ranks, and bars that join what is not separable."""
    names = list(ranking.ranks)
    rows = {name: len(names) - 1 - i for i, name in enumerate(names)}
    edge = len(names) + 0.25
    traces: list[dict[str, Any]] = [
        {
            "x": [edge + 0.22 * i] * 2,
            "y": [rows[clique[0]] + 0.18, rows[clique[-1]] - 0.18],
            "mode": "lines",
            "ink": True,
            "thick": True,
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for i, clique in enumerate(ranking.cliques)
    ]
    traces.append(
        {
            "x": [1, 1 + ranking.critical_difference],
            "y": [len(names) - 0.35] * 2,
            "mode": "lines+text",
            "ink": True,
            "text": [f"critical difference {ranking.critical_difference:.2f}", ""],
            "textposition": "top right",
            "hoverinfo": "skip",
            "showlegend": False,
        }
    )
    for name in names:
        traces.append(
            {
                "x": [ranking.ranks[name]],
                "y": [rows[name]],
                "mode": "markers+text",
                "colour": colours[name],
                "text": [f"{ranking.ranks[name]:.2f}"],
                "textposition": "top center",
                "showlegend": False,
                "name": plotly(name),
                "hovertemplate": "average rank %{x:.2f}",
            }
        )
    layout = {
        "xaxis": {
            "title": {"text": "average rank; 1 is first everywhere"},
            "dtick": 1,
            "range": [0.7, max(edge + 0.22 * len(ranking.cliques), 1 + ranking.critical_difference) + 0.15],
        },
        "yaxis": {
            "tickvals": [rows[n] for n in names],
            "ticktext": [plotly(n) for n in names],
            "range": [-0.6, len(names) + 0.35],
            "showgrid": False,
        },
    }
    variants = [{"name": "", "data": traces, "layout": layout}]
    return figure_of("Critical-difference diagram.", variants, 130 + ROW_HEIGHT_PIXELS * len(names))

"""Figures for plotly.js as plain dictionaries: no colours but a model's number, which the page turns into its theme's.

A figure is ``{"label": what it shows in words, "height": pixels, "variants": [{"name", "data", "layout"}, ...]}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from zoo_bench.report.read.overall import THRESHOLDS
from zoo_bench.report.read.ranking import Ranking
from zoo_bench.report.read.statistics import t_interval
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.text import figure, plotly

Colours = Mapping[str, int]
Figure = dict[str, Any]
Box = tuple[float, float, float, float]
Curves = Mapping[str, Sequence[Mapping[str, float]]]

SPENT = {"images": "training images", "seconds": "training seconds", "flops": "training FLOPs"}
SPEED = {"sample_images_per_s": "sampling, images/s", "train_images_per_s": "training, images/s",
         "params": "parameters"}  # fmt: skip
ROW = 30
CHARACTER = 0.028  # width of a letter, as a share of a plot's on a phone


def learning_curves(summary: Summary, curves: Curves, colours: Colours) -> Figure | None:
    """Validation FID against what was spent: geometric mean over seeds, with Student's band from three seeds on."""
    variants = []
    for spent, title in SPENT.items():
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
                traces.append({
                    "x": x + x[::-1], "y": high + low[::-1], "fill": "toself", "mode": "lines", "hoverinfo": "skip",
                    "showlegend": False, "legendgroup": plotly(model.label), "colour": colour, "band": True,
                })  # fmt: skip
            traces.append({
                "x": x, "y": mean, "mode": "lines+markers", "name": plotly(model.label), "colour": colour,
                "legendgroup": plotly(model.label), "hovertemplate": "FID %{y:.3~g} at %{x:.3~s}",
            })  # fmt: skip
        if values:
            layout = {
                "xaxis": {**_log(title), "range": _range(ends)},
                "yaxis": {**_log("validation FID"), "range": _range(values)},
            }
            variants.append({"name": spent if spent != "flops" else "FLOPs", "data": traces, "layout": layout})
    return _figure("Learning curves: validation FID against images, seconds and FLOPs of training.", variants)


def mean_curve(
    summary: Summary, curves: Curves, label: str, spent: str
) -> list[tuple[float, float, float, float, int]]:
    """Return the curve of one model: at each mark what was spent, mean FID, its interval, and how many seeds it has."""
    runs = summary.group.runs
    own = [curves[str(r)] for r in runs.loc[runs["_label"] == label, "run_id"] if str(r) in curves]
    at: dict[int, list[tuple[float, float]]] = {}
    for curve in own:
        for point in curve:
            x, fid = point.get(spent, math.nan), point.get("fid", math.nan)
            share = point.get("share", x)
            if math.isfinite(x) and math.isfinite(fid) and x > 0 and fid > 0 and share > 0:
                mark = math.floor(math.log2(share))  # runs of equal time pass it by different rounds
                at.setdefault(mark, []).append((x, fid))
    points = []
    for mark in sorted(at):
        e = t_interval([fid for _, fid in at[mark]], log=True)
        low, high = (e.low, e.high) if e.n > 1 else (e.mean, e.mean)
        points.append((sum(x for x, _ in at[mark]) / e.n, e.mean, low, high, e.n))
    return points


def pareto(summary: Summary, colours: Colours) -> Figure | None:
    """FID against speed and size; the line joins the models that no other beats in both."""
    variants = []
    for column, title in SPEED.items():
        points = []
        for model in summary.models:
            fid, speed = model.estimates.get("fid"), model.estimates.get(column)
            if fid and speed and fid.n and speed.n and fid.mean > 0 and speed.mean > 0:
                points.append((speed.mean, fid, model.label))
        if len(points) < 2:
            continue
        more = column != "params"
        front = _front([(x if more else -x, fid.mean) for x, fid, _ in points])
        line = sorted((points[i][0], points[i][1].mean) for i in front)
        means = [fid.mean for _, fid, _ in points]
        ends = [e for _, fid, _ in points for e in ((fid.low, fid.high) if fid.n > 1 else ())]
        inside = [e for e in ends if min(means) / 3 <= e <= 3 * max(means)]
        x_range, y_range = _range([x for x, _, _ in points], 0.25), _range(means + inside, 0.1)
        sides = _sides([(x, fid.mean, label) for x, fid, label in points], x_range, y_range)
        traces: list[dict[str, Any]] = [
            {"x": [x for x, _ in line], "y": [y for _, y in line], "mode": "lines", "front": True,
             "hoverinfo": "skip", "showlegend": False}
        ]  # fmt: skip
        for i, (x, fid, label) in enumerate(points):
            trace = {
                "x": [x], "y": [fid.mean], "mode": "markers+text", "name": plotly(label),
                "text": [f"&nbsp; {plotly(label)} &nbsp;"], "textposition": sides[i],
                "colour": colours[label], "showlegend": False, "hollow": i not in front,
                "hovertemplate": f"FID {figure(fid.mean)}, {title} {figure(x)}",
            }  # fmt: skip
            if fid.n > 1:
                trace["error_y"] = {"array": [fid.high - fid.mean], "arrayminus": [fid.mean - fid.low]}
            traces.append(trace)
        layout = {
            "xaxis": {**_log(title), "range": x_range},
            "yaxis": {**_log("FID"), "range": y_range},
        }
        variants.append({"name": title.split(",")[0], "data": traces, "layout": layout})
    return _figure("FID against speed: lower and further to the side of the front is better.", variants)


def _front(points: Sequence[tuple[float, float]]) -> set[int]:
    """Return the indices of points that no other beats: more of the first and less of the second is better."""
    return {
        i for i, (x, y) in enumerate(points)
        if not any(a >= x and b <= y and (a, b) != (x, y) for a, b in points)
    }  # fmt: skip


def _sides(points: Sequence[tuple[float, float, str]], x_range: Sequence[float], y_range: Sequence[float]) -> list[str]:
    """Say where each point's label goes, of six places the one that hides least of other labels and points.

    Args:
        points: Position, both logarithmic, and label.
        x_range: Of the axis, exponents of ten.
        y_range: Likewise.
    """
    (left, right), (bottom, top) = x_range, y_range
    at = [((math.log10(x) - left) / (right - left), (math.log10(y) - bottom) / (top - bottom)) for x, y, _ in points]
    taken, sides = [(x, x, y, y) for x, y in at], list[str]()
    for (x, y), (_, _, label) in zip(at, points, strict=True):
        boxes = {}
        for level, dy in (("middle", 0.0), ("top", 0.05), ("bottom", -0.05)):
            low, high = y + dy - 0.03, y + dy + 0.03
            boxes[f"{level} right"] = (x + 0.01, x + 0.03 + CHARACTER * len(label), low, high)
            boxes[f"{level} left"] = (x - 0.03 - CHARACTER * len(label), x - 0.01, low, high)
        side = min(boxes, key=lambda name: _hidden(boxes[name], taken))
        taken.append(boxes[side])
        sides.append(side)
    return sides


def _hidden(box: Box, others: Sequence[Box]) -> int:
    """Return how many boxes a box overlaps, and many more if it leaves the plot."""
    a, b, c, d = box
    outside = a < 0 or b > 1 or c < 0 or d > 1
    return sum(a <= right and b >= left and c <= high and d >= low for left, right, low, high in others) + 100 * outside


def modes(summary: Summary, colours: Colours) -> Figure | None:
    """Modes that samples reach: mean as a bar, every run as a dot, out of all there are."""
    models = [m for m in reversed(summary.models) if m.values.get("modes_captured")]
    totals = summary.group.runs["modes_total"].dropna()
    if not models or totals.empty:
        return None
    total = int(totals.max())
    names = [plotly(m.label) for m in models]
    bars = {
        "type": "bar", "orientation": "h", "y": names, "x": [m.estimates["modes_captured"].mean for m in models],
        "colours": [colours[m.label] for m in models], "showlegend": False,
        "hovertemplate": "%{x:.3~g} modes<extra></extra>",
    }  # fmt: skip
    dots = {
        "mode": "markers", "y": [n for n, m in zip(names, models, strict=True) for _ in m.values["modes_captured"]],
        "x": [v for m in models for v in m.values["modes_captured"]], "ink": True, "showlegend": False,
        "hovertemplate": "%{x} modes<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": f"modes captured, of {total}"}, "range": [0, total * 1.03]},
        "yaxis": {"type": "category", "ticks": "", "showgrid": False},
    }
    found = _figure("Modes captured by each model.", [{"name": "", "data": [bars, dots], "layout": layout}])
    return found and {**found, "height": 90 + ROW * len(models)}


def profiles(shares: Mapping[str, Sequence[float]], colours: Colours) -> Figure | None:
    """Return performance profiles: share of runs that reach a score."""
    traces = [
        {"x": list(THRESHOLDS), "y": list(values), "mode": "lines", "name": plotly(label), "colour": colours[label],
         "step": True, "hovertemplate": "%{y:.0%} of runs reach %{x:.2~g}"}
        for label, values in shares.items()
    ]  # fmt: skip
    layout = {
        "xaxis": {**_log("score: FID floor / FID"), "range": [-3, 0]},
        "yaxis": {"title": {"text": "share of runs that reach it"}, "range": [0, 1.03], "tickformat": ".0%"},
    }
    return _figure("Performance profiles.", [{"name": "", "data": traces, "layout": layout}])


def ranks(ranking: Ranking, colours: Colours) -> Figure | None:
    """Return the critical-difference diagram: average ranks, and bars that join what is not separable."""
    names = list(ranking.ranks)
    rows = {name: len(names) - 1 - i for i, name in enumerate(names)}
    edge = len(names) + 0.25
    traces: list[dict[str, Any]] = [
        {"x": [edge + 0.22 * i] * 2, "y": [rows[clique[0]] + 0.18, rows[clique[-1]] - 0.18], "mode": "lines",
         "ink": True, "thick": True, "hoverinfo": "skip", "showlegend": False}
        for i, clique in enumerate(ranking.cliques)
    ]  # fmt: skip
    traces.append({
        "x": [1, 1 + ranking.critical_difference], "y": [len(names) - 0.35] * 2, "mode": "lines+text", "ink": True,
        "text": [f"critical difference {ranking.critical_difference:.2f}", ""], "textposition": "top right",
        "hoverinfo": "skip", "showlegend": False,
    })  # fmt: skip
    for name in names:
        traces.append({
            "x": [ranking.ranks[name]], "y": [rows[name]], "mode": "markers+text", "colour": colours[name],
            "text": [f"{ranking.ranks[name]:.2f}"], "textposition": "top center", "showlegend": False,
            "name": plotly(name), "hovertemplate": "average rank %{x:.2f}",
        })  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "average rank; 1 is first everywhere"}, "dtick": 1,
                  "range": [0.7, max(edge + 0.22 * len(ranking.cliques), 1 + ranking.critical_difference) + 0.15]},
        "yaxis": {"tickvals": [rows[n] for n in names], "ticktext": [plotly(n) for n in names],
                  "range": [-0.6, len(names) + 0.35], "showgrid": False},
    }  # fmt: skip
    found = _figure("Critical-difference diagram.", [{"name": "", "data": traces, "layout": layout}])
    return found and {**found, "height": 130 + ROW * len(names)}


def _figure(label: str, variants: list[dict[str, Any]]) -> Figure | None:
    return {"label": label, "height": 380, "variants": variants} if variants else None


def _log(title: str) -> dict[str, Any]:
    return {"type": "log", "title": {"text": title}}


def _range(values: Sequence[float], margin: float = 0.06) -> list[float]:
    """Return a range of a logarithmic axis with a margin, as plotly wants it: exponents of ten."""
    low, high = math.log10(min(values)), math.log10(max(values))
    space = margin * max(high - low, 0.3)
    return [low - space, high + space]

"""Figures of the report: learning curves, modes, performance profiles and ranks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from zoo_bench.report.read.overall import THRESHOLDS
from zoo_bench.report.read.ranking import Ranking
from zoo_bench.report.read.statistics import t_interval
from zoo_bench.report.read.summary import Summary, finite
from zoo_bench.report.show.figures import (
    SCREEN,
    Colours,
    Look,
    Style,
    canvas,
    dot,
    drawn,
    legend,
    log_axis,
    margins,
    name,
    theme,
)
from zoo_bench.report.text import figure as short

Curves = Mapping[str, Sequence[Mapping[str, Any]]]

SPENT = {"images": "training images", "seconds": "training seconds", "flops": "training FLOPs"}
"""What learning curves may be drawn against, with the title of the axis."""


def learning_curves(
    summary: Summary, curves: Curves, colours: Colours, spent: str = "images", style: Style = SCREEN
) -> Figure | None:
    """Validation FID against what was spent, or None without a curve.

    Lines are geometric means over seeds, with Student's band from three seeds on, and dots are runs.
    """
    drawable = {m.label: points for m in summary.models if (points := mean_curve(summary, curves, m.label, spent))}
    if not drawable:
        return None
    values, ends = list[float](), list[float]()
    with drawn(style):
        figure, axes = canvas(style)
        for label, points in drawable.items():
            x, mean, low, high, n = (list(column) for column in zip(*points, strict=True))
            look, size = Look.of(colours[label]), style.font / 2.5
            values += mean
            ends += x
            if max(n) > 2:
                axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)
            for run in run_points(summary, curves, label, spent):
                title = f"{label}, seed {run.seed}: FID {short(run.fid)} at {short(run.spent)} {SPENT[spent]}"
                dot(axes, run.spent, run.fid, title, color=look.colour, marker=".", markersize=size, alpha=0.6)
                values.append(run.fid)
                ends.append(run.spent)
            axes.plot(x, mean, color=look.colour, linestyle=look.dashes, marker=look.marker, label=name(label))
            for place, fid, seeds in zip(x, mean, n, strict=True):
                title = f"{label}, mean of {seeds}: FID {short(fid)} at {short(place)} {SPENT[spent]}"
                dot(axes, place, fid, title, color=look.colour, marker=look.marker)
        log_axis(axes, "x", *margins([math.log10(x) for x in ends]))
        log_axis(axes, "y", *margins([math.log10(y) for y in values]))
        axes.set(xlabel=SPENT[spent], ylabel="validation FID")
        legend(figure, axes, style)
    return figure


class RunPoint(NamedTuple):
    """A mark of one run's curve.

    Attributes:
        seed: Training seed.
        mark: Logarithm to base 2 of the share of the budget, or of what was spent, rounded down.
        spent: Images, seconds or FLOPs.
        fid: Validation FID.
    """

    seed: int
    mark: int
    spent: float
    fid: float


def run_points(summary: Summary, curves: Curves, label: str, spent: str) -> list[RunPoint]:
    """Return the marks of all runs of one model that a logarithmic plot can show."""
    return [point for points, _ in _runs(summary, curves, label, spent) for point in points]


def _runs(summary: Summary, curves: Curves, label: str, spent: str) -> list[tuple[list[RunPoint], str]]:
    """Return the marks of each run with its status."""
    runs = summary.group.runs[summary.group.runs["_label"] == label]
    found = []
    for run_id, seed, status in zip(runs["run_id"], runs["seed"], runs["status"], strict=True):
        points = []
        for point in curves.get(str(run_id), ()):
            x, fid = point.get(spent, math.nan), point.get("fid", math.nan)
            share = point.get("share", x)
            if math.isfinite(x) and math.isfinite(fid) and x > 0 and fid > 0 and share > 0:
                mark = math.floor(math.log2(share))  # runs of equal time pass a mark at different rounds
                points.append(RunPoint(seed, mark, x, fid))
        found.append((points, str(status)))
    return found


def mean_curve(
    summary: Summary, curves: Curves, label: str, spent: str
) -> list[tuple[float, float, float, float, int]]:
    """Return the curve of one model: at each mark what was spent, mean FID, its interval, and how many seeds it has.

    It ends where a run diverged, because from there on the mean would be that of the better runs alone, and is empty
    if one did before the first mark.
    """
    by_mark: dict[int, list[RunPoint]] = {}
    ends = [math.inf]
    for run, status in _runs(summary, curves, label, spent):
        for point in run:
            by_mark.setdefault(point.mark, []).append(point)
        if status == "diverged":
            ends.append(max((point.mark for point in run), default=-math.inf))
    points = []
    for mark in sorted(mark for mark in by_mark if mark <= min(ends)):
        e = t_interval([point.fid for point in by_mark[mark]], log=True)
        low, high = (e.low, e.high) if e.n > 1 else (e.mean, e.mean)
        points.append((sum(point.spent for point in by_mark[mark]) / e.n, e.mean, low, high, e.n))
    return points


Counts = Mapping[str, tuple[Sequence[int], Sequence[int]]]
"""Numbers of samples, and of real items, of each mode, by run."""

MAX_MODES_DRAWN = 30


def mode_shares(summary: Summary, counts: Counts, colours: Colours, style: Style = SCREEN) -> Figure | None:
    """Shares of modes among samples, over all runs of a model, above those of real items; None where none are known."""
    found: dict[str, list[float]] = {}
    real: list[float] = []
    for model in summary.models:
        runs = summary.group.runs.loc[summary.group.runs["_label"] == model.label, "run_id"]
        if pairs := [counts[run_id] for run_id in map(str, runs) if run_id in counts]:
            found[model.label] = _shares([generated for generated, _ in pairs])
            real = _shares([pairs[0][1]])
    if not found or len(real) > MAX_MODES_DRAWN or {len(shares) for shares in found.values()} != {len(real)}:
        return None
    with drawn(style):
        figure, axes = canvas(style)
        axes.bar(range(len(real)), real, width=0.9, color=theme()["line"], label="real")
        for i, (label, shares) in enumerate(found.items()):
            look, side = Look.of(colours[label]), 0.8 * ((i + 0.5) / len(found) - 0.5)
            axes.plot([], [], linestyle="none", color=look.colour, marker=look.marker, label=name(label))
            for mode, (share, expected) in enumerate(zip(shares, real, strict=True)):
                title = f"{label}, mode {mode}: {share:.1%} of samples, {expected:.1%} of real items"
                dot(axes, mode + side, share, title, color=look.colour, marker=look.marker, markersize=style.font / 2.5)
        axes.set_xticks(range(len(real)))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set(xlabel="mode, as the judge sees it", ylabel="share", xlim=(-0.6, len(real) - 0.4), ylim=(0, None))
        legend(figure, axes, style)
    return figure


def _shares(counts: Sequence[Sequence[int]]) -> list[float]:
    """Return the share of each mode over several counts of them."""
    total = sum(map(sum, counts)) or 1
    return [sum(column) / total for column in zip(*counts, strict=True)]


def _rows_height(rows: int, style: Style) -> float:
    """Return the height in inches of a figure with a row for each model."""
    return (5 + 2.4 * rows) * style.font / 72


def modes(summary: Summary, colours: Colours, style: Style = SCREEN) -> Figure | None:
    """Modes that samples reach, or None where none are known: mean as a bar, every run as a dot."""
    models = [m for m in reversed(summary.models) if m.values.get("modes_captured")]
    totals = finite(summary.group.runs["modes_total"])
    if not models or not totals:
        return None
    total = int(max(totals))
    with drawn(style):
        figure, axes = canvas(style, _rows_height(len(models), style))
        for y, model in enumerate(models):
            look, values = Look.of(colours[model.label]), model.values["modes_captured"]
            axes.barh(y, model.estimates["modes_captured"].mean, height=0.6, color=look.colour, alpha=0.45)
            seeds = model.seeds["modes_captured"]
            named = len(seeds) == len(values)  # samples that were made elsewhere may have none
            for seed, value in zip(seeds if named else range(len(values)), values, strict=True):
                title = f"{model.label}{f', seed {seed}' if named else ''}: {short(value)} modes"
                height = y + 0.36 * ((seed % 5) / 4 - 0.5)  # runs with equal counts do not hide each other
                dot(axes, value, height, title, color=theme()["ink"], marker=look.marker, markersize=style.font / 3)
        axes.set_yticks(range(len(models)), [name(model.label) for model in models])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set(xlabel=f"modes captured, of {total}", xlim=(0, total * 1.03), ylim=(-0.6, len(models) - 0.4))
    return figure


def profiles(shares: Mapping[str, Sequence[float]], colours: Colours, style: Style = SCREEN) -> Figure:
    """Return performance profiles: share of runs that reach a score."""
    with drawn(style):
        figure, axes = canvas(style)
        for label, values in shares.items():
            look = Look.of(colours[label])
            axes.step(THRESHOLDS, values, where="post", color=look.colour, linestyle=look.dashes, label=name(label))
        log_axis(axes, "x", -3, 0)
        axes.set(xlabel="score: FID floor / FID", ylabel="share of runs that reach it", ylim=(0, 1.03))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        legend(figure, axes, style)
    return figure


def ranks(ranking: Ranking, colours: Colours, style: Style = SCREEN) -> Figure:
    """Return the critical-difference diagram: average ranks, and bars that join what is not separable."""
    labels = list(ranking.ranks)
    rows = {label: len(labels) - 1 - i for i, label in enumerate(labels)}
    edge, ink = len(labels) + 0.25, theme()["ink"]
    with drawn(style):
        figure, axes = canvas(style, _rows_height(len(labels) + 1, style))
        for i, clique in enumerate(ranking.cliques):
            ends = rows[clique[0]] + 0.18, rows[clique[-1]] - 0.18
            axes.plot([edge + 0.22 * i] * 2, ends, color=ink, linewidth=style.font / 3)
        top = len(labels) - 0.35
        axes.plot([1, 1 + ranking.critical_difference], [top, top], color=ink)
        axes.text(1, top + 0.1, f"critical difference {ranking.critical_difference:.2f}", va="bottom")
        for label in labels:
            look, rank = Look.of(colours[label]), ranking.ranks[label]
            dot(axes, rank, rows[label], f"{label}: average rank {rank:.2f}", color=look.colour, marker=look.marker)
            axes.annotate(
                f"{rank:.2f}", (rank, rows[label]), (0, style.font / 2), textcoords="offset points", ha="center"
            )
        axes.set_yticks([rows[label] for label in labels], [name(label) for label in labels])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.set_xticks(range(1, len(labels) + 1))
        end = max(edge + 0.22 * len(ranking.cliques), 1 + ranking.critical_difference) + 0.15
        axes.set(xlabel="average rank; 1 is first everywhere", xlim=(0.7, end), ylim=(-0.6, len(labels) + 0.5))
    return figure

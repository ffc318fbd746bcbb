"""Static pictures of a bench for ``results/reference/``: modes of every run, and learning curves."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from cycler import cycler
from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from zoo_bench.report.read.summary import Model, Summary
from zoo_bench.report.show.plots import mean_curve

Curves = Mapping[str, Sequence[Mapping[str, Any]]]

ROW_INCHES = 0.32
LINE_STYLES = cycler(ls=["-", "--", ":"]) * rcParams["axes.prop_cycle"]
AXIS_TITLES = {"images": "training images", "seconds": "training seconds"}


def modes(summary: Summary) -> bytes:
    """Return a PNG of the modes that every run reached, one row per model, with the share of runs that collapsed.

    A run collapsed if it diverged or reached fewer than half of the modes, the dashed line.
    """
    rows = [model for model in reversed(summary.models) if model.values["modes_captured"]]
    total = int(summary.group.runs["modes_total"].max())
    figure = Figure(figsize=(7.5, 0.9 + ROW_INCHES * len(rows)), layout="constrained")
    axes = figure.subplots()
    for y, model in enumerate(rows):
        counts = model.values["modes_captured"]
        axes.plot(counts, [y + 0.5 * (i / len(counts) - 0.5) for i in range(len(counts))], "o", ms=3.5, alpha=0.6)
        axes.plot(model.estimates["modes_captured"].mean, y, "|", color="black", ms=14, mew=1.5)
    axes.axvline(total / 2, color="grey", ls="--", lw=0.8)
    axes.set_yticks(range(len(rows)), [_collapse(model) for model in rows], fontsize=8)
    axes.set_xlim(0, 1.02 * total)
    axes.set_ylim(-0.5, len(rows) - 0.5)
    figure.supxlabel(f"modes captured, of {total}: a dot per run, their mean as a bar", fontsize="medium")
    axes.set_title(_title(summary), fontsize=9)
    return _png(figure)


def learning_curves(summary: Summary, curves: Curves) -> bytes:
    """Return a PNG of validation FID against images and seconds of training; from three seeds on with 95 % bands."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    for axes, (spent, title) in zip(figure.subplots(1, 2, sharey=True), AXIS_TITLES.items(), strict=True):
        axes.set_prop_cycle(LINE_STYLES)
        for model in summary.models:
            if points := mean_curve(summary, curves, model.label, spent):
                x, mean, low, high, n = zip(*points, strict=True)
                (line,) = axes.loglog(x, mean, marker="o", ms=3, lw=1.2, label=model.label)
                if max(n) > 2:
                    axes.fill_between(x, low, high, color=line.get_color(), alpha=0.15, lw=0)
        axes.set_xlabel(title)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("validation FID")
    figure.axes[0].yaxis.set_major_formatter(LogFormatter())
    figure.axes[0].yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.suptitle(_title(summary), fontsize=9)
    return _png(figure)


def _title(summary: Summary) -> str:
    return f"{summary.group.key['task']}, budget {summary.group.key['budget']} per run"


def _collapse(model: Model) -> str:
    return f"{model.label}   {model.collapsed}/{model.runs} collapsed"


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()

"""The picture of what a search for settings is expected to find, by the number of its trials."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from zoo_bench.report.read.best_of_n import BestOf


def tuning_curves(title: str, curves: Mapping[str, Sequence[BestOf]]) -> bytes:
    """Return a PNG of the expected best of n trials of each model, with the upper ends of the bands.

    The lower ends are left out: on the log scale they hide the curves.
    """
    import math

    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.5, 3.8), layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        points = [(best.n, best.expected, best.high) for best in curve if math.isfinite(best.expected)]
        if points:
            n, expected, high = zip(*points, strict=True)
            (line,) = axes.semilogy(n, expected, marker="o", ms=3, label=name)
            axes.fill_between(n, expected, high, color=line.get_color(), alpha=0.12, lw=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("trials, the defaults among them")
    axes.set_ylabel("expected validation FID of the best")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize=8)
    axes.set_title(title, fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()

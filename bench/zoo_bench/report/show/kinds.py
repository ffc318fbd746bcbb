"""The kinds of figure that ``zoo plot`` and notebooks draw, by name."""

from __future__ import annotations

from matplotlib.figure import Figure

from zoo.errors import UnknownNameError, ZooError
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show import plots
from zoo_bench.report.show.figures import SCREEN, Colours, Style
from zoo_bench.report.show.pareto import COSTS, pareto
from zoo_bench.report.text import listed

KINDS = {
    "curves": "a learning curve",
    "pareto": "the metric and speed of two models",
    "modes": "modes",
    "samples": "a sheet of samples",
}
"""Every kind, with what it needs of the runs."""
AGAINST = {"curves": tuple(plots.SPENT), "pareto": tuple(COSTS)}
"""By kind, what may be on its horizontal axis, the first by default."""


def plot(
    kind: str,
    summary: Summary,
    curves: plots.Curves,
    colours: Colours,
    *,
    against: str = "",
    metric: str = "",
    style: Style = SCREEN,
) -> Figure:
    """Draw one group of runs.

    Args:
        kind: A key of :data:`KINDS`.
        summary: The group.
        curves: Learning curves by run.
        colours: The models' looks.
        against: What is on the horizontal axis, of :data:`AGAINST`; "" for the first.
        metric: For "pareto", the column that is on the vertical axis; "" for FID.
        style: Size of the figure.

    Raises:
        UnknownNameError: If there is no such kind, axis or metric.
        ZooError: If the runs have nothing to plot, or the real items for "samples" cannot be loaded.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of plot", kind, KINDS)
    if against and kind not in AGAINST:
        raise ZooError(f"{kind} has no choice of axis, which {listed(list(AGAINST))} have")
    if against and against not in AGAINST[kind]:
        raise UnknownNameError(f"horizontal axis of {kind}", against, AGAINST[kind])
    directed = {column.name for column in summary.metrics if column.better and not column.cost}
    if metric and kind != "pareto":
        raise ZooError(f"{kind} has no choice of metric, which pareto has")
    if metric and metric not in directed:
        raise UnknownNameError("metric of these runs", metric, directed)
    figure: Figure | None
    task = summary.group.key["task"]
    if kind == "curves":
        figure = plots.learning_curves(summary, curves, colours, against or "images", style)
    elif kind == "pareto":
        figure = pareto(summary, colours, against or next(iter(COSTS)), metric or "fid", style)
    elif kind == "modes":
        figure = plots.modes(summary, colours, style)
    else:
        from zoo_bench.report.show.samples import samples  # which needs torch

        figure = samples(summary, style)
    if figure is None:
        raise ZooError(f"nothing to plot: the runs on {task!r} lack {KINDS[kind]}")
    return figure

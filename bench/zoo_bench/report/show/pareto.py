"""The plot of a metric against speed or size, with its front and labels that hide as little as possible."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo_bench.report.read.statistics import Estimate
from zoo_bench.report.read.summary import MAX_MAGNITUDE, Summary
from zoo_bench.report.show.figures import SCREEN, Colours, Look, Style, canvas, dot, drawn, log_axis, margins, name
from zoo_bench.report.show.figures import theme as colours_of_theme
from zoo_bench.report.text import figure as short

COSTS = {
    "sample_images_per_s": "sampling, images/s",
    "train_images_per_s": "training, images/s",
    "params": "parameters",
}
"""What a metric may be drawn against, with the title of the axis."""


@dataclass(frozen=True)
class Point:
    """A model in the plot.

    Attributes:
        label: The model.
        cost: Its mean speed or size.
        value: The metric.
        claimed: Whether claims are made of it, so that it may be on the front.
    """

    label: str
    cost: float
    value: Estimate
    claimed: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle in shares of the plot's width and height."""

    left: float
    right: float
    bottom: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Return whether two boxes have a point in common."""
        return (
            self.left <= other.right
            and self.right >= other.left
            and self.bottom <= other.top
            and self.top >= other.bottom
        )

    @property
    def leaves_the_plot(self) -> bool:
        """Whether a part of it is outside."""
        return self.left < 0 or self.right > 1 or self.bottom < 0 or self.top > 1


def pareto(
    summary: Summary,
    colours: Colours,
    cost: str = "sample_images_per_s",
    metric: str = "fid",
    style: Style = SCREEN,
) -> Figure | None:
    """Draw a metric against speed or size; a line joins the models that no other beats in both.

    Large markers are means with intervals, hollow off the front; small ones are runs.

    Args:
        summary: The models.
        colours: Their looks.
        cost: A key of :data:`COSTS`.
        metric: A metric with a direction, by the name of its column.
        style: Size of the figure.

    Returns:
        The figure, or None if fewer than two models have both.
    """
    column = next((m for m in summary.metrics if m.name == metric), None)
    points = _points(summary, cost, metric, column.log) if column else []
    if column is None or len(points) < 2:
        return None
    best = front(points, more_is_better=cost != "params", lower_is_better=column.better == "lower")
    scale: Callable[[float], float] = math.log10 if column.log else float
    runs = [(point, *run) for point in points for run in _runs(summary, point.label, cost, metric, column.log)]
    heights = [scale(y) for y in [*_heights(points), *(y for *_, y in runs)]]
    x_range = margins([math.log10(x) for x in [*(p.cost for p in points), *(x for *_, x, _ in runs)]], 0.25)
    y_range = margins(heights, 0.1, 0.3 if column.log else 1e-9)
    theme = colours_of_theme()
    places = [
        ((math.log10(p.cost) - x_range[0]) / (x_range[1] - x_range[0]),
         (scale(p.value.mean) - y_range[0]) / (y_range[1] - y_range[0]))
        for p in points
    ]  # fmt: skip
    with drawn(style):
        figure, axes = canvas(style)
        axes.plot([p.cost for p in best], [p.value.mean for p in best], color=theme["soft"], ls=":", lw=style.font / 10)
        for point, seed, x, y in runs:
            look, title = Look.of(colours[point.label]), f"{point.label}, seed {seed}: {column.heading} {short(y)}"
            size = style.font / 3
            dot(axes, x, y, title, color=look.colour, marker=look.marker, markersize=size, alpha=0.4, markeredgewidth=0)
        for point, side in zip(points, label_sides([p.label for p in points], places, style), strict=True):
            look, value = Look.of(colours[point.label]), point.value
            title = f"{point.label}: {column.heading} {short(value.mean)}, {COSTS[cost]} {short(point.cost)}"
            if value.n > 1:
                axes.vlines(point.cost, value.low, value.high, color=look.colour, alpha=0.6, lw=style.font / 9)
            face = look.colour if point in best else theme["page"]
            dot(axes, point.cost, value.mean, title, color=look.colour, marker=look.marker, markerfacecolor=face,
                markeredgewidth=style.font / 8, markersize=style.font / 1.6)  # fmt: skip
            vertical, horizontal = side.split()
            right = {"left": -0.7, "right": 0.7}[horizontal] * style.font
            up = {"top": 0.9, "middle": 0.0, "bottom": -0.9}[vertical] * style.font
            axes.annotate(
                name(point.label), (point.cost, value.mean), (right, up),
                textcoords="offset points", ha="right" if horizontal == "left" else "left", va="center",
            ).set_in_layout(False)  # fmt: skip
        log_axis(axes, "x", *x_range)
        if column.log:
            log_axis(axes, "y", *y_range)
        else:
            axes.set_ylim(*y_range)
            axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.set(xlabel=COSTS[cost], ylabel=column.heading)
    return figure


def _points(summary: Summary, cost: str, metric: str, log: bool) -> list[Point]:
    points = []
    for model in summary.models:
        value, paid = model.estimates.get(metric), model.estimates.get(cost)
        if value and paid and value.n and paid.n and paid.mean > 0 and (value.mean > 0 or not log):
            points.append(Point(model.label, paid.mean, value, not model.no_claim))
    return points


def _runs(summary: Summary, label: str, cost: str, metric: str, log: bool) -> list[tuple[int, float, float]]:
    """Return seed, cost and value of every finished run of a model that has both."""
    runs = summary.group.runs
    runs = runs[(runs["_label"] == label) & (runs["status"] == "ok")]
    found = zip(runs["seed"], runs[cost].astype(float), runs[metric].astype(float), strict=True)
    return [(s, x, y) for s, x, y in found if 0 < x < MAX_MAGNITUDE and abs(y) < MAX_MAGNITUDE and (y > 0 or not log)]


def front(points: Sequence[Point], more_is_better: bool, lower_is_better: bool = True) -> list[Point]:
    """Return the points of which claims are made and that no other such beats in both, by cost.

    Args:
        points: The points.
        more_is_better: Whether a high cost is good, as a speed is.
        lower_is_better: Whether a low value of the metric is good.
    """
    points = [point for point in points if point.claimed]
    sign, direction = 1 if more_is_better else -1, 1 if lower_is_better else -1

    def beats(other: Point, point: Point) -> bool:
        as_good = sign * other.cost >= sign * point.cost
        as_good = as_good and direction * other.value.mean <= direction * point.value.mean
        return as_good and (other.cost, other.value.mean) != (point.cost, point.value.mean)

    best = [point for point in points if not any(beats(other, point) for other in points)]
    return sorted(best, key=lambda point: (point.cost, point.value.mean))


def _heights(points: Sequence[Point]) -> list[float]:
    """Return what the axis of the metric has to show: the means, and ends of intervals that are not far away."""
    means = [point.value.mean for point in points]
    ends = [end for point in points if point.value.n > 1 for end in (point.value.low, point.value.high)]
    return means + [end for end in ends if min(means) / 3 <= end <= 3 * max(means)]


def label_sides(labels: Sequence[str], places: Sequence[tuple[float, float]], style: Style = SCREEN) -> list[str]:
    """Return where each point's label goes: of six places, the one that hides least of other labels and points.

    Args:
        labels: The labels.
        places: Where the points are, in shares of the plot's width and height.
        style: Size of the figure.
    """
    occupied = [Box(x, x, y, y) for x, y in places]
    step = style.font / (72 * style.height)
    sides = []
    for (x, y), label in zip(places, labels, strict=True):
        width = 1.2 * len(name(label)) / style.characters  # the axes are a little narrower than the figure
        boxes = {}
        for level, dy in (("middle", 0.0), ("top", 1.1 * step), ("bottom", -1.1 * step)):
            low, high = y + dy - 0.7 * step, y + dy + 0.7 * step
            boxes[f"{level} right"] = Box(x + 0.01, x + 0.03 + width, low, high)
            boxes[f"{level} left"] = Box(x - 0.03 - width, x - 0.01, low, high)
        side = min(boxes, key=lambda place: _hidden(boxes[place], occupied))
        occupied.append(boxes[side])
        sides.append(side)
    return sides


def _hidden(box: Box, occupied: Sequence[Box]) -> int:
    """Return how many boxes a box overlaps, and 100 more if it leaves the plot."""
    return sum(box.overlaps(other) for other in occupied) + 100 * box.leaves_the_plot

"""The plot of FID against speed and size, with its front and labels that hide as little as possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zoo_bench.report.read.statistics import Estimate
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show.figures import Colours, Figure, figure_of, log_axis, log_range
from zoo_bench.report.text import figure, plotly

COST_TITLES = {
    "sample_images_per_s": "sampling, images/s",
    "train_images_per_s": "training, images/s",
    "params": "parameters",
}
CHARACTER_WIDTH = 0.028
"""Width of a letter, as a share of the width of a plot on a phone."""


@dataclass(frozen=True)
class Point:
    """A model in the plot.

    Attributes:
        label: The model.
        cost: Its mean speed or size.
        fid: Its FID.
        claimed: Whether claims are made of it, so that it may be on the front.
    """

    label: str
    cost: float
    fid: Estimate
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


def pareto(summary: Summary, colours: Colours) -> Figure | None:
    """FID against speed and size; the line joins the models that no other beats in both."""
    variants = []
    for column, title in COST_TITLES.items():
        points = _points(summary, column)
        if len(points) < 2:
            continue
        best = front(points, more_is_better=column != "params")
        x_range = log_range([point.cost for point in points], 0.25)
        y_range = log_range(_heights(points), 0.1)
        sides = label_sides(points, x_range, y_range)
        traces = [_line(best)]
        for point, side in zip(points, sides, strict=True):
            traces.append(_marker(point, side, title, colours[point.label], hollow=point not in best))
        layout = {
            "xaxis": {**log_axis(title), "range": x_range},
            "yaxis": {**log_axis("FID"), "range": y_range},
        }
        variants.append({"name": title.split(",")[0], "data": traces, "layout": layout})
    return figure_of("FID against speed: lower and further to the side of the front is better.", variants)


def _points(summary: Summary, column: str) -> list[Point]:
    points = []
    for model in summary.models:
        fid, cost = model.estimates.get("fid"), model.estimates.get(column)
        if fid and cost and fid.n and cost.n and fid.mean > 0 and cost.mean > 0:
            points.append(Point(model.label, cost.mean, fid, not model.no_claim))
    return points


def front(points: Sequence[Point], more_is_better: bool) -> list[Point]:
    """Return the points of which claims are made and that no other such beats in both, by cost."""
    points = [point for point in points if point.claimed]
    sign = 1 if more_is_better else -1

    def beats(other: Point, point: Point) -> bool:
        as_good = sign * other.cost >= sign * point.cost and other.fid.mean <= point.fid.mean
        return as_good and (other.cost, other.fid.mean) != (point.cost, point.fid.mean)

    best = [point for point in points if not any(beats(other, point) for other in points)]
    return sorted(best, key=lambda point: (point.cost, point.fid.mean))


def _heights(points: Sequence[Point]) -> list[float]:
    """Return what the axis of FID has to show: the means, and ends of intervals that are not far away."""
    means = [point.fid.mean for point in points]
    ends = [end for point in points if point.fid.n > 1 for end in (point.fid.low, point.fid.high)]
    return means + [end for end in ends if min(means) / 3 <= end <= 3 * max(means)]


def _line(best: Sequence[Point]) -> dict[str, Any]:
    return {
        "x": [point.cost for point in best],
        "y": [point.fid.mean for point in best],
        "mode": "lines",
        "front": True,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _marker(point: Point, side: str, title: str, colour: int, hollow: bool) -> dict[str, Any]:
    fid = point.fid
    trace: dict[str, Any] = {
        "x": [point.cost],
        "y": [fid.mean],
        "mode": "markers+text",
        "name": plotly(point.label),
        "text": [f"&nbsp; {plotly(point.label)} &nbsp;"],
        "textposition": side,
        "colour": colour,
        "showlegend": False,
        "hollow": hollow,
        "hovertemplate": f"FID {figure(fid.mean)}, {title} {figure(point.cost)}",
    }
    if fid.n > 1:
        trace["error_y"] = {"array": [fid.high - fid.mean], "arrayminus": [fid.mean - fid.low]}
    return trace


def label_sides(points: Sequence[Point], x_range: Sequence[float], y_range: Sequence[float]) -> list[str]:
    """Return where each point's label goes: of six places, the one that hides least of other labels and points.

    Args:
        points: The points.
        x_range: Range of the logarithmic x axis, in exponents of ten.
        y_range: Range of the logarithmic y axis, in exponents of ten.
    """
    (left, right), (bottom, top) = x_range, y_range
    places = [
        ((math.log10(p.cost) - left) / (right - left), (math.log10(p.fid.mean) - bottom) / (top - bottom))
        for p in points
    ]
    occupied = [Box(x, x, y, y) for x, y in places]
    sides = []
    for (x, y), point in zip(places, points, strict=True):
        width = CHARACTER_WIDTH * len(point.label)
        boxes = {}
        for level, dy in (("middle", 0.0), ("top", 0.05), ("bottom", -0.05)):
            low, high = y + dy - 0.03, y + dy + 0.03
            boxes[f"{level} right"] = Box(x + 0.01, x + 0.03 + width, low, high)
            boxes[f"{level} left"] = Box(x - 0.03 - width, x - 0.01, low, high)
        side = min(boxes, key=lambda name: _hidden(boxes[name], occupied))
        occupied.append(boxes[side])
        sides.append(side)
    return sides


def _hidden(box: Box, occupied: Sequence[Box]) -> int:
    """Return how many boxes a box overlaps, and 100 more if it leaves the plot."""
    return sum(box.overlaps(other) for other in occupied) + 100 * box.leaves_the_plot

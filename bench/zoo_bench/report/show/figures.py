"""What the figures of the report have in common.

A figure is a plain dictionary for plotly.js: ``{"label": what it shows in words, "height", "variants": [...]}``.
A variant has a name, data and a layout. A colour is a model's number, which the page turns into a colour of its theme.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from zoo_bench.report.read.summary import Summary

COLOUR_COUNT = 10
"""Colours of models in ``report.css``; with more models they repeat."""

Colours = Mapping[str, int]
"""The number of each model's colour, by label."""
Figure = dict[str, Any]

FIGURE_HEIGHT_PIXELS = 380
"""Height of a figure without a row for each model."""


def colours_of(summaries: Sequence[Summary]) -> Colours:
    """Return the number of every model's colour, the same in all tables and figures."""
    labels = {model.label for summary in summaries for model in summary.models}
    return {label: i % COLOUR_COUNT for i, label in enumerate(sorted(labels))}


def figure_of(label: str, variants: list[dict[str, Any]], height: int = FIGURE_HEIGHT_PIXELS) -> Figure | None:
    """Return a figure, or None if nothing is to be shown."""
    return {"label": label, "height": height, "variants": variants} if variants else None


def log_axis(title: str) -> dict[str, Any]:
    """Return the layout of a logarithmic axis."""
    return {"type": "log", "title": {"text": title}}


def log_range(values: Sequence[float], margin: float = 0.06) -> list[float]:
    """Return a range of a logarithmic axis with a margin, as plotly expects it: exponents of ten."""
    low, high = math.log10(min(values)), math.log10(max(values))
    space = margin * max(high - low, 0.3)
    return [low - space, high + space]

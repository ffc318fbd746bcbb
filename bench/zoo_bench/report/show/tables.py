"""Tables of models, as the page and notebooks show them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from zoo.columns import Column
from zoo_bench.report.read.claims import Model, correction
from zoo_bench.report.read.statistics import probability_of_improvement
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show.figures import Colours
from zoo_bench.report.text import aligned, figure

Table = dict[str, Any]

GROUPS = {
    "overall": "fidelity and diversity",
    "fidelity": "fidelity",
    "diversity": "diversity",
    "modes": "modes",
    "memorisation": "memorisation",
    "utility": "utility",
    "published": "as in papers",
    "curve": "along the budget",
    "speed": "along the budget",
    "": "models’ own and others",
}
"""By group of a column, what the table of those that are no headlines is called."""
COSTS = "speed and size"


def leading_table(summary: Summary, colours: Colours) -> Table:
    """Return the table of the headlines, those of the terminal's, with controls, and a dot for every run."""
    return table(summary, summary.headlines, colours, summary.control_rows, seeds_of=summary.leading)


def further_tables(summary: Summary, colours: Colours) -> dict[str, Table]:
    """Return the tables of all other metrics, by what they describe; costs are those of trained models, and last."""
    metrics = [metric for metric in summary.metrics if metric not in summary.headlines]
    costs = [metric for metric in metrics if metric.cost]
    trained = replace(summary, models=[model for model in summary.models if not model.outside])
    named: dict[str, list[Column]] = {name: [] for name in GROUPS.values()}
    for metric in metrics:
        if not metric.cost:
            named[GROUPS.get(metric.group, GROUPS[""])].append(metric)
    tables = {name: table(summary, of, colours, summary.control_rows) for name, of in named.items() if of}
    return tables | ({COSTS: table(trained, costs, colours, {})} if costs and trained.models else {})


def table(
    summary: Summary,
    metrics: Sequence[Column],
    colours: Colours,
    controls: Mapping[str, Mapping[str, float]],
    seeds_of: Column | None = None,
) -> Table:
    """Return a table of models and metrics with rows of those controls below that have any; runs are dots.

    Args:
        summary: The models.
        metrics: The columns.
        colours: The number of each model's look.
        controls: Values of controls, by control and column.
        seeds_of: The metric whose runs are shown as dots.
    """
    controls = {name: row for name, row in controls.items() if any(metric.name in row for metric in metrics)}
    columns = [_column(summary, metric, controls, dots=metric == seeds_of) for metric in metrics]
    return {
        "columns": columns,
        "models": [
            {"label": m.label, "marked": bool(m.marks), "ok": m.ok, "runs": m.runs, "colour": colours[m.label]}
            for m in summary.models
        ],
        "controls": list(controls),
        "floors": any(c["floor"] for c in columns),
        "floor_spreads": any("±" in c["floor"] for c in columns),
        "marked": any(summary.standings.get(m.name) for m in metrics),
        "correction": correction(adaptive=summary.group.adaptive),
    }


def _column(
    summary: Summary, metric: Column, controls: Mapping[str, Mapping[str, float]], dots: bool
) -> dict[str, Any]:
    means = [m.estimates[metric.name].mean for m in summary.models]
    floor, spread = summary.floor(metric), summary.floor_sd(metric)
    total = f"/{figure(metric.limits[1])}" if metric.total and math.isfinite(metric.limits[1]) else ""
    write = figure if total else aligned(means, () if floor is None else (floor,))
    return {
        "title": metric.heading,
        "arrow": metric.arrow,
        "better": metric.better,
        "name": metric.name,
        "description": metric.description,
        "floor": "" if floor is None else write(floor) + ("" if spread is None else f" ± {write(spread)}"),
        "cells": [_cell(summary, m, metric, write, total) for m in summary.models],
        "dots": _dots(summary, metric) if dots else None,
        "controls": [write(row[metric.name]) + total if metric.name in row else "" for row in controls.values()],
    }


def _cell(summary: Summary, model: Model, metric: Column, write: Callable[[float], str], total: str) -> dict[str, str]:
    estimate = model.estimates[metric.name]
    if not estimate.n:
        return {"text": "", "interval": "", "value": "", "low": "", "high": "", "standing": ""}
    low, high = write(estimate.low), write(estimate.high)
    several = estimate.n > 1
    return {
        "text": write(estimate.mean) + total,
        "interval": f"{low} – {high}" if several and low != high else "",
        "value": repr(estimate.mean),
        "low": repr(estimate.low) if several else "",
        "high": repr(estimate.high) if several else "",
        "standing": summary.standings.get(metric.name, {}).get(model.label, ""),
    }


def _dots(summary: Summary, metric: Column) -> list[dict[str, Any]] | None:
    """Return, for every model, where its runs lie on one axis, 0 to 1, and their values in words.

    It is None if no model has two runs, so that there is nothing to see.
    """
    values = [value for model in summary.models for value in model.values[metric.name]]
    if all(len(model.values[metric.name]) < 2 for model in summary.models):
        return None
    scale: Callable[[float], float] = math.log if metric.log and min(values) > 0 else float
    low, high = scale(min(values)), scale(max(values))
    return [
        {
            "places": [(scale(v) - low) / (high - low) if high > low else 0.5 for v in model.values[metric.name]],
            "words": _words(model, metric),
        }
        for model in summary.models
    ]


def _words(model: Model, metric: Column) -> str:
    values, seeds = model.values[metric.name], model.seeds[metric.name]
    names = [f"seed {seed}: " for seed in seeds] if len(seeds) == len(values) else [""] * len(values)
    return ", ".join(f"{name}{figure(value)}" for name, value in zip(names, values, strict=True))


def pairs(summary: Summary) -> dict[str, Any] | None:
    """Return, for every pair of models, how probable it is that a run of one beats a run of the other."""
    metric = summary.leading
    if not metric:
        return None
    models = summary.claims[metric.name].ranked
    if len(models) < 2:
        return None
    rows = [(a.label, [None if a is b else _pair(summary, metric, a, b) for b in models]) for a in models]
    corrected = correction(adaptive=summary.group.adaptive)
    return {"title": metric.heading, "models": [m.label for m in models], "rows": rows, "correction": corrected}


def _pair(summary: Summary, metric: Column, a: Model, b: Model) -> dict[str, Any]:
    """Return how probable it is that a run of ``a`` beats a run of ``b``, and whether the two are separable."""
    sign = -1 if metric.better == "lower" else 1
    better = probability_of_improvement(*([sign * value for value in m.values[metric.name]] for m in (a, b)))
    claims = summary.claims[metric.name]
    p = claims.p_values[a.label, b.label]
    return {"share": f"{100 * better:.0f} %", "p": _p_value(p), "separable": claims.is_separable(a, b)}


def _p_value(p: float) -> str:
    if math.isnan(p):
        return "one seed"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"

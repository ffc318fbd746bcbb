"""What the sections of ``report.html`` show, ready for the template."""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.columns import Column
from zoo.errors import ZooError
from zoo.files import is_regular, read_regular
from zoo_bench.core.names import real_sheet_path
from zoo_bench.report.read.claims import ALPHA, MARKED_MEANING, Model, correction
from zoo_bench.report.read.groups import KEYS, OUTSIDE, OUTSIDE_MEANING
from zoo_bench.report.read.overall import Overall
from zoo_bench.report.read.results import Results
from zoo_bench.report.read.statistics import probability_of_improvement
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show import plots
from zoo_bench.report.show.figures import Colours, svg
from zoo_bench.report.show.pareto import pareto
from zoo_bench.report.show.reproduce import command, packages
from zoo_bench.report.text import aligned, figure, plural, shortened, visible

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MAX_PICTURE_BYTES = 1_900_000
"""Size of all embedded pictures together, so that the page stays well under 8 MB."""

MAX_RUNS_SHOWN = 1000
MAX_FAILURES_SHOWN = 100


MAX_PICTURE_SIDE = 16_384
"""Pixels of a side of an embedded picture: a small file may unpack to one that fills a browser's memory."""


def is_png(content: bytes) -> bool:
    """Return whether a file is a PNG whose sides a browser can show."""
    sides = struct.unpack(">II", content[16:24]) if len(content) >= 24 else (0, 0)
    return content[:16] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" and all(0 < side <= MAX_PICTURE_SIDE for side in sides)


@dataclass
class Pictures:
    """Embeds PNG files as data URIs, as long as there is room for them.

    Attributes:
        left: Bytes that may still be embedded.
        left_out: Number of pictures for which there was no room.
    """

    left: int
    left_out: int = 0

    def embed(self, path: Path) -> str:
        """Return a data URI, or "" if there is no such file, it is no PNG, or there is no room."""
        if not is_regular(path):
            return ""
        if path.stat().st_size > self.left:
            self.left_out += 1
            return ""
        try:
            content = read_regular(path)
        except ZooError:
            return ""
        if not is_png(content):
            return ""
        self.left -= len(content)
        return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def group(summary: Summary, results: Results, colours: Colours, pictures: Pictures) -> dict[str, Any]:
    """Return everything about one group of comparable runs."""
    key, runs = summary.group.key, summary.group.runs
    quality = [m for m in summary.metrics if not m.cost]
    costs = [m for m in summary.metrics if m.cost]
    trained = replace(summary, models=[model for model in summary.models if not model.outside])
    figures = {
        "Learning curves": (CURVES_CAPTION, CURVE_NAMES, lambda spent: plots.learning_curves(
            summary, results.curves, colours, spent)),
        "FID against speed and size": (PARETO_CAPTION, COST_NAMES, lambda cost: pareto(summary, colours, cost)),
        "Modes captured": (MODES_CAPTION, {"": ""}, lambda _: plots.modes(summary, colours)),
    }  # fmt: skip
    seeds = summary.group.trained["seed"].nunique()
    ranks = {model.label: rank for rank, model in enumerate(summary.models)}
    ordered = runs.sort_values("_label", key=lambda c: c.map(ranks), kind="stable")
    samples, neighbours = sheets(ordered, pictures, real_sheets(summary))
    return {
        "key": key,
        "facts": {**{name: key[k] for k, name in KEYS.items() if k != "task" and key[k]}, "seeds": str(seeds)},
        "verdict": summary.verdict(),
        "notes": [*summary.marks, *summary.notes, *_remarks(summary)],
        "tables": [
            (name, table(shown, metrics, colours, summary.control_rows if name == "Quality" else {}))
            for name, shown, metrics in (("Quality", summary, quality), ("Speed and size", trained, costs))
            if metrics and shown.models
        ],
        "figures": [
            (title, variants, text)
            for title, (text, names, draw) in figures.items()
            if (variants := drawings(f"{key['task']}: {title}", {name: draw(of) for of, name in names.items()}))
        ],
        "pairs": pairs(summary),
        "samples": samples,
        "neighbours": neighbours,
        "failures": failures(runs, results),
        "failed": int((runs["status"] != "ok").sum()),
        "command": command(summary.group),
        "packages": packages(summary.group),
    }


CURVES_CAPTION = (
    "FID of up to 2,000 samples against the validation split, at shares of the budget. Lines are geometric means over "
    "seeds, dots single runs, bands Student's 95 % intervals, from three seeds on; a line ends where a run of the "
    "model diverged."
)
PARETO_CAPTION = (
    "Means and 95 % intervals of FID, and single runs, which are small. The line joins the models that no other beats "
    "in both; the others are hollow, as are those of which nothing is claimed."
)
MODES_CAPTION = "Bars are means over seeds, dots are single runs."
CURVE_NAMES = {"images": "images", "seconds": "seconds", "flops": "FLOPs"}
COST_NAMES = {"sample_images_per_s": "sampling", "train_images_per_s": "training", "params": "parameters"}


def drawings(title: str, figures: Mapping[str, Figure | None]) -> list[dict[str, str]]:
    """Return those variants of a figure that show something: the name of each, its SVG, and the name of its file."""
    variants = []
    for name, drawing in figures.items():
        if drawing is not None:
            label = visible(f"{title}, {name}" if name else title)
            file = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
            variants.append({"name": name, "svg": svg(drawing, label), "file": f"{file[:80]}.svg"})
    return variants


def _remarks(summary: Summary) -> list[str]:
    runs, notes = summary.group.runs, list[str]()
    if runs["contended"].fillna(False).any():
        notes.append("Runs shared the machine with others, so speeds are lower bounds.")
    if any(model.marks for model in summary.models):
        notes.append(f"!: {MARKED_MEANING}")
    if any(model.outside for model in summary.models):
        notes.append(f"{OUTSIDE.strip()}: {OUTSIDE_MEANING}")
    if collapsed := [m for m in summary.models if m.collapsed]:
        rates = ", ".join(f"{m.label} ({m.collapsed} of {m.runs})" for m in collapsed)
        notes.append(f"Collapsed (diverged, or fewer than half of the modes): {rates}.")
    return notes


def table(
    summary: Summary, metrics: Sequence[Column], colours: Colours, extra: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """Return a table of models and metrics with rows of controls below."""
    columns = []
    for metric in metrics:
        means = [m.estimates[metric.name].mean for m in summary.models]
        floor = summary.floor(metric)
        write = aligned(means, () if floor is None else (floor,))
        spread = summary.floor_sd(metric)
        total = f", of {figure(metric.limits[1])}" if metric.total and math.isfinite(metric.limits[1]) else ""
        columns.append(
            {
                "title": metric.heading + total,
                "arrow": metric.arrow,
                "better": metric.better,
                "name": metric.name,
                "description": metric.description,
                "floor": "" if floor is None else write(floor) + ("" if spread is None else f" ± {write(spread)}"),
                "cells": [_cell(summary, m, metric, write) for m in summary.models],
                "controls": [write(row[metric.name]) if metric.name in row else "" for row in extra.values()],
            }
        )
    return {
        "columns": columns,
        "models": [
            {"label": m.label, "marked": bool(m.marks), "ok": m.ok, "runs": m.runs, "colour": colours[m.label]}
            for m in summary.models
        ],
        "controls": list(extra),
        "floors": any(c["floor"] for c in columns),
        "floor_spreads": any("±" in c["floor"] for c in columns),
        "marked": any(summary.standings.get(m.name) for m in metrics),
        "correction": correction(adaptive=summary.group.adaptive),
    }


def _cell(summary: Summary, model: Model, metric: Column, write: Any) -> dict[str, Any]:
    estimate = model.estimates[metric.name]
    if not estimate.n:
        return {"text": "", "interval": "", "value": "", "standing": ""}
    low, high = write(estimate.low), write(estimate.high)
    return {
        "text": write(estimate.mean),
        "interval": f"{low} – {high}" if estimate.n > 1 and low != high else "",
        "value": repr(estimate.mean),
        "standing": summary.standings.get(metric.name, {}).get(model.label, ""),
    }


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


def real_sheets(summary: Summary) -> list[Path]:
    """Return where the folders of these runs keep the sheet of real items, if they do."""
    return [
        real_sheet_path(Path(folder), summary.group.key["task"]) for folder in summary.group.runs["_folder"].unique()
    ]


def sheets(
    runs: pd.DataFrame, pictures: Pictures, real: Sequence[Path] = ()
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return sample sheets and nearest neighbours, each by seed, the first seeds first while there is room.

    The first of the ``real`` sheets that is there stands before the samples.
    """
    import pandas as pd

    samples, neighbours = list[dict[str, Any]](), list[dict[str, Any]]()
    stored = runs[runs["_file"] != ""] if "_file" in runs else runs.head(0)
    for seed, rows in stored.groupby("seed", dropna=False):
        for strips, suffix in ((samples, ".png"), (neighbours, ".neighbours.png")):
            items = [
                {"label": label, "source": source}
                for label, file in zip(rows["_label"], rows["_file"], strict=True)
                if (source := pictures.embed(Path(file).with_suffix(suffix)))
            ]
            if items and strips is samples and (source := next(filter(None, map(pictures.embed, real)), "")):
                items.insert(0, {"label": "real", "source": source})
            if items:
                strips.append({"seed": "unknown" if pd.isna(seed) else str(seed), "items": items})
    return samples, neighbours


def failures(runs: pd.DataFrame, results: Results) -> list[dict[str, Any]]:
    """Return what went wrong: runs that did not end ok, and metrics that could not be computed."""
    failed = [
        {
            "what": row["status"],
            "label": row["_label"],
            "seed": row["seed"],
            "message": row["error"],
            "traceback": results.tracebacks.get(str(row["run_id"]), ""),
        }
        for _, row in runs[runs["status"] != "ok"].head(MAX_FAILURES_SHOWN).iterrows()
    ]
    incomplete = runs[runs["run_id"].isin(list(results.metric_errors))].head(MAX_FAILURES_SHOWN)
    failed += [
        {
            "what": f"metric {name}",
            "label": row["_label"],
            "seed": row["seed"],
            "message": message,
            "traceback": results.tracebacks.get(str(row["run_id"]), ""),
        }
        for _, row in incomplete.iterrows()
        for name, message in results.metric_errors[str(row["run_id"])].items()
    ]
    return failed


def all_tasks(scores: Overall, colours: Colours) -> dict[str, Any]:
    """Return scores and ranks over all tasks."""
    write = aligned([e.mean for e in scores.iqm.values()])
    figures = {"Performance profile": plots.profiles(scores.profiles, colours)}
    ranking = scores.ranking
    if ranking:
        figures = {"Average ranks": plots.ranks(ranking, colours), **figures}
    return {
        "tasks": scores.tasks,
        "left_out": scores.left_out,
        "iqm": [
            (name, write(e.mean), f"{write(e.low)} – {write(e.high)}" if e.low == e.low else "", e.n)
            for name, e in scores.iqm.items()
        ],
        "ranking": ranking
        and {
            "blocks": plural(ranking.blocks, "block"),
            "p": "undefined" if math.isnan(ranking.p) else figure(ranking.p),
            "critical_difference": f"{ranking.critical_difference:.2f}",
            "alike": not ranking.p < ALPHA,
        },
        "figures": [(title, drawings(title, {"": drawing})) for title, drawing in figures.items()],
    }


RUN_COLUMNS = (
    "task",
    "model",
    "seed",
    "status",
    "fid",
    "modes_captured",
    "images",
    "train_seconds",
    "budget",
    "precision_mode",
    "device",
    "run_id",
)
"""What the table of all runs shows."""
RUN_NUMBERS = ("seed", "fid", "modes_captured", "images", "train_seconds")


def all_runs(results: Results) -> dict[str, Any]:
    """Return the first thousand runs, one row each."""
    shown = [column for column in RUN_COLUMNS if column in results.frame]
    frame = results.frame[shown].head(MAX_RUNS_SHOWN)
    columns = [_run_cells(frame[column]) for column in shown]
    heads = [(column.replace("_", " "), column in RUN_NUMBERS) for column in shown]
    return {"heads": heads, "rows": list(zip(*columns, strict=True)), "all": len(results.frame)}


def _run_cells(column: pd.Series[Any]) -> list[dict[str, Any]]:
    """Return the cells of a column: the text, the value that it is sorted by, and whether that is a number."""
    number = column.name in RUN_NUMBERS
    write: Callable[[Any], str] = shortened
    if column.name == "run_id":
        write = _short
    elif number and column.name != "seed":
        write = aligned(column.dropna().astype(float))
    values = [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
    return [
        {"text": "" if v is None else write(v), "value": "" if v is None else str(v), "number": number} for v in values
    ]


def _short(run_id: str) -> str:
    return run_id[:8]

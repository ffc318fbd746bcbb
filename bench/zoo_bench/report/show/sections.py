"""What the sections of ``report.html`` show, ready for the template."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo_bench.report.read.claims import ALPHA, MARKED_MEANING
from zoo_bench.report.read.groups import KEYS, OUTSIDE, OUTSIDE_MEANING
from zoo_bench.report.read.overall import Overall
from zoo_bench.report.read.results import Results
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show import plots
from zoo_bench.report.show.figures import Colours, svg
from zoo_bench.report.show.methods import bibtex, methods
from zoo_bench.report.show.pareto import pareto
from zoo_bench.report.show.pictures import Pictures, real_sheets, sheets
from zoo_bench.report.show.reproduce import command, packages
from zoo_bench.report.show.tables import further_tables, leading_table, pairs
from zoo_bench.report.text import aligned, figure, plural, visible

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MAX_FAILURES_SHOWN = 100


def group(summary: Summary, results: Results, colours: Colours, pictures: Pictures) -> dict[str, Any]:
    """Return everything about one group of comparable runs."""
    key, runs = summary.group.key, summary.group.runs
    figures = {
        "Learning curves": (CURVES_CAPTION, CURVE_NAMES, lambda spent: plots.learning_curves(
            summary, results.curves, colours, spent)),
        "FID against speed and size": (PARETO_CAPTION, COST_NAMES, lambda cost: pareto(summary, colours, cost)),
        "Modes captured": (MODES_CAPTION, {"": ""}, lambda _: plots.modes(summary, colours)),
        "Shares of modes": (SHARES_CAPTION, {"": ""}, lambda _: plots.mode_shares(summary, results.modes, colours)),
    }  # fmt: skip
    seeds = summary.group.trained["seed"].nunique()
    ranks = {model.label: rank for rank, model in enumerate(summary.models)}
    ordered = runs.sort_values("_label", key=lambda c: c.map(ranks), kind="stable")
    return {
        "key": key,
        "facts": {**{name: key[k] for k, name in KEYS.items() if k != "task" and key[k]}, "seeds": str(seeds)},
        "verdict": summary.verdict(),
        "notes": [*summary.marks, *summary.notes, *_remarks(summary)],
        "table": leading_table(summary, colours),
        "further": further_tables(summary, colours),
        "several": any(estimate.n > 1 for model in summary.models for estimate in model.estimates.values()),
        "definitions": [metric for metric in summary.metrics if metric.description],
        "figures": [
            (title, variants, text)
            for title, (text, names, draw) in figures.items()
            if (variants := drawings(f"{key['task']}: {title}", {name: draw(of) for of, name in names.items()}))
        ],
        "pairs": pairs(summary),
        **sheets(ordered, pictures, real_sheets(summary)),
        "failures": failures(runs, results),
        "failed": int((runs["status"] != "ok").sum()),
        "command": command(summary.group),
        "packages": packages(summary.group),
        "methods": methods(summary, results.environments),
        "bibtex": bibtex(summary.group),
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
SHARES_CAPTION = "Grey bars are shares among real items of the test split, points those among all samples of a model."
MODES_CAPTION = "Bars are means over seeds, dots are single runs."
CURVE_NAMES = {"images": "images", "seconds": "seconds", "flops": "FLOPs"}
COST_NAMES = {"sample_images_per_s": "sampling", "train_images_per_s": "training", "params": "parameters"}


def drawings(title: str, figures: Mapping[str, Figure | None]) -> list[dict[str, str]]:
    """Return those variants of a figure that show something: the name of each, its SVG, and the name of its file."""
    variants = []
    for name, drawing in figures.items():
        if drawing is not None:
            label = visible(f"{title}, {name}" if name else title)
            variants.append({"name": name, "svg": svg(drawing, label), "file": f"{download_name(label)}.svg"})
    return variants


def download_name(title: str) -> str:
    """Return what a download is called: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:80]


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

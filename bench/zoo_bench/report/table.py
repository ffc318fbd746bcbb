"""Tables for the terminal: at the end of ``zoo bench``, and ``zoo report --format table``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from zoo_bench.report.results import groups
from zoo_bench.report.summary import Model, Summary, summarise
from zoo_bench.report.text import figure, plural, visible

if TYPE_CHECKING:
    import pandas as pd

    from zoo_bench.report.compare import Change

WIDE = 110
MARKS = {"best": "*", "tied": "≈", "": " "}


@dataclass(frozen=True)
class Field:
    """A column of the terminal's table.

    Attributes:
        column: Column of ``results.csv``.
        title: Header.
        text: Formats one number.
        interval: Whether the interval is printed.
    """

    column: str
    title: str
    text: Callable[[float], str] = figure
    interval: bool = False


FIELDS = (
    Field("fid", "FID", interval=True),
    Field("modes_captured", "modes"),
    Field("mode_kl", "KL", lambda value: f"{value:.3f}", interval=True),
    Field("high_quality", "HQ", lambda value: f"{100 * value:.1f}%", interval=True),
    Field("train_images_per_s", "train/s"),
    Field("sample_images_per_s", "sample/s"),
    Field("params", "params"),
)


def tables(frame: pd.DataFrame, width: int) -> Iterator[RenderableType]:
    """Yield, for every group of comparable runs, a title, a table and how to read it.

    Args:
        frame: One row per run, as in ``results.csv``.
        width: Columns of the terminal: a wide one has room for every interval, a narrow one for FID's.
    """
    yield from summary_tables([summarise(group) for group in groups(frame)], width)


def summary_tables(summaries: Sequence[Summary], width: int) -> Iterator[RenderableType]:
    """Yield the same as :func:`tables` for groups that are summarised already."""
    for summary in summaries:
        yield Text(title(summary), style="bold")
        yield _table(summary, width)
        yield Text(f"{visible(summary.verdict())}\n", style="")
        yield Text(" ".join(caption(summary)) + "\n", style="dim")


def title(summary: Summary) -> str:
    """Return what the group's runs have in common."""
    key, seeds = summary.group.key, summary.group.runs["seed"].nunique()
    text = f"{key['task']}: budget {key['budget']} per run, {plural(seeds, 'seed')}, judge {key['judge']}"
    return visible(f"{text}, {key['precision_mode']} on {key['device']}")


def caption(summary: Summary) -> list[str]:
    """Return sentences on how to read the group's table."""
    runs = summary.group.runs
    several = runs["seed"].nunique() > 1
    spread = ", with Student's 95 % intervals over seeds." if several else "; one seed says nothing about spread."
    parts = ["Geometric means of FID and speeds, else means" + spread]
    if any(summary.standings.values()):
        parts.append("* best; ≈ not separable from it (Welch's t, Holm-corrected, 5 %).")
    if (floor := summary.floor("fid")) is not None:
        parts.append(f"FID of real against real data: {figure(floor)}.")
    if runs["mode_kl"].notna().any():
        parts.append("KL: of mode shares, in nats.")
    if runs["high_quality"].notna().any():
        parts.append("HQ: share of samples within 3 std of a mode.")
    if runs["contended"].fillna(False).any():
        parts.append("Runs shared the machine, so speeds are lower bounds.")
    return parts + [visible(note) for note in summary.group.notes]


def _table(summary: Summary, width: int) -> Table:
    shown = [f for f in FIELDS if any(m.column == f.column for m in summary.metrics)]
    spread = [f for f in shown if f.interval and (f.column == "fid" or width >= WIDE)]
    if summary.group.runs["seed"].nunique() < 2:
        spread = []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("model", no_wrap=True)
    table.add_column("ok", justify="right", no_wrap=True)
    for field in shown:
        table.add_column(field.title, justify="right", no_wrap=True)
        if field in spread:
            table.add_column("95 %", style="dim", no_wrap=True)
    for model in summary.models:
        cells: list[Text] = []
        for field in shown:
            cells.append(_cell(summary, model, field, marked=field.column == "fid" or width >= WIDE))
            if field in spread:
                cells.append(_interval(model, field))
        style = "" if model.ok == model.runs else "red"
        table.add_row(Text(visible(model.label)), f"{model.ok}/{model.runs}", *cells, style=style)
    return table


def _cell(summary: Summary, model: Model, field: Field, marked: bool) -> Text:
    estimate = model.estimates[field.column]
    text = field.text(estimate.mean) if estimate.n else "-"
    if field.column == "modes_captured" and estimate.n:
        text += f"/{int(summary.group.runs['modes_total'].max())}"
    stands = summary.standings.get(field.column, {})
    standing = stands.get(model.label, "")
    return Text(text + (MARKS[standing] if marked and stands else ""), style="bold" if standing == "best" else "")


def _interval(model: Model, field: Field) -> Text:
    estimate = model.estimates[field.column]
    return Text(f"{field.text(estimate.low)} to {field.text(estimate.high)}" if estimate.n > 1 else "")


def change_tables(changes: Sequence[Change]) -> Iterator[RenderableType]:
    """Yield a title and a table for every pair of models that was compared."""
    for (key, pair), own in groupby(changes, key=lambda change: (change.key, change.pair)):
        yield Text(visible(f"{pair} on {key['task']}: budget {key['budget']}, judge {key['judge']}"), style="bold")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
        for name in ("metric", "A", "B", "B against A", "95 %", "p", "verdict"):
            right = name not in ("metric", "95 %", "verdict")
            table.add_column(name, justify="right" if right else "left", no_wrap=name in ("A", "B", "B against A", "p"))
        for change in own:
            p = "" if isnan(change.p) else "<0.001" if change.p < 0.001 else f"{change.p:.3f}"
            style = {"better": "green", "worse": "red"}.get(change.verdict, "")
            means = [figure(e.mean) for e in (change.a, change.b)]
            name = f"{change.metric.title} {change.metric.arrow}".strip()
            table.add_row(name, *means, *change.shown(), p, Text(change.verdict, style=style))
        yield table
    yield Text(
        "Percent: ratio of geometric means; else difference of means. Welch's t, intervals 95 %, p Holm-corrected over "
        "the pairs of a metric.",
        style="dim",
    )

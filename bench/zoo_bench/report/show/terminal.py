"""Tables for the terminal: at the end of ``zoo bench``, and ``zoo report --format table``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from zoo_bench.report.read.results import groups
from zoo_bench.report.read.summary import Model, Summary, summarise
from zoo_bench.report.text import figure, listed, plural, visible

if TYPE_CHECKING:
    import pandas as pd

    from zoo_bench.report.read.compare import Change

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
LEAVE_OUT = ("params", "mode_kl", "sample_images_per_s", "train_images_per_s")
"""What a narrow terminal has no room for, in this order."""

LABEL = 16  # columns that a model's name has at least; a longer one is folded where the terminal is narrow


def tables(frame: pd.DataFrame, width: int, controls: Sequence[dict[str, Any]] = ()) -> Iterator[RenderableType]:
    """Yield, for every group of comparable runs, a title, a table and how to read it.

    Args:
        frame: One row per run, as in ``results.csv``.
        width: Columns of the terminal: a wide one has room for every interval, a narrow one for FID's.
        controls: As in :class:`zoo_bench.report.read.results.Results`.
    """
    yield from summary_tables([summarise(group, controls) for group in groups(frame)], width)


def summary_tables(summaries: Sequence[Summary], width: int) -> Iterator[RenderableType]:
    """Yield the same as :func:`tables` for groups that are summarised already."""
    how = dict[str, None]()
    for summary in summaries:
        table, left_out = _fitting_table(summary, width)
        room = [f"No room here for {listed(left_out)}: see report.html."] if left_out else []
        yield Text(title(summary), style="bold")
        yield table
        yield Text(f"{visible(summary.verdict())}\n")
        if remarks := [*notes(summary), *room]:
            yield Text(" ".join(remarks) + "\n", style="dim")
        how.update(dict.fromkeys(caption(summary, left_out)))
    yield Text(" ".join(how) + "\n", style="dim")


def title(summary: Summary) -> str:
    """Return what the group's runs have in common."""
    key, seeds = summary.group.key, summary.group.runs["seed"].nunique()
    text = f"{key['task']}: budget {key['budget']} per run, {plural(seeds, 'seed')}, judge {key['judge']}"
    return visible(f"{text}, {key['precision_mode']} on {key['device']}")


def notes(summary: Summary) -> list[str]:
    """Return sentences on what is particular to the group's runs."""
    shared = summary.group.runs["contended"].fillna(False).any()
    own = ["Runs shared the machine, so speeds are lower bounds."] if shared else []
    return own + [visible(note) for note in summary.group.notes]


def caption(summary: Summary, left_out: Collection[str] = ()) -> list[str]:
    """Return sentences on how to read the group's table, from which columns of these titles were left out."""
    runs = summary.group.runs
    several = runs["seed"].nunique() > 1
    spread = ", with Student's 95 % intervals over seeds." if several else "; one seed says nothing about spread."
    parts = ["Geometric means of FID and speeds, else means" + spread]
    if any(summary.standings.values()):
        parts.append("* best; ≈ not separable from it (Welch's t, Holm-corrected, 5 %).")
    below = ["controls, sets of known quality under the same judge"] if summary.controls else []
    below += ["the floor, what real data scores against real data"] if "floor" in summary.references else []
    if below:
        parts.append(f"Below the models: {'; '.join(below)}.")
    if runs["mode_kl"].notna().any() and "KL" not in left_out:
        parts.append("KL: of mode shares, in nats.")
    if runs["high_quality"].notna().any():
        parts.append("HQ: share of samples within 3 std of a mode.")
    return parts


def _fitting_table(summary: Summary, width: int) -> tuple[Table, list[str]]:
    """Return the table with as many columns as there is room for, and the titles of those that were left out."""
    console = Console(width=10_000)
    longest = max((len(visible(m.label)) for m in summary.models), default=0)
    shown = [f for f in FIELDS if any(m.column == f.column for m in summary.metrics)]
    leave = [column for column in LEAVE_OUT if any(f.column == column for f in shown)]
    for n in range(len(leave) + 1):
        table = _table(summary, width, leave[:n])
        if table.__rich_measure__(console, console.options).maximum - max(0, longest - LABEL) <= width:
            break
    return table, [f.title for f in shown if f.column in leave[:n]]


def _table(summary: Summary, width: int, leave_out: Collection[str]) -> Table:
    shown = [
        f for f in FIELDS if f.column not in leave_out and any(m.column == f.column for m in summary.metrics)
    ]  # fmt: skip
    spread = [f for f in shown if f.interval and (f.column == "fid" or width >= WIDE)]
    if summary.group.runs["seed"].nunique() < 2:
        spread = []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("model", overflow="fold")
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
    table.add_section()
    for name, row in summary.references.items():
        cells = []
        for field in shown:
            text = _figure(summary, field, row[field.column]) if field.column in row else ""
            cells += [Text(text + " "), *([Text("")] if field in spread else [])]
        table.add_row(Text(visible(name)), "", *cells, style="dim")
    return table


def _cell(summary: Summary, model: Model, field: Field, marked: bool) -> Text:
    estimate = model.estimates[field.column]
    text = _figure(summary, field, estimate.mean) if estimate.n else "-"
    stands = summary.standings.get(field.column, {})
    standing = stands.get(model.label, "")
    return Text(text + (MARKS[standing] if marked and stands else ""), style="bold" if standing == "best" else "")


def _figure(summary: Summary, field: Field, value: float) -> str:
    total = summary.group.runs["modes_total"].max() if field.column == "modes_captured" else None
    return field.text(value) if total is None else f"{field.text(value)}/{int(total)}"


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
            needed = f"≈ needs {change.seeds_needed} seeds" if change.seeds_needed else ""
            table.add_row(name, *means, *change.shown(), p, Text(needed or change.verdict, style=style))
        yield table
    yield Text(
        "Percent: ratio of geometric means; else difference of means. Welch's t, intervals 95 %, p Holm-corrected over "
        "the pairs of a metric. ≈: not separable at 5 %; about so many seeds of each would be needed.",
        style="dim",
    )

"""Tables for the terminal: at the end of ``zoo bench``, and ``zoo report --format table``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from zoo.columns import Column
from zoo_bench.report.read.claims import MARKED_MEANING, Model, correction
from zoo_bench.report.read.groups import OUTSIDE, OUTSIDE_MEANING, groups
from zoo_bench.report.read.summary import Summary, summarise
from zoo_bench.report.text import listed, plural, shown_value, visible

if TYPE_CHECKING:
    import pandas as pd

WIDE_COLUMNS = 110
"""From this width of the terminal on there is room for every interval, not only for FID's."""

MIN_LABEL_COLUMNS = 16
"""Columns that the models' names have at least; a longer one is folded where the terminal is narrow."""

MARKS = {"best": "*", "tied": "≈", "": " "}


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
    captions = dict[str, None]()
    for summary in summaries:
        table, left_out = _fitting_table(summary, width)
        omissions = [f"No room here for {listed(left_out)}: see report.html."] if left_out else []
        yield Text(title(summary), style="bold")
        yield table
        yield Text(f"{visible(summary.verdict())}\n")
        if summary.marks:
            yield Text("\n".join(map(visible, summary.marks)) + "\n", style="yellow")
        if remarks := [*notes(summary), *omissions]:
            yield Text(" ".join(remarks) + "\n", style="dim")
        captions.update(dict.fromkeys(caption(summary, left_out)))
    yield Text(" ".join(captions) + "\n", style="dim")


def title(summary: Summary) -> str:
    """Return what the group's runs have in common."""
    key = summary.group.key
    if summary.group.trained.empty:
        return visible(f"{key['task']}: samples that were made elsewhere, judge {key['judge']}")
    seeds = summary.group.trained.groupby("_label")["seed"].nunique()
    count = plural(seeds.max(), "seed") if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()} seeds"
    text = f"{key['task']}: budget {key['budget']} per run, {count}, judge {key['judge']}"
    return visible(f"{text}, {key['precision_mode']} on {key['device']}")


def notes(summary: Summary) -> list[str]:
    """Return sentences on what is particular to the group's runs."""
    shared = summary.group.runs["contended"].fillna(False).any()
    remarks = ["Runs shared the machine, so speeds are lower bounds."] if shared else []
    return [visible(note) for note in summary.notes] + remarks


def caption(summary: Summary, left_out: Collection[str] = ()) -> list[str]:
    """Return sentences on how to read the group's table without the columns whose titles are in ``left_out``."""
    runs = summary.group.runs
    several = runs["seed"].nunique() > 1
    spread = ", with Student's 95 % intervals over seeds." if several else "; one seed says nothing about spread."
    parts = ["Geometric means of FID and speeds, else means" + spread]
    if any(summary.standings.values()):
        parts.append(f"* best; ≈ not separable from it (Welch's t, {correction(adaptive=summary.group.adaptive)}).")
    if any(model.marks for model in summary.models):
        parts.append(f"!: {MARKED_MEANING}")
    if any(model.outside for model in summary.models):
        parts.append(f"{OUTSIDE.strip()}: {OUTSIDE_MEANING}")
    few = ", in brackets the size of small ones" if summary.few else ""
    below = [f"controls, sets of known quality under the same judge{few}"] if summary.controls else []
    if "floor" in summary.references:
        has_spread = several and any(summary.floor_sd(metric) is not None for metric in summary.metrics)
        about = ", ± its standard deviation" if has_spread else ""
        below.append(f"the floor, what as many fresh real items score{about}")
    if below:
        parts.append(f"Below the models: {'; '.join(below)}.")
    if runs["mode_kl"].notna().any() and "KL" not in left_out:
        parts.append("KL: of mode shares, in nats.")
    if runs["high_quality"].notna().any():
        parts.append("HQ: share of samples within 3 std of a mode.")
    return parts


def _fitting_table(summary: Summary, width: int) -> tuple[Table, list[str]]:
    """Return the table with as many headline columns as there is room for, and the headings of those left out.

    Costs are left out before quality, and the last before the first.
    """
    console = Console(width=10_000)
    longest = max((len(visible(m.name)) for m in summary.models), default=0)
    shown = summary.headlines
    order = sorted(shown[:0:-1], key=lambda column: not column.cost)
    for n in range(len(order) + 1):
        left_out = order[:n]
        table = _table(summary, width, [column for column in shown if column not in left_out])
        if table.__rich_measure__(console, console.options).maximum - max(0, longest - MIN_LABEL_COLUMNS) <= width:
            break
    return table, [column.heading for column in shown if column in left_out]


def _table(summary: Summary, width: int, shown: Sequence[Column]) -> Table:
    wide = width >= WIDE_COLUMNS
    several = summary.group.runs["seed"].nunique() > 1
    spread = [c for c in shown if several and not (c.cost or c.integer) and (wide or c == summary.leading)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("model", overflow="fold")
    table.add_column("ok", justify="right", no_wrap=True)
    for column in shown:
        table.add_column(visible(column.heading), justify="right", no_wrap=True)
        if column in spread:
            table.add_column("95 %", style="dim", no_wrap=True)
    for model in summary.models:
        cells: list[Text] = []
        for column in shown:
            cells.append(_cell(summary, model, column, marked=wide or column == summary.leading))
            if column in spread:
                cells.append(_interval(model, column))
        style = "" if model.ok == model.runs else "red"
        table.add_row(Text(visible(model.name)), f"{model.ok}/{model.runs}", *cells, style=style)
    table.add_section()
    for name, row in summary.references.items():
        cells = []
        for column in shown:
            text = shown_value(column, row[column.name]) if column.name in row else ""
            sd = summary.floor_sd(column) if name == "floor" else None
            about = "" if sd is None else f"± {shown_value(column, sd)}"
            cells += [Text(text + " "), *([Text(about)] if column in spread else [])]
        table.add_row(Text(visible(name)), "", *cells, style="dim")
    return table


def _cell(summary: Summary, model: Model, column: Column, marked: bool) -> Text:
    estimate = model.estimates[column.name]
    text = shown_value(column, estimate.mean) if estimate.n else "-"
    standings = summary.standings.get(column.name, {})
    standing = standings.get(model.label, "")
    return Text(text + (MARKS[standing] if marked and standings else ""), style="bold" if standing == "best" else "")


def _interval(model: Model, column: Column) -> Text:
    estimate = model.estimates[column.name]
    ends = (shown_value(column, estimate.low), shown_value(column, estimate.high))
    return Text(" to ".join(ends) if estimate.n > 1 else "")

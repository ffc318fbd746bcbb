"""The table at the end of ``zoo bench``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from zoo_bench.stats import Estimate, t_interval

if TYPE_CHECKING:
    import pandas as pd


WIDE = 110


@dataclass(frozen=True)
class Field:
    """A column of the summary.

    Attributes:
        column: Column of ``results.csv``.
        title: Header.
        text: Formats one number.
        log: Whether its interval is taken on the log scale.
        interval: Whether the interval is printed.
    """

    column: str
    title: str
    text: Callable[[float], str]
    log: bool = False
    interval: bool = True


def _figure(value: float) -> str:
    """Three significant digits, thousands as k."""
    if math.isnan(value):
        return "-"
    if abs(value) >= 9995:
        return f"{value / 1000:.3g}k" if abs(value) < 999_500 else f"{value / 1e6:.3g}M"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _share(value: float) -> str:
    return f"{100 * value:.1f}%"


FIELDS = (
    Field("fid", "FID", _figure, log=True),
    Field("modes_captured", "modes", lambda value: f"{value:.3g}", interval=False),
    Field("mode_kl", "KL", lambda value: f"{value:.3f}"),
    Field("high_quality", "HQ", _share),
    Field("train_images_per_s", "train/s", _figure, log=True, interval=False),
    Field("sample_images_per_s", "sample/s", _figure, log=True, interval=False),
    Field("params", "params", _figure, interval=False),
)


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per task and model, best FID first: runs, failures and an :class:`Estimate` per field.

    Failed runs are counted, not averaged; models without a finished run come last.
    """
    import pandas as pd

    rows = []
    for (task, model), runs in frame.groupby(["task", "model"], sort=False):
        ok = runs[runs["status"] == "ok"]
        estimates = {f.column: t_interval(ok[f.column].dropna().tolist(), log=f.log) for f in FIELDS if f.column in ok}
        rows.append({"task": task, "model": model, "runs": len(runs), "ok": len(ok), **estimates})
    summary = pd.DataFrame(rows)
    order = [math.inf if math.isnan(fid.mean) else fid.mean for fid in summary["fid"]]
    return summary.assign(order=order).sort_values(["task", "order", "model"]).drop(columns="order")


def tables(frame: pd.DataFrame, width: int) -> Iterator[RenderableType]:
    """Yield, for every task, a title, a table and how to read it.

    Args:
        frame: One row per run, of one budget.
        width: Columns of the terminal: a wide one has room for every interval, a narrow one for FID's.
    """
    for task, runs in frame.groupby("task", sort=False):
        yield Text(_title(str(task), runs), style="bold")
        yield _table(runs, width)
        yield Text(_caption(runs) + "\n", style="dim")


def _table(runs: pd.DataFrame, width: int) -> Table:
    summary = summarise(runs)
    shown = [f for f in FIELDS if any(e.n for e in summary[f.column])]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("model", style="bold", no_wrap=True)
    table.add_column("ok", justify="right", no_wrap=True)
    for field in shown:
        table.add_column(field.title, justify="right", no_wrap=True)
        if _has_interval(field, runs, width):
            table.add_column("95 %", style="dim", no_wrap=True)
    for _, row in summary.iterrows():
        cells = [cell for f in shown for cell in _cells(row[f.column], f, runs, width)]
        style = "" if row["ok"] == row["runs"] else "red"
        table.add_row(str(row["model"]), f"{row['ok']}/{row['runs']}", *cells, style=style)
    return table


def _has_interval(field: Field, runs: pd.DataFrame, width: int) -> bool:
    return field.interval and runs["seed"].nunique() > 1 and (field.column == "fid" or width >= WIDE)


def _cells(estimate: Estimate, field: Field, runs: pd.DataFrame, width: int) -> list[str]:
    text = field.text(estimate.mean) if estimate.n else "-"
    if field.column == "modes_captured" and estimate.n:
        text += f"/{int(runs['modes_total'].max())}"
    if not _has_interval(field, runs, width):
        return [text]
    return [text, f"{field.text(estimate.low)} to {field.text(estimate.high)}" if estimate.n > 1 else ""]


def _title(task: str, runs: pd.DataFrame) -> str:
    budgets = ", ".join(runs["budget"].unique())
    seeds = runs["seed"].nunique()
    return f"{task}: budget {budgets} per run, {seeds} seeds, judge {', '.join(runs['judge'].unique())}"


def _caption(runs: pd.DataFrame) -> str:
    parts = [
        "Geometric means of FID and speeds, else means"
        + (
            ", with Student's 95 % intervals over seeds."
            if runs["seed"].nunique() > 1
            else "; one seed says nothing about spread."
        )
    ]
    if len(floor := runs["fid_floor"].dropna()):
        parts.append(f"FID of real against real data: {_figure(float(floor.mean()))}.")
    if runs["mode_kl"].notna().any():
        parts.append("KL: of mode shares, in nats.")
    if runs["high_quality"].notna().any():
        parts.append("HQ: share of samples within 3 std of a mode.")
    if runs["contended"].fillna(False).any():
        parts.append("Runs shared the machine, so speeds are lower bounds.")
    return " ".join(parts)

"""Speeds of models, measured one at a time: rows for any form of report, and the terminal's table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from zoo_bench.report.text import figure, visible

if TYPE_CHECKING:
    import pandas as pd

FIELDS = {
    "train_images_per_s": "train/s",
    "sample_images_per_s_64": "sample/s",
    "sample_images_per_s_256": "by 256",
    "sample_latency_p50_ms": "ms",
    "sample_latency_p99_ms": "p99",
    "train_flops_per_image": "FLOP",
    "peak_share": "peak",
}
"""Columns of the table, and their titles."""

CAPTION = (
    "Medians of pytest-benchmark. sample/s: in batches of 64, and of 256. ms: latency of one sample, and its 99th "
    "percentile. FLOP: of training, per image; peak: their rate as a share of that of matrix products there."
)


@dataclass(frozen=True)
class Speeds:
    """Speeds of the models of one task, measured together.

    Attributes:
        title: Task, threads and arithmetic.
        rows: One per model, the fastest in training first: its name and the text of each of :data:`FIELDS`.
    """

    title: str
    rows: list[list[str]]


def speeds(frame: pd.DataFrame) -> list[Speeds]:
    """Return what was measured, one element per task and machine.

    Args:
        frame: As :func:`zoo_bench.measure.throughput.load_throughput` returns it; with ``_folder`` if it
            is of several benches.
    """
    keys = ["task", "threads", "device", "precision_mode", *(["_folder"] if "_folder" in frame else [])]
    elements = []
    for (task, threads, device, precision, *_), models in frame.groupby(keys):
        where = f"CPU threads: {threads}" if device == "cpu" else str(device)
        ordered = models.sort_values("train_images_per_s", ascending=False)
        cells = [
            [f"{row[c]:.0%}" if c == "peak_share" else figure(row[c]) for c in FIELDS] for _, row in ordered.iterrows()
        ]
        rows = [[name, *texts] for name, texts in zip(ordered["model"], cells, strict=True)]
        elements.append(Speeds(f"{task}: speed alone on the machine, {where}, {precision}", rows))
    return elements


def speed_tables(frame: pd.DataFrame) -> Iterator[RenderableType]:
    """Yield, for every element of :func:`speeds`, a title and a table, and finally a caption."""
    elements = speeds(frame)
    for element in elements:
        yield Text(visible(element.title), style="bold")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
        table.add_column("model", no_wrap=True)
        for title in FIELDS.values():
            table.add_column(title, justify="right", no_wrap=True)
        for row in element.rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
        yield table
    if elements:
        yield Text(CAPTION + "\n", style="dim")

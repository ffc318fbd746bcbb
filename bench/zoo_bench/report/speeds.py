"""The table of speeds that were measured alone on the machine, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
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
    "sample_images_per_s_64": "sample/s (64)",
    "sample_images_per_s_256": "(256)",
    "sample_latency_p50_ms": "ms for one",
    "sample_latency_p99_ms": "p99",
    "train_flops_per_image": "FLOP/image",
    "peak_share": "of peak",
}


def speed_tables(frame: pd.DataFrame) -> Iterator[RenderableType]:
    """Yield, for every task, a title, a table and how to read it.

    Args:
        frame: As :func:`zoo_bench.throughput.alone.load` returns it.
    """
    for (task, threads, device, precision), own in frame.groupby(["task", "threads", "device", "precision_mode"]):
        where = f"CPU threads: {threads}" if device == "cpu" else str(device)
        yield Text(visible(f"{task}: speed alone on the machine, {where}, {precision}"), style="bold")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
        table.add_column("model", no_wrap=True)
        for title in FIELDS.values():
            table.add_column(title, justify="right", no_wrap=True)
        for _, row in own.sort_values("train_images_per_s", ascending=False).iterrows():
            cells = [f"{row[c]:.0%}" if c == "peak_share" else figure(row[c]) for c in FIELDS]
            table.add_row(visible(row["model"]), *cells)
        yield table
        yield Text(
            "Medians of pytest-benchmark. Sampling in batches of 64 and 256; latency of one sample, median and 99th "
            "percentile; share of the measured rate of matrix products that training reaches.\n",
            style="dim",
        )

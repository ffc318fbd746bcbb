"""Real items beside samples of every model, at one size."""

from __future__ import annotations

import io
import math
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from zoo.errors import ZooError
from zoo.files import read_regular
from zoo.registry import installed
from zoo_bench.data.loading import load_task
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show.figures import SCREEN, Plot, Style, drawn, name
from zoo_bench.report.show.pictures import is_png, real_sheets
from zoo_bench.score.sheets import corner, real_sheet
from zoo_bench.store.records import read_record

COLUMNS = 4
SIDE = 5
"""Images that are shown of a sheet, to the side."""


def samples(summary: Summary, style: Style = SCREEN) -> Figure | None:
    """Return the first images of every model's sheet, or its whole sheet of points, beside real ones.

    Of each model the run with the lowest seed that kept a sheet is shown. Real items are those that the bench's folder
    keeps, else those of the installed task, whose data must be there then.

    Returns:
        The figure, or None if no run kept a sheet.

    Raises:
        ZooError: If the task is needed, and not installed or without its data.
    """
    records = {model.label: found for model in summary.models if (found := _record_with_sheet(summary, model.label))}
    if not records:
        return None
    task, tasks = summary.group.key["task"], installed().tasks
    real = next(filter(None, map(_picture, real_sheets(summary))), b"") or real_sheet(load_task(tasks.get(task)))
    panels = {"real": real, **{label: _picture(_sheet(record)) for label, record in records.items()}}
    shape = read_record(next(iter(records.values()))).shape or tasks.get(task).spec.shape
    width = shape[-1] if len(shape) == 3 else 0
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    side = style.width / columns
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    with drawn(style):
        figure = Plot(figsize=(style.width, rows * (side + 1.4 * style.font / 72)), layout=layout)
        for axes in figure.subplots(rows, columns, squeeze=False).flat:
            axes.set_axis_off()
        for axes, (label, png) in zip(figure.axes, panels.items(), strict=False):
            picture = Image.open(io.BytesIO(png), formats=["PNG"])
            shown = corner(picture, width, SIDE) if width else picture
            axes.imshow(shown.convert("RGB"), interpolation="nearest")
            axes.set_title(name(label, int(style.characters / columns)), pad=style.font / 4)
    return figure


def _record_with_sheet(summary: Summary, label: str) -> Path | None:
    """Return the record of a model's lowest seed that has a readable sheet."""
    runs = summary.group.runs
    files = runs[(runs["_label"] == label) & (runs["_file"] != "")].sort_values("seed")["_file"]
    return next((path for path in map(Path, files) if _picture(_sheet(path))), None)


def _sheet(record: Path) -> Path:
    return record.with_suffix(".png")


def _picture(path: Path) -> bytes:
    try:
        content = read_regular(path)
    except (ZooError, OSError):
        return b""
    return content if is_png(content) else b""

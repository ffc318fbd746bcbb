"""Real items beside samples of every model, at one size."""

from __future__ import annotations

import io
import math
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from zoo.errors import ZooError
from zoo.files import read_regular
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show.figures import SCREEN, Plot, Style, drawn, name
from zoo_bench.report.show.sections import is_png
from zoo_bench.score.sheets import corner

COLUMNS = 4
SIDE = 5
"""Images that are shown of a sheet, to the side."""


def samples(summary: Summary, real: bytes, width: int, style: Style = SCREEN) -> Figure | None:
    """Return the first images of every model's sheet, or its whole sheet of points, beside real ones.

    Args:
        summary: The models; of each, the run with the lowest seed that kept a sheet is shown.
        real: The sheet of real items, a PNG.
        width: Width of an image in pixels; 0 for points.
        style: Size of the figure.

    Returns:
        The figure, or None if no run kept a sheet.
    """
    sheets = {model.label: found for model in summary.models if (found := _sheet(summary, model.label))}
    if not sheets:
        return None
    panels = {"real": real, **sheets}
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    side = style.width / columns
    with drawn(style):
        figure = Plot(figsize=(style.width, rows * (side + 1.4 * style.font / 72)), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
        for axes in figure.subplots(rows, columns, squeeze=False).flat:
            axes.set_axis_off()
        for axes, (label, png) in zip(figure.axes, panels.items(), strict=False):
            picture = Image.open(io.BytesIO(png), formats=["PNG"])
            shown = corner(picture, width, SIDE) if width else picture
            axes.imshow(shown.convert("RGB"), interpolation="nearest")
            axes.set_title(name(label, int(style.characters / columns)), pad=style.font / 4)
    return figure


def _sheet(summary: Summary, label: str) -> bytes:
    """Return the readable sheet of a model's lowest seed, or nothing."""
    runs = summary.group.runs
    for file in runs[(runs["_label"] == label) & (runs["_file"] != "")].sort_values("seed")["_file"]:
        try:
            content = read_regular(Path(file).with_suffix(".png"))
        except (ZooError, OSError):
            continue
        if is_png(content):
            return content
    return b""

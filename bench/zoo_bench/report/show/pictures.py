"""Sheets of samples as the report embeds them."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.files import is_regular, read_regular
from zoo_bench.core.names import real_sheet_path
from zoo_bench.report.read.summary import Summary

if TYPE_CHECKING:
    import pandas as pd

MAX_PICTURE_BYTES = 1_900_000
"""Size of all embedded pictures together, so that the page stays well under 8 MB."""

MAX_PICTURE_SIDE = 16_384
"""Pixels of a side of an embedded picture: a small file may unpack to one that fills a browser's memory."""

KINDS = {"samples": ".png", "progress": ".progress.png", "neighbours": ".neighbours.png"}
"""The sheets that a run keeps, and their suffixes."""


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


def real_sheets(summary: Summary) -> list[Path]:
    """Return where the folders of these runs keep the sheet of real items, if they do."""
    return [
        real_sheet_path(Path(folder), summary.group.key["task"]) for folder in summary.group.runs["_folder"].unique()
    ]


def sheets(runs: pd.DataFrame, pictures: Pictures, real: Sequence[Path] = ()) -> dict[str, list[dict[str, Any]]]:
    """Return the sheets of each suffix of :data:`KINDS` by seed, the first seeds first while there is room.

    The first of the ``real`` sheets that is there stands before the samples.
    """
    import pandas as pd

    strips: dict[str, list[dict[str, Any]]] = {name: [] for name in KINDS}
    stored = runs[runs["_file"] != ""] if "_file" in runs else runs.head(0)
    for seed, rows in stored.groupby("seed", dropna=False):
        for name, suffix in KINDS.items():
            items = [
                {"label": label, "source": source}
                for label, file in zip(rows["_label"], rows["_file"], strict=True)
                if (source := pictures.embed(Path(file).with_suffix(suffix)))
            ]
            if items and name == "samples" and (source := next(filter(None, map(pictures.embed, real)), "")):
                items.insert(0, {"label": "real", "source": source})
            if items:
                strips[name].append({"seed": "unknown" if pd.isna(seed) else str(seed), "items": items})
    return strips

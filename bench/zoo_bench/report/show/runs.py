"""The table of all runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from zoo.columns import Column
from zoo.files import is_regular
from zoo.registry import installed
from zoo_bench.report.read.results import Results
from zoo_bench.report.text import aligned, shortened

if TYPE_CHECKING:
    import pandas as pd

MAX_RUNS_SHOWN = 1000
RUN_COLUMNS = (
    "task",
    "model",
    "seed",
    "status",
    "fid",
    "modes_captured",
    "images",
    "train_seconds",
    "budget",
    "precision_mode",
    "device",
    "run_id",
)
"""What the table of all runs shows."""
RUN_NUMBERS = ("seed", "fid", "modes_captured", "images", "train_seconds")


def all_runs(results: Results, folder: Path | None) -> dict[str, Any]:
    """Return the first thousand runs, one row each, with links to their files from a page in ``folder``, if any."""
    shown = [column for column in RUN_COLUMNS if column in results.frame]
    frame = results.frame.head(MAX_RUNS_SHOWN)
    columns = [_cells(frame[column]) for column in shown]
    files = [_links(file, folder) for file in frame["_file"]] if "_file" in frame else []
    return {
        "heads": [_head(column) for column in shown],
        "rows": list(zip(*columns, strict=True)),
        "links": files if any(files) else [],
        "all": len(results.frame),
    }


def _head(name: str) -> dict[str, Any]:
    column = installed().columns.get(name) or Column(name, "", "")
    return {"title": name.replace("_", " "), "name": name, "number": name in RUN_NUMBERS, "better": column.better}


def _cells(column: pd.Series[Any]) -> list[dict[str, Any]]:
    """Return the cells of a column: the text, the value that it is sorted by, and whether that is a number."""
    number = column.name in RUN_NUMBERS
    write: Callable[[Any], str] = shortened
    if column.name == "run_id":
        write = _short
    elif number and column.name != "seed":
        write = aligned(column.dropna().astype(float))
    values = [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
    return [
        {"text": "" if v is None else write(v), "value": "" if v is None else str(v), "number": number} for v in values
    ]


def _short(run_id: str) -> str:
    return run_id[:8]


def _links(file: str, folder: Path | None) -> dict[str, str]:
    """Return addresses of a run's record and sheet, relative to the page's folder."""
    if folder is None or not file:
        return {}
    files = {"record": Path(file), "sheet": Path(file).with_suffix(".png")}
    return {name: _address(path, folder) for name, path in files.items() if is_regular(path)}


def _address(path: Path, folder: Path) -> str:
    return quote(Path(os.path.relpath(path, folder)).as_posix())

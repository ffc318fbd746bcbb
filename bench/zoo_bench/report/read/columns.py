"""Which columns a table of runs has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.columns import Column, is_column_name
from zoo.registry import installed

if TYPE_CHECKING:
    import pandas as pd


def columns_of(frame: pd.DataFrame) -> list[Column]:
    """Return the figures that any run has: quality in the order of the table's columns, then speeds, then sizes.

    Columns that identify a run, or only accompany another column, are not figures. Of a column that no installed plugin
    fills, only the name is known.
    """
    figures = [c for c in _columns(frame) if c.group not in ("run", "companion") and frame[c.name].notna().any()]
    return sorted(figures, key=lambda c: (c.cost, c.cost and c.group != "speed"))


def machine_dependent(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns that depend on the machine."""
    return [column.name for column in _columns(frame) if column.group == "speed"]


def _columns(frame: pd.DataFrame) -> Iterator[Column]:
    for name in filter(is_column_name, map(str, frame.columns)):
        yield installed().columns.get(name) or Column(name, "", "")

"""Tables of results, with typed columns: from records, and from the files that a bench wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.plan.columns import FIRST, LAST
from zoo_bench.plan.record import RunRecord, row

if TYPE_CHECKING:
    import pandas as pd

from zoo.files import write_atomically
from zoo_bench.store.records import stream
from zoo_bench.store.upgrades import upgraded_table


def to_frame(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Return one row per run, with the columns of ``results.csv``: known ones first, further metrics after them."""
    import pandas as pd

    rows = [row(record) for record in records]
    further = sorted({column for columns in {tuple(r) for r in rows} for column in columns} - {*FIRST, *LAST})
    # Column by column with their types: a frame of rows would turn counts beside missing ones into floats.
    columns = {c: pd.array([r.get(c) for r in rows], dtype=_type(c)) for c in (*FIRST, *further, *LAST)}
    return pd.DataFrame(columns)


def _type(column: str) -> Any:
    import pandas as pd

    if column == "started_at":
        return pd.DatetimeTZDtype("us", "UTC")
    if column == "contended":
        return "boolean"
    known = installed().columns.get(column)
    if known is None:
        return "Float64"
    return "Int64" if known.integer else "string" if known.group == "run" else "Float64"


def write_tables(root: Path) -> pd.DataFrame:
    """Derive ``results.csv`` and ``results.parquet`` in a bench's folder from all its records, and return the table."""
    frame = to_frame(record for _, record in stream(root, []))
    write_atomically(root / "results.csv", frame.to_csv(index=False).encode())
    write_atomically(root / "results.parquet", frame.to_parquet(index=False))
    return frame


def load_results(path: str | Path) -> pd.DataFrame:
    """Load a bench's results: a folder with runs, or a ``results.csv`` or ``results.parquet`` file.

    Returns:
        One row per run with typed columns; what does not apply is missing.

    Raises:
        ZooError: If there are no results at ``path``.
    """
    path = Path(path)
    if path.suffix in (".parquet", ".csv") and path.is_file():
        return _load_table(path)
    frame = to_frame(record for _, record in stream(path, []))
    if frame.empty:
        raise ZooError(f"no results in {str(path)!r}: name a folder that `zoo bench --out` wrote")
    return frame


def _load_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return _whole(pd.read_parquet(path))
        text = _whole(pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""]))
        text["error"] = text["error"].fillna("")
        return pd.DataFrame({c: text[c] if _type(c) == "string" else _parsed(text[c]) for c in text.columns})
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ZooError(f"{str(path)!r} is not a table that `zoo bench` wrote: {reason}") from error


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    frame = upgraded_table(frame)
    if absent := [column for column in FIRST if column not in frame]:
        raise ValueError(f"it has no column {absent[0]!r}")
    return frame


def _parsed(column: pd.Series[str]) -> pd.Series[Any]:
    import pandas as pd

    kind = _type(str(column.name))
    if column.name == "started_at":
        return pd.to_datetime(column, utc=True, format="ISO8601").astype(kind)
    if column.name == "contended":
        return column.map({"True": True, "False": False}).astype("boolean")
    if kind == "Float64":
        return column.map(float, na_action="ignore").astype(kind)  # pandas 2 reads some floats one digit off
    return pd.to_numeric(column).astype(kind)

"""Tables of results, with typed columns: from records, and from the files that a bench wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.record import RunRecord, row

if TYPE_CHECKING:
    import pandas as pd

from zoo.files import write_atomically
from zoo_bench.store.locks import FOLDER
from zoo_bench.store.records import Store, stream
from zoo_bench.store.upgrades import upgraded_table


def to_frame(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Return one row per run, with the columns of ``results.csv``: the leading ones first, then further metrics."""
    import pandas as pd

    rows = [row(record) for record in records]
    used = {column for columns in {tuple(r) for r in rows} for column in columns}
    further = sorted(used - {*LEADING_COLUMNS, *TRAILING_COLUMNS})
    # Column by column with their types: a frame of rows would turn a column of counts with missing ones into floats.
    names = (*LEADING_COLUMNS, *further, *TRAILING_COLUMNS)
    return pd.DataFrame({c: pd.array([r.get(c) for r in rows], dtype=_type(c)) for c in names})


def _type(column: str) -> Any:
    import pandas as pd

    if column == "started_at":
        return pd.DatetimeTZDtype("us", "UTC")
    if column == "contended":
        return "boolean"
    definition = installed().columns.get(column)
    if definition is None:
        return "Float64"
    return "Int64" if definition.integer else "string" if definition.group == "run" else "Float64"


def write_tables(store: Store) -> pd.DataFrame:
    """Derive ``results.csv`` and ``results.parquet`` in a bench's folder from all its records, and return the table."""
    with store.locks.hold(FOLDER):  # so that no other process writes them meanwhile from fewer runs
        frame = to_frame(store.records().values())
        write_atomically(store.root / "results.csv", frame.to_csv(index=False).encode())
        write_atomically(store.root / "results.parquet", frame.to_parquet(index=False))
    return frame


def latest_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row for every run: of several, which older layouts could have, the one that counts.

    That is, as in :func:`zoo_bench.store.records.latest`, the last of those that ended ok, or else of all.
    """
    if not frame["run_id"].duplicated().any():
        return frame
    order = frame.assign(_ok=frame["status"] == "ok").sort_values(["_ok", "started_at"], kind="stable")
    return frame.loc[sorted(order.drop_duplicates("run_id", keep="last").index)]


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
    frame = latest_rows(to_frame(record for _, record in stream(path, []))).reset_index(drop=True)
    if frame.empty:
        raise ZooError(f"no results in {str(path)!r}: name a folder that `zoo bench --out` wrote")
    return frame


def _load_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return _checked(pd.read_parquet(path))
        text = _checked(pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""]))
        text["error"] = text["error"].fillna("")
        return pd.DataFrame({c: text[c] if _type(c) == "string" else _parsed(text[c]) for c in text.columns})
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ZooError(f"{str(path)!r} is not a table that `zoo bench` wrote: {reason}") from error


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    frame = upgraded_table(frame)
    if absent := [column for column in LEADING_COLUMNS if column not in frame]:
        raise ValueError(f"it has no column {absent[0]!r}")
    return frame


def _parsed(column: pd.Series[str]) -> pd.Series[Any]:
    import pandas as pd

    dtype = _type(str(column.name))
    if column.name == "started_at":
        return pd.to_datetime(column, utc=True, format="ISO8601").astype(dtype)
    if column.name == "contended":
        return column.map({"True": True, "False": False}).astype("boolean")
    if dtype == "Float64":
        return column.map(float, na_action="ignore").astype(dtype)  # pandas 2 reads some floats one digit off
    return pd.to_numeric(column).astype(dtype)

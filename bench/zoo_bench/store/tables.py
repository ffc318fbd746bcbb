"""Tables of results, with typed columns: from records, and from the files that a bench wrote."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from zoo.errors import ZooError
from zoo.registry import installed
from zoo.text import visible
from zoo_bench.core.keyed import parse_json
from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.record import RunRecord, Status, row

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
        write_atomically(store.root / "results.csv", csv_text(frame).encode())
        write_atomically(store.root / "results.parquet", frame.to_parquet(index=False))
    return frame


FORMULA = r"'*[=+\-@\t\r\n]"
"""How a cell begins that a spreadsheet may take for a formula, and run; apostrophes before it count as well."""


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table as CSV in which no text is a formula: such a text has an apostrophe more before it.

    :func:`load_results` takes that away again, so that a table loads as it was.
    """

    def harmless(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and re.match(FORMULA, value) else value

    texts = frame.select_dtypes(["object", "string"])
    # Among minimal quotes Python puts none around a lone carriage return, which readers take for the end of a row.
    has_returns = any(isinstance(value, str) and "\r" in value for c in texts for value in texts[c])
    guarded = frame.assign(**{str(c): texts[c].map(harmless) for c in texts})
    return guarded.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC if has_returns else csv.QUOTE_MINIMAL)


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

    Files that are not records are left out, with a warning for each.

    Returns:
        One row per run with typed columns; what does not apply is missing.

    Raises:
        ZooError: If there are no results at ``path``, or its table is not one that a bench wrote.
    """
    path = Path(path)
    if path.suffix in (".parquet", ".csv") and path.is_file():
        return _load_table(path)
    problems: list[str] = []
    frame = latest_rows(to_frame(record for _, record in stream(path, problems))).reset_index(drop=True)
    if frame.empty and problems:
        raise ZooError(f"no run in {str(path)!r} can be read: {problems[0]}")
    if frame.empty:
        raise ZooError(f"no results in {str(path)!r}: name a folder that `zoo bench --out` wrote")
    for problem in problems:
        warnings.warn(problem, stacklevel=2)
    return frame


def _load_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            frame = upgraded_table(pd.read_parquet(path))
            frame = pd.DataFrame({c: _typed(frame[c]) for c in frame.columns})
        else:
            text = upgraded_table(pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""]))
            frame = pd.DataFrame({c: _parsed(text[c]) for c in text.columns})
            frame["error"] = frame["error"].fillna("")
        _check(frame)
        return frame
    except KeyError as error:
        reason = f"it has no column {error}"
    except (OSError, ValueError, TypeError, OverflowError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
    raise ZooError(visible(f"{str(path)!r} is not a table that `zoo bench` wrote: {reason}"))


def _check(frame: pd.DataFrame) -> None:
    """Raise ValueError for what no row that a bench wrote has, and no type says."""
    if absent := [column for column in LEADING_COLUMNS if column not in frame]:
        raise ValueError(f"it has no column {absent[0]!r}")
    trained = frame[frame["samples"].isna()] if "samples" in frame else frame
    for column, rows in {"run_id": frame, "model": frame, "task": frame, "started_at": frame, "seed": trained}.items():
        if rows[column].isna().any():
            raise ValueError(f"a row has no {column}")
    if unknown := set(frame["status"].dropna()) - set(get_args(Status)):
        raise ValueError(f"{min(unknown)!r} is no status")
    if frame["status"].isna().any() or frame["task"].str.contains("[:?]").any():
        raise ValueError("a row has no status, or the address of data in place of a task")
    for text in frame["config"].dropna().unique() if "config" in frame else ():
        if not isinstance(parse_json(text.encode()), dict):
            raise ValueError(f"{text!r} are no settings")


def _typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of a Parquet file with its type; text in place of numbers is read as in CSV."""
    import pandas as pd

    dtype = _type(str(column.name))
    if dtype != "string" and pd.api.types.is_string_dtype(column):
        return _parsed(column.astype("string"))
    typed = column.astype(dtype)
    if dtype == "Int64" and (typed != column).any():  # pandas cuts fractions off
        raise ValueError(f"{column.name} must be whole numbers below 2^63")
    return typed


def _parsed(column: pd.Series[str]) -> pd.Series[Any]:
    import pandas as pd

    dtype = _type(str(column.name))
    if dtype == "string":
        return column.str.replace(f"^'({FORMULA})", r"\1", regex=True)
    if column.name == "started_at":
        return pd.to_datetime(column, utc=True, format="ISO8601").astype(dtype)
    if column.name == "contended":
        return column.map({"True": True, "False": False}).astype("boolean")
    # Python's own numbers: pandas 2 reads some floats one digit off, and pandas 3 cuts off fractions of whole numbers.
    numbers = column.map(float if dtype == "Float64" else int, na_action="ignore")
    return pd.Series(pd.array(numbers.tolist(), dtype=dtype), index=column.index, name=column.name)

"""One JSON file per run, written whole or not at all; tables are derived from the files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import from_json

from zoo.errors import ZooError
from zoo_bench.plan.record import COLUMNS, LAST, SCHEMA_VERSION, Outcome, RunRecord, row
from zoo_bench.plan.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

INTEGERS = ("seed", "images", "steps", "updates", "flops", "threads", "params", "modes_captured", "modes_total",
            "schema_version")  # fmt: skip
TEXTS = ("run_id", "model", "plugin", "plugin_version", "task", "task_version", "status", "error", "budget",
         "precision_mode", "device", "zoo_version", *LAST)  # fmt: skip

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""By schema version: how a record of that version, as parsed JSON, becomes one of the next."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary name in the same folder, flush to disk, rename.

    Raises:
        ZooError: If that cannot be done; what was there is unchanged then.
    """
    try:
        _write(path, content)
    except OSError as error:
        raise ZooError(f"{str(path)!r} cannot be written: {error.strerror or error}") from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


class Store:
    """The folder of a bench: ``runs/<task>/<model>/seed=<n>-<hash8>.json`` with weights and sheet beside each.

    Args:
        root: The folder; created by :meth:`create` or on the first write.

    Raises:
        ZooError: If it is a file or cannot be written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if root.exists() and not root.is_dir():
            raise ZooError(f"output folder {str(root)!r} is a file: name another with --out")
        existing = root
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            raise ZooError(f"output folder {str(root)!r} is not writable: name another with --out")

    def create(self) -> None:
        """Make the folder if it is not there.

        Raises:
            ZooError: If that cannot be done.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise ZooError(f"output folder {str(self.root)!r} cannot be made: {reason}: name another") from error

    def path(self, spec: RunSpec) -> Path:
        """Where the record of a run is."""
        return self.root / "runs" / spec.task / spec.model / f"seed={spec.seed}-{spec.run_id[:8]}.json"

    def save(self, outcome: Outcome) -> Path:
        """Write a run's files, its record last: a record is there only if all is there."""
        path = self.path(outcome.record.spec)
        path.unlink(missing_ok=True)
        for stale in path.parent.glob(f"{path.stem}.*"):
            stale.unlink()
        for suffix, content in outcome.files.items():
            write_atomically(path.with_suffix(suffix), content)
        write_atomically(path, outcome.record.model_dump_json(indent=1).encode())
        return path

    def find(self, spec: RunSpec) -> RunRecord | None:
        """Return the stored record of a run, if there is one that can be read."""
        try:
            record = read_record(self.path(spec))
        except ZooError:
            return None
        return record if record.run_id == spec.run_id else None

    def scan(self) -> tuple[list[RunRecord], list[str]]:
        """Return all records, sorted by path, and one sentence per file that is none; such files are left alone."""
        problems: list[str] = []
        return [record for _, record in stream(self.root, problems)], problems

    def write_tables(self) -> pd.DataFrame:
        """Derive ``results.csv`` and ``results.parquet`` from all records, and return the table."""
        frame = to_frame(record for _, record in stream(self.root, []))
        write_atomically(self.root / "results.csv", frame.to_csv(index=False).encode())
        write_atomically(self.root / "results.parquet", frame.to_parquet(index=False))
        return frame


def stream(root: Path, problems: list[str]) -> Iterator[tuple[Path, RunRecord]]:
    """Yield the records of a bench's folder one at a time, sorted by path; nothing is written.

    Args:
        root: The folder.
        problems: Takes one sentence per file that is no record; such files are left alone.
    """
    for path in sorted(root.glob("runs/*/*/*.json")):
        try:
            yield path, read_record(path)
        except ZooError as error:
            problems.append(str(error))


def read_record(path: Path) -> RunRecord:
    """Read one record; one of an older layout is upgraded, and its file left as it is.

    Raises:
        ZooError: If the file is absent or is no record.
    """
    try:
        return RunRecord.model_validate(_upgraded(from_json(path.read_bytes())))
    except OSError as error:
        raise ZooError(f"run {str(path)!r} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise ZooError(f"{str(path)!r} is not a run record of this version: {where}: {first['msg']}") from error
    except ValueError as error:
        raise ZooError(f"{str(path)!r} is not a run record of this version: {error}") from error


def _upgraded(fields: Any) -> Any:
    """Bring the parsed JSON of a record to this layout, one version at a time."""
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if not isinstance(version, int):
        return fields
    if version > SCHEMA_VERSION:
        raise ValueError(f"it has schema {version}, this genzoo reads up to {SCHEMA_VERSION}: upgrade genzoo")
    while version < SCHEMA_VERSION and version in UPGRADES:
        version += 1
        fields = {**UPGRADES[version - 1](fields), "schema_version": version}
    return fields


def to_frame(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Return one row per run, with the columns of ``results.csv``: known ones first, further metrics after them."""
    import pandas as pd

    rows = [row(record) for record in records]
    further = sorted({column for columns in {tuple(r) for r in rows} for column in columns} - {*COLUMNS, *LAST})
    # Column by column with their types: a frame of rows would turn counts beside missing ones into floats.
    columns = {c: pd.array([r.get(c) for r in rows], dtype=_type(c)) for c in (*COLUMNS, *further, *LAST)}
    return pd.DataFrame(columns)


def _type(column: str) -> Any:
    import pandas as pd

    if column == "started_at":
        return pd.DatetimeTZDtype("us", "UTC")
    if column == "contended":
        return "boolean"
    return "Int64" if column in INTEGERS else "string" if column in TEXTS else "Float64"


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
    if absent := [column for column in COLUMNS if column not in frame]:
        raise ValueError(f"it has no column {absent[0]!r}")
    return frame


def _parsed(column: pd.Series[str]) -> pd.Series[Any]:
    import pandas as pd

    kind = _type(str(column.name))
    if column.name == "started_at":
        return pd.to_datetime(column, utc=True, format="ISO8601").astype(kind)
    if column.name == "contended":
        return column.map({"True": True, "False": False}).astype("boolean")
    return pd.to_numeric(column).astype(kind)

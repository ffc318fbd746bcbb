"""One JSON file per run, written whole or not at all; tables are derived from the files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from zoo.errors import ZooError
from zoo_bench.record import COLUMNS, Outcome, RunRecord, row
from zoo_bench.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

INTEGERS = ("seed", "images", "steps", "updates", "flops", "threads", "params", "modes_captured", "modes_total",
            "schema_version")  # fmt: skip
TEXTS = ("run_id", "model", "plugin", "plugin_version", "task", "task_version", "status", "error", "budget",
         "precision_mode", "device", "zoo_version", "judge")  # fmt: skip


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary name in the same folder, flush to disk, rename."""
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
        root: The folder; created on the first write.

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

    def path(self, spec: RunSpec) -> Path:
        """Where the record of a run is."""
        return self.root / "runs" / spec.task / spec.model / f"seed={spec.seed}-{spec.run_id[:8]}.json"

    def save(self, outcome: Outcome) -> Path:
        """Write a run's files, its record last: a record is there only if all is there."""
        path = self.path(outcome.record.spec)
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
        records, problems = [], []
        for path in sorted(self.root.glob("runs/*/*/*.json")):
            try:
                records.append(read_record(path))
            except ZooError as error:
                problems.append(str(error))
        return records, problems

    def write_tables(self) -> pd.DataFrame:
        """Derive ``results.csv`` and ``results.parquet`` from all records, and return the table."""
        frame = to_frame(self.scan()[0])
        write_atomically(self.root / "results.csv", frame.to_csv(index=False).encode())
        write_atomically(self.root / "results.parquet", frame.to_parquet(index=False))
        return frame


def read_record(path: Path) -> RunRecord:
    """Read one record.

    Raises:
        ZooError: If the file is absent or is no record.
    """
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ZooError(f"run {str(path)!r} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise ZooError(f"{str(path)!r} is not a run record of this version: {where}: {first['msg']}") from error


def to_frame(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Return one row per run, with the columns of :data:`zoo_bench.record.COLUMNS` and further metrics after them."""
    import pandas as pd

    frame = pd.DataFrame([row(record) for record in records])
    further = sorted(set(frame.columns) - set(COLUMNS) - {"judge"})
    return _typed(frame.reindex(columns=[*COLUMNS, *further, "judge"]))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True)
    frame["contended"] = frame["contended"].astype("boolean")
    numbers = [c for c in frame.columns if c not in (*INTEGERS, *TEXTS, "started_at", "contended")]
    types = {**dict.fromkeys(INTEGERS, "Int64"), **dict.fromkeys(TEXTS, "string"), **dict.fromkeys(numbers, "Float64")}
    return frame.astype(types)


def load_results(path: str | Path) -> pd.DataFrame:
    """Load a bench's results: a folder with runs, or a ``results.csv`` or ``results.parquet`` file.

    Returns:
        One row per run with typed columns; what does not apply is missing.

    Raises:
        ZooError: If there are no results at ``path``.
    """
    import pandas as pd

    path = Path(path)
    if path.suffix == ".parquet" and path.is_file():
        return pd.read_parquet(path)
    if path.suffix == ".csv" and path.is_file():
        return _typed(pd.read_csv(path))
    records = Store(path).scan()[0] if path.is_dir() else []
    if not records:
        raise ZooError(f"no results in {str(path)!r}: name a folder that `zoo bench --out` wrote")
    return to_frame(records)

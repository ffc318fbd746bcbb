"""One JSON file per run, written whole or not at all; tables are derived from the files."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC
from pathlib import Path

from pydantic import ValidationError

from zoo.columns import is_column_name
from zoo.errors import ZooError
from zoo.files import is_abandoned, read_regular, temporary_folder, write_atomically
from zoo.registry import installed
from zoo.text import visible
from zoo_bench.core.keyed import parse_json
from zoo_bench.core.names import file_name
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.locks import FOLDER, Locks
from zoo_bench.store.upgrades import WRONG_KEY, upgraded


class Store:
    """The folder of a bench: ``runs/<task>/<model>/seed=<n>-<hash8>.json``, with weights and sample sheet next to it.

    Several processes may write into it at once. A run's record is removed before its other files are replaced, and put
    back last, so a record whose start is the same before and after reading these files is theirs.

    Attributes:
        root: The folder; created by :meth:`create` or on the first write.
        locks: The locks of the folder.
        problems: One sentence per file that :meth:`records` found to be no record; such files are left alone.

    Args:
        root: The folder.

    Raises:
        ZooError: If it is a file or cannot be written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.locks = Locks(root / ".locks")
        self.problems: list[str] = []
        self._stamps: dict[Path, tuple[int, int, int]] = {}
        self._records: dict[Path, RunRecord] = {}
        self._paths: dict[str, Path] = {}
        self._is_read = False
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
        """Return the path of a run's record: where it is stored, or else where it will be.

        A record of an older layout may be stored under another name, because it had another key.
        """
        if spec.run_id in self._paths:
            return self._paths[spec.run_id]
        folder = self.root / "runs" / file_name(spec.task) / file_name(spec.model)
        name = "outside" if spec.seed is None else f"seed={spec.seed}"
        return folder / f"{name}-{spec.run_id[:8]}.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints of runs under way; it is there while it has any."""
        return self.root / "checkpoints"

    def remove_checkpoint(self, spec: RunSpec) -> None:
        """Remove a run's checkpoint, and what a killed process left of one."""
        for path in self.checkpoints.glob(f"*{checkpoint_path(self.checkpoints, spec).name}*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # others are there, or it was not there itself
            self.checkpoints.rmdir()

    def save(self, outcome: Outcome) -> Path:
        """Write a run's files in place of earlier ones, which stay until the new ones are whole on disk.

        Raises:
            ZooError: If that cannot be done; what was there is unchanged then.
        """
        path = self.path(outcome.record.spec)
        try:
            staged = temporary_folder(path.parent)
            try:
                for suffix, content in outcome.files.items():
                    write_atomically(staged / path.with_suffix(suffix).name, content)
                write_atomically(staged / path.name, _json(outcome.record))
                with self.locks.hold(FOLDER):
                    _put(staged, path)
                    self._keep(path, outcome.record, _stamp(path))
            finally:
                shutil.rmtree(staged, ignore_errors=True)
        except OSError as error:
            raise ZooError(f"{str(path)!r} cannot be written: {error.strerror or error}") from error
        if outcome.record.status in ("ok", "diverged"):
            self.remove_checkpoint(outcome.record.spec)
        return path

    def update(self, record: RunRecord) -> Path:
        """Write a run's record in place of an earlier one, and leave its other files as they are.

        If the run has been trained again since the record was read, that stays.
        """
        path = self.path(record.spec)
        with self.locks.hold(FOLDER):
            stored = None
            with suppress(ZooError):
                stored = read_record(path)
            if stored and stored.run_id == record.run_id and stored.started_at != record.started_at:
                record = stored
            else:
                write_atomically(path, _json(record))
            self._keep(path, record, _stamp(path))
        return path

    def tidy(self) -> None:
        """Remove what writers that are gone have left; a run that was whole on disk gets its place."""
        with self.locks.hold(FOLDER), suppress(OSError):
            for left in filter(is_abandoned, list(self.root.rglob(".*.tmp"))):
                if not left.is_dir():
                    left.unlink()
                    continue
                with suppress(ZooError):
                    for record in left.glob("*.json"):  # it was written last
                        path = left.parent / record.name
                        if not path.exists() or read_record(path).started_at < read_record(record).started_at:
                            _put(left, path, resumed=True)
                shutil.rmtree(left, ignore_errors=True)

    def find(self, spec: RunSpec) -> RunRecord | None:
        """Return the record of a run as :meth:`records` does, as it is stored now, if there is one that can be read."""
        if not self._is_read:
            self.records()
        with suppress(ZooError):
            self._read(self.path(spec))
        path = self._paths.get(spec.run_id)
        return self._records[path] if path else None

    def records(self) -> dict[Path, RunRecord]:
        """Return all records by path, without their histories, which are most of their size.

        Each file is read once, and again only when it has changed. A run that older layouts stored twice, once for
        each selection of metrics, is returned once, as :func:`latest` of them.
        """
        self._is_read, self.problems, self._paths = True, [], {}
        paths = sorted(self.root.glob("runs/*/*/*.json"))
        for gone in self._records.keys() - set(paths):
            del self._records[gone]
        for path in paths:
            try:
                self._read(path)
            except ZooError as error:
                if os.path.lexists(path):  # else it is being replaced
                    self.problems.append(str(error))
        return {path: self._records[path] for path in sorted(self._paths.values())}

    def _read(self, path: Path) -> None:
        """Read a record if it has changed since it was read.

        Raises:
            ZooError: If it cannot be read; it is forgotten then.
        """
        stamp = _stamp(path)
        if path in self._records and self._stamps[path] == stamp:
            self._keep(path, self._records[path], stamp)
            return
        if (known := self._records.pop(path, None)) and self._paths.get(known.run_id) == path:
            del self._paths[known.run_id]
        self._keep(path, read_record(path), stamp)

    def _keep(self, path: Path, record: RunRecord, stamp: tuple[int, int, int]) -> None:
        self._stamps[path] = stamp
        kept = self._records[path] = record.model_copy(update={"history": []}) if record.history else record
        other = self._paths.get(record.run_id, path)
        if other == path or latest([self._records[other], kept]) is kept:
            self._paths[record.run_id] = path


def checkpoint_path(folder: Path, spec: RunSpec) -> Path:
    """Return the path of a run's checkpoint in a folder of checkpoints."""
    return folder / f"{spec.run_id}.safetensors"


def _json(record: RunRecord) -> bytes:
    return record.model_dump_json(indent=1).encode()


def _put(staged: Path, path: Path, *, resumed: bool = False) -> None:
    """Move the files of a run from a folder to their places, its record last, instead of those that are there.

    Args:
        staged: The folder, which is removed.
        path: Place of the record.
        resumed: Whether an earlier call was cut off: where there is no record, what is there is new.
    """
    files = sorted(staged.iterdir(), key=lambda file: file.name == path.name)
    if path.exists() or not resumed:
        for old in set(path.parent.glob(f"{path.stem}.*")) - {path.with_name(file.name) for file in files}:
            old.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    for file in files:
        file.replace(path.with_name(file.name))
    staged.rmdir()


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino


def latest(records: Sequence[RunRecord]) -> RunRecord:
    """Return the record of one run that counts: the last of those that ended ok, or else of all."""
    return max(records, key=lambda record: (record.status == "ok", record.started_at))


def stream(root: Path, problems: list[str]) -> Iterator[tuple[Path, RunRecord]]:
    """Yield the records of a bench's folder one at a time, sorted by path; nothing is written.

    Args:
        root: The folder.
        problems: Receives one sentence per file that is not a record; such files are left alone.
    """
    for path in sorted(root.glob("runs/*/*/*.json")):
        try:
            yield path, read_record(path)
        except ZooError as error:
            problems.append(str(error))


def read_record(path: Path) -> RunRecord:
    """Read one record; one of an older layout is upgraded, and its file left as it is.

    It may be a stranger's: whatever is wrong with it is one sentence, and no other file is opened.

    Raises:
        ZooError: If the file is absent or is not a record.
    """
    content = read_regular(path)
    try:
        record = RunRecord.model_validate(upgraded(parse_json(content)))
        _check(record)
        return record
    except ValidationError as error:
        detail = error.errors()[0]
        reason = f"{'.'.join(map(str, detail['loc'])) or 'file'}: {detail['msg']}"
    except (ValueError, OverflowError, RecursionError) as error:
        reason = str(error)
    raise ZooError(visible(f"{str(path)!r} is not a run record of this version: {reason}"))


def _check(record: RunRecord) -> None:
    """Raise ValueError for what is true of every record that a run leaves, and no type says."""
    if record.run_id != record.spec.run_id:
        raise ValueError(WRONG_KEY)
    if record.spec.seed is None and not record.spec.outside:
        raise ValueError("it has no seed")
    record.started_at.astimezone(UTC)
    for column, value in {**record.metrics, **record.throughput}.items():
        if not is_column_name(column):
            raise ValueError(f"{column!r} is no name of a column")
        definition = installed().columns.get(column)
        if definition and definition.integer and not (math.isnan(value) or (value % 1 == 0 and abs(value) < 2**63)):
            raise ValueError(f"{column} must be a whole number below 2^63, and is {value}")

"""One JSON file per run, written whole or not at all; tables are derived from the files."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC
from pathlib import Path

from pydantic import ValidationError

from zoo.columns import is_column_name
from zoo.errors import ZooError
from zoo.files import read_regular, write_atomically
from zoo.registry import installed
from zoo.text import visible
from zoo_bench.core.keyed import parse_json
from zoo_bench.core.names import file_name
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.upgrades import WRONG_KEY, upgraded


class Store:
    """The folder of a bench: ``runs/<task>/<model>/seed=<n>-<hash8>.json``, with weights and sample sheet next to it.

    Attributes:
        root: The folder; created by :meth:`create` or on the first write.
        problems: One sentence per file that :meth:`records` found to be no record; such files are left alone.

    Args:
        root: The folder.

    Raises:
        ZooError: If it is a file or cannot be written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []
        self._stamps: dict[Path, tuple[int, int]] = {}
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

    def save(self, outcome: Outcome) -> Path:
        """Write a run's files, its record last: if there is a record, its other files are complete."""
        path = self.path(outcome.record.spec)
        path.unlink(missing_ok=True)
        for stale in path.parent.glob(f"{path.stem}.*"):
            stale.unlink()
        for suffix, content in outcome.files.items():
            write_atomically(path.with_suffix(suffix), content)
        self.update(outcome.record)
        if outcome.record.status in ("ok", "diverged"):
            self.remove_checkpoint(outcome.record.spec)
        return path

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

    def update(self, record: RunRecord) -> Path:
        """Write a run's record in place of an earlier one, and leave its other files as they are."""
        path = self.path(record.spec)
        write_atomically(path, record.model_dump_json(indent=1).encode())
        self._keep(path, record)
        return path

    def find(self, spec: RunSpec) -> RunRecord | None:
        """Return the stored record of a run as :meth:`records` does, if there is one that can be read."""
        if not self._is_read:
            self.records()
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
                if path in self._records and self._stamps[path] == _stamp(path):
                    self._keep(path, self._records[path])
                else:
                    self._keep(path, read_record(path))
            except ZooError as error:
                self._records.pop(path, None)
                self.problems.append(str(error))
        return {path: self._records[path] for path in sorted(self._paths.values())}

    def _keep(self, path: Path, record: RunRecord) -> None:
        self._stamps[path] = _stamp(path)
        kept = self._records[path] = record.model_copy(update={"history": []}) if record.history else record
        other = self._paths.get(record.run_id, path)
        if other == path or latest([self._records[other], kept]) is kept:
            self._paths[record.run_id] = path


def checkpoint_path(folder: Path, spec: RunSpec) -> Path:
    """Return the path of a run's checkpoint in a folder of checkpoints."""
    return folder / f"{spec.run_id}.safetensors"


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file does."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


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

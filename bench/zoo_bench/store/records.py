"""One JSON file per run, written whole or not at all; tables are derived from the files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import from_json

from zoo.errors import ZooError
from zoo.files import write_atomically
from zoo_bench.core.names import file_name
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.upgrades import upgraded


class Store:
    """The folder of a bench: ``runs/<task>/<model>/seed=<n>-<hash8>.json``, with weights and sample sheet next to it.

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
        """Return the path of a run's record."""
        folder = self.root / "runs" / file_name(spec.task) / file_name(spec.model)
        return folder / f"seed={spec.seed}-{spec.run_id[:8]}.json"

    def save(self, outcome: Outcome) -> Path:
        """Write a run's files, its record last: if there is a record, its other files are complete."""
        path = self.path(outcome.record.spec)
        path.unlink(missing_ok=True)
        for stale in path.parent.glob(f"{path.stem}.*"):
            stale.unlink()
        for suffix, content in outcome.files.items():
            write_atomically(path.with_suffix(suffix), content)
        write_atomically(path, outcome.record.model_dump_json(indent=1).encode())
        return path

    def find(self, spec: RunSpec) -> RunRecord | None:
        """Return the stored record of a run, if there is one that can be read.

        A record of an older layout may have been stored under another key, and so under another file name.
        """
        path = self.path(spec)
        for candidate in (path, *path.parent.glob(f"seed={spec.seed}-*.json")) if path.parent.is_dir() else ():
            try:
                record = read_record(candidate)
            except ZooError:
                continue
            if record.run_id == spec.run_id:
                return record
        return None

    def scan(self) -> tuple[list[RunRecord], list[str]]:
        """Return all records, sorted by path, and one sentence per file that is not a record; these are left alone."""
        problems: list[str] = []
        return [record for _, record in stream(self.root, problems)], problems


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

    Raises:
        ZooError: If the file is absent or is not a record.
    """
    try:
        return RunRecord.model_validate(upgraded(from_json(path.read_bytes())))
    except OSError as error:
        raise ZooError(f"run {str(path)!r} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        detail = error.errors()[0]
        location = ".".join(map(str, detail["loc"])) or "file"
        raise ZooError(f"{str(path)!r} is not a run record of this version: {location}: {detail['msg']}") from error
    except ValueError as error:
        raise ZooError(f"{str(path)!r} is not a run record of this version: {error}") from error

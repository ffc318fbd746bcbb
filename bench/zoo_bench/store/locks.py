"""Who works on what in a folder that several benches share.

Locks are the operating system's, on small files: they vanish with the process that holds them, however it ends, so
none is ever stale on one machine. Where a file system has no locks, nothing is locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from zoo_bench.core.owner import Owner, this_process

FOLDER = "folder"
"""Lock of whoever moves files of runs to their places, or reads all of them for a table; held for moments."""

CLOSING = "closing"
"""Lock of whoever scores controls, measures throughput and writes the report, which none is to do at once."""


class Locks:
    """The locks of a folder, and claims of runs, which are locks with a file that says who holds them.

    The files are there while they are needed: a lock's is removed while it is held, and filelock takes no lock on a
    file that is gone.

    Args:
        folder: Where their files are; it is made when the first is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, FileLock] = {}

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Wait for a lock and hold it; who has it already goes on."""
        if name in self._held:
            yield
            return
        self._take(name, timeout=-1)
        try:
            yield
        finally:
            self.drop(name)

    def claim(self, run_id: str) -> bool:
        """Return whether a run is claimed by this process now, and so by no other; that lasts until :meth:`drop`."""
        try:
            if run_id not in self._held:
                self._take(run_id, timeout=0)
        except Timeout:
            return False
        return True

    def sign(self, run_id: str) -> Owner | None:
        """Write who has claimed a run, and return who had signed before and has ended without dropping the claim."""
        before = self.owner(run_id)
        with suppress(OSError):
            self._owner_file(run_id).write_text(this_process().model_dump_json())
        return before

    def owner(self, run_id: str) -> Owner | None:
        """Return who signed the claim of a run; None if nobody has."""
        try:
            return Owner.model_validate_json(self._owner_file(run_id).read_bytes())
        except (OSError, ValidationError):
            return None

    def drop(self, name: str) -> None:
        """Give up a claim or a lock, if it is held, and remove its files."""
        if lock := self._held.pop(name, None):
            with suppress(OSError):
                self._owner_file(name).unlink(missing_ok=True)
                Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()

    def drop_all(self) -> None:
        """Give up all of them."""
        for name in list(self._held):
            self.drop(name)

    def _take(self, name: str, timeout: float) -> None:
        lock = FileLock(self._folder / f"{name[:16]}.lock")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=timeout)
        except Timeout:
            raise
        except (OSError, NotImplementedError):
            pass  # a file system without locks; where nothing can be written, the next write says it
        self._held[name] = lock

    def _owner_file(self, run_id: str) -> Path:
        return self._folder / f"{run_id[:16]}.json"

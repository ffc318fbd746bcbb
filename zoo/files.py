"""Files that are written whole or not at all, and read only if they are files."""

from __future__ import annotations

import os
import re
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from zoo.errors import ZooError

TEMPORARY = re.compile(r"\.(?P<host>.+)-(?P<pid>\d+)-\w+\.tmp")
"""Names of temporary files and folders: of which process on which host they are."""

DAY_SECONDS = 24 * 3600.0
CLOCK_SECONDS = 60.0
"""By how much the clock of a file system may differ from that of this host."""

MAX_JSON_BYTES = 16_000_000
"""Size of the largest JSON file of results that is read; a record has some 20 kB."""


def is_regular(path: Path) -> bool:
    """Return whether a path is a file itself: no link to one, folder, pipe or device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read_regular(path: Path, limit: int = MAX_JSON_BYTES) -> bytes:
    """Return the content of a file, which may be a stranger's: of nothing that is a link, a pipe or a device.

    Args:
        path: The file.
        limit: Bytes that it may have.

    Raises:
        ZooError: If there is no such file, it is none, is larger, or cannot be read.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a link" if stat.S_ISLNK(status.st_mode) else "no file"
            raise ZooError(f"{str(path)!r} cannot be read: it is {kind}, and only files are read")
        if status.st_size > limit:
            raise ZooError(f"{str(path)!r} cannot be read: it has {status.st_size:,} bytes, more than {limit:,}")
        return path.read_bytes()
    except OSError as error:
        raise ZooError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary name in the same folder, flush to disk, rename; a device or a pipe is written to.

    Raises:
        ZooError: If that cannot be done; what was there is unchanged then.
    """
    try:
        if path.exists() and not path.is_file():  # a device or a pipe, such as /dev/stdout, is written to, not replaced
            path.write_bytes(content)
            return
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise ZooError(f"{str(path)!r} cannot be written: {error.strerror or error}") from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file in the same folder, which gets this name when the block ends, or is removed if it fails.

    Raises:
        OSError: If that cannot be done; what was there is unchanged then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_prefix(), suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def temporary_folder(parent: Path) -> Path:
    """Make a folder with a temporary name, in which files can be written before they are moved to their places.

    Raises:
        OSError: If that cannot be done.
    """
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=parent, prefix=_prefix(), suffix=".tmp"))


def _prefix() -> str:
    return f".{socket.gethostname()}-{os.getpid()}-"


def is_abandoned(path: Path) -> bool:
    """Return whether a path is a temporary file or folder whose process is gone, or that is older than a day.

    Of processes on other hosts only the age is known.
    """
    name = TEMPORARY.fullmatch(path.name)
    if name is None:
        return False
    import psutil

    with suppress(OSError):
        written = path.lstat().st_mtime
        if time.time() - written > DAY_SECONDS:
            return True
        if name["host"] == socket.gethostname():
            with suppress(psutil.AccessDenied):
                try:
                    return psutil.Process(int(name["pid"])).create_time() > written + CLOCK_SECONDS
                except psutil.NoSuchProcess:
                    return True
    return False

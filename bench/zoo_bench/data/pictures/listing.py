"""The files of a folder, with a key that changes when they do."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from zoo.errors import DataError
from zoo_bench.data.pictures.images import SUFFIXES


@dataclass
class Listing:
    """The pictures of a source, listed before any is read.

    Attributes:
        names: Path of each file relative to the folder, sorted.
        key: Hash of names, sizes, modification times.
        unusable: The reason by file or folder name.
    """

    names: list[str]
    key: str
    unusable: dict[str, str] = field(default_factory=dict)


def scan(folder: Path, suffixes: str | tuple[str, ...] = SUFFIXES) -> Listing:
    """List the files below a folder by suffix: links are followed, no folder is entered twice, hidden ones are skipped.

    Raises:
        DataError: If there is no such folder, or it cannot be listed.
    """
    if not folder.is_dir():
        raise DataError(
            f"{str(folder)!r} is {'not a folder' if folder.exists() else 'absent'}: name a folder of images"
        )
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise DataError(f"folder {printable(str(folder))} cannot be read: {error.strerror}") from error
    facts: list[tuple[str, int, int]] = []
    unusable: dict[str, str] = {}
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            status = current.stat()
            if (identity := (status.st_dev, status.st_ino)) in seen:
                continue
            seen.add(identity)
            entries = sorted(os.scandir(current), key=lambda e: e.name)
        except OSError as error:
            unusable[os.path.relpath(current, folder)] = error.strerror or type(error).__name__
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = os.path.relpath(entry.path, folder)
            try:
                if entry.is_dir():
                    waiting.append(Path(entry.path))
                elif entry.name.lower().endswith(suffixes):
                    status = entry.stat()
                    facts.append((name, status.st_size, status.st_mtime_ns))
            except OSError as error:
                unusable[name] = error.strerror or type(error).__name__
    facts.sort()
    text = json.dumps([os.path.realpath(folder), facts, sorted(unusable.items())])
    return Listing([name for name, _, _ in facts], hashlib.sha256(text.encode()).hexdigest(), unusable)


def printable(name: str) -> str:
    """Return a file name that fits on one line, with newlines and undecodable bytes escaped."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n")

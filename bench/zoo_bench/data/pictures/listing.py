"""The files of a folder, with a key that changes when they do."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from zoo.errors import DataError
from zoo_bench.data.pictures.images import suffixes as readable_suffixes


@dataclass
class Listing:
    """The pictures of a source, listed before any is read.

    Attributes:
        names: Path of each file relative to the folder, sorted.
        key: Hash of names, sizes, modification times.
        unusable: The reason by file or folder name.
        others: Number of the other files by suffix, in lower case; "" for those without.
    """

    names: list[str]
    key: str
    unusable: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)

    def passed_over(self) -> str:
        """Return how many other files there are, as in "2 .heic, 1 without suffix"."""
        return ", ".join(f"{n:,} {printable(suffix) or 'without suffix'}" for suffix, n in self.others.most_common())


def scan(folder: Path, suffixes: str | tuple[str, ...] | None = None) -> Listing:
    """List the files below a folder by suffix: links are followed, no folder is entered twice, hidden ones are skipped.

    Args:
        folder: Where they are.
        suffixes: Of the files to list, in lower case; None: those of pictures.

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
    suffixes = readable_suffixes() if suffixes is None else suffixes
    facts: list[tuple[str, int, int]] = []
    others: Counter[str] = Counter()
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
                else:
                    others[Path(entry.name).suffix.lower()] += 1
            except OSError as error:
                unusable[name] = error.strerror or type(error).__name__
    facts.sort()
    text = json.dumps([os.path.realpath(folder), facts, sorted(unusable.items())])
    return Listing([name for name, _, _ in facts], hashlib.sha256(text.encode()).hexdigest(), unusable, others)


def printable(name: str) -> str:
    """Return a file name that fits on one line, with newlines and undecodable bytes escaped."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n")

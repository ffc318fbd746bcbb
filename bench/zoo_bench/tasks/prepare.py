"""A folder of images, prepared once into a memory-mapped cache that is keyed by its content.

``<cache>/folders/<content hash>/`` holds ``images.npy`` (N, C, H, W) uint8 sorted by the hash of their pixels,
``labels.npy`` (N,) int64 and ``about.json``; ``<cache>/folders/index/`` remembers which content a listing of names,
sizes and modification times had, so that an unchanged folder is not read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from zoo.data import cache_root
from zoo.errors import DataError
from zoo_bench.tasks.images import UnusableError, read_image
from zoo_bench.tasks.listing import Listing, printable, scan

VERSION = 1
MINIMUM = 100
SHOWN = 10
CHUNK = 1024
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """How images are made equal: a side in pixels, and whether they lose their colour."""

    size: int = 32
    grey: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """One image, (C, H, W)."""
        return (1 if self.grey else 3, self.size, self.size)

    def __str__(self) -> str:
        return f"{self.size}-grey" if self.grey else str(self.size)


@dataclass(frozen=True)
class Prepared:
    """Prepared images.

    Attributes:
        content: Hash of pixels and labels, 12 hexadecimal digits.
        images: (N, C, H, W) uint8, memory-mapped, sorted by the hash of their pixels.
        labels: Index of each image's class, (N,) int64, or None.
        about: ``classes``, ``ends`` of the training and the validation split, ``duplicates``, and ``unusable``, the
            reason by file name.
    """

    content: str
    images: Pixels
    labels: npt.NDArray[np.int64] | None
    about: dict[str, Any]


def prepare(folder: Path, recipe: Recipe) -> Prepared:
    """Return a folder's images, from the cache if nothing has changed since they were put there.

    Raises:
        DataError: If the folder cannot be read, changes meanwhile, or has fewer than 100 different usable images; or if
            the cache cannot be written. Nothing is left half-written.
    """
    listing = scan(folder)
    index = _cache() / "index" / f"{listing.key}-{recipe}-{VERSION}"
    with contextlib.suppress(OSError):
        found = open_prepared(index.read_text())
        if found:
            return found
    start = time.perf_counter()
    with _disk_errors(folder), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        _cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_cache(), prefix=".preparing-") as temporary:
            content = _prepare(folder, recipe, listing, Path(temporary))
            index.parent.mkdir(exist_ok=True)
            (Path(temporary) / "index").write_text(content)
            os.replace(Path(temporary) / "index", index)
    prepared = open_prepared(content)
    if prepared is None:
        raise DataError(f"prepared images of {str(folder)!r} cannot be read back from {str(_cache())!r}")
    for sentence in report(prepared):
        print(sentence, file=sys.stderr)
    print(f"prepared {str(folder)!r} in {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return prepared


def open_prepared(content: str) -> Prepared | None:
    """Return prepared images by their content hash, or None if the cache does not have them whole."""
    path = _cache() / content
    try:
        about = json.loads((path / "about.json").read_bytes())
        images = np.load(path / "images.npy", mmap_mode="c")
        labels = np.load(path / "labels.npy") if about["classes"] else None
    except (OSError, ValueError, KeyError):
        return None
    return Prepared(content, images, labels, about)


def report(prepared: Prepared) -> Iterator[str]:
    """Say what was found: counts, duplicates, and which files were left out and why."""
    about = prepared.about
    train, validation = about["ends"]
    total = len(prepared.images)
    yield (
        f"{total:,} images, {train:,} for training, {validation - train:,} for validation, {total - validation:,} for "
        f"the test; {about['duplicates']:,} duplicates and {len(about['unusable']):,} unusable files left out"
    )
    for name, reason in itertools.islice(about["unusable"].items(), SHOWN):
        yield f"left out: {printable(name)}: {reason}"
    if len(about["unusable"]) > SHOWN:
        where = str(_cache() / prepared.content / "about.json")
        yield f"left out: {len(about['unusable']) - SHOWN:,} more, all in {where!r}"


def _prepare(folder: Path, recipe: Recipe, listing: Listing, temporary: Path) -> str:
    """Read every file, put the prepared folder into the cache, and return its content hash."""
    if not listing.names:
        raise DataError(f"folder {str(folder)!r} has no PNG, JPEG, WebP, TIFF or GIF files")
    unusable = dict(listing.unusable)
    rows: dict[bytes, tuple[int, str]] = {}
    used = 0
    with (temporary / "rows").open("wb") as file:
        for name, result in _read_all(folder, recipe, listing.names):
            if isinstance(result, str):
                unusable[name] = result
                continue
            rows.setdefault(hashlib.sha256(result.tobytes()).digest(), (used, name))
            file.write(result.tobytes())
            used += 1
    if scan(folder).key != listing.key:
        raise DataError(f"folder {str(folder)!r} changed while it was read: try again when nothing writes to it")
    if len(rows) < MINIMUM:
        first = "".join(f"; {printable(name)}: {reason}" for name, reason in itertools.islice(unusable.items(), 3))
        raise DataError(
            f"folder {str(folder)!r} has {len(rows):,} different usable images among {len(listing.names):,} files, "
            f"but at least {MINIMUM} are needed{first}"
        )
    digests = sorted(rows)
    classes = _classes([rows[digest][1] for digest in digests])
    labels = [classes.index(_top(rows[digest][1])) for digest in digests] if classes else []
    content = hashlib.sha256(json.dumps([VERSION, recipe.shape, classes, labels]).encode() + b"".join(digests))
    about = {"classes": classes, "ends": _ends(digests), "duplicates": used - len(rows), "unusable": unusable}
    made = temporary / "made"
    made.mkdir()
    stored: Pixels = np.memmap(temporary / "rows", np.uint8, "r", shape=(used, *recipe.shape))
    with (made / "images.npy").open("wb") as file:
        _write_rows(file, stored, [rows[digest][0] for digest in digests])
    np.save(made / "labels.npy", np.array(labels, np.int64))
    (made / "about.json").write_text(json.dumps(about))
    return _put(made, content.hexdigest()[:12])


def _put(made: Path, content: str) -> str:
    """Move a finished folder to its place in the cache; of one that is there already only what it says is renewed."""
    place = _cache() / content
    if open_prepared(content):
        os.replace(made / "about.json", place / "about.json")
    else:
        shutil.rmtree(place, ignore_errors=True)
        try:
            made.rename(place)
        except OSError:
            if open_prepared(content) is None:
                raise
    return content


def _read_all(folder: Path, recipe: Recipe, names: list[str]) -> Iterator[tuple[str, Pixels | str]]:
    """Yield each name with its pixels or the reason why there are none, in order; threads decode beside each other."""

    def read(name: str) -> Pixels | str:
        try:
            return read_image(folder / name, recipe.size, recipe.grey)
        except UnusableError as error:
            return str(error)

    last = time.monotonic()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(names), CHUNK):
            chunk = names[start : start + CHUNK]
            yield from zip(chunk, pool.map(read, chunk), strict=True)
            if time.monotonic() - last > 5:
                last = time.monotonic()
                print(f"prepared {start + len(chunk):,} of {len(names):,} files", file=sys.stderr)


def _write_rows(file: BinaryIO, stored: Pixels, order: list[int]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(order), *stored.shape[1:])}
    np.lib.format.write_array_header_1_0(file, header)
    for start in range(0, len(order), CHUNK):
        file.write(stored[order[start : start + CHUNK]].tobytes())
    file.flush()
    os.fsync(file.fileno())


def _ends(digests: list[bytes]) -> tuple[int, int]:
    """Return where the training and the validation split end: 70 % and 80 % of all possible hashes.

    An image's split depends on its own pixels alone, so that adding a file moves no other.
    """
    shares = [int.from_bytes(digest[:8], "big") / 2**64 for digest in digests]
    train, validation = (int(np.searchsorted(shares, share)) for share in (0.7, 0.8))
    return train, validation


def _classes(names: list[str]) -> list[str]:
    """Return the sub-folders as class names if every image is in one and there are several."""
    classes = sorted({_top(name) for name in names})
    return classes if len(classes) > 1 and "" not in classes else []


def _top(name: str) -> str:
    top, separator, _ = name.partition(os.sep)
    return top if separator else ""


def _cache() -> Path:
    return cache_root() / "folders"


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"images of {str(folder)!r} cannot be prepared in {str(_cache())!r} ({error.strerror}): "
            f"make room there, or set ZOO_CACHE to another folder"
        ) from error

"""Pictures brought to one size, sorted into splits and cached; read again only if their listing has changed."""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import itertools
import json
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from zoo.data import prepared_root
from zoo.errors import DataError
from zoo.machine import cores
from zoo_bench.data.pictures import cache
from zoo_bench.data.pictures.cache import Prepared
from zoo_bench.data.pictures.images import Pixels, Recipe, UnusableError, read_image
from zoo_bench.data.pictures.listing import Listing, printable
from zoo_bench.data.pictures.near import near_duplicates
from zoo_bench.data.pictures.tree import split_groups

PREPARATION_VERSION = 3
"""Part of the keys and content hashes of the cache."""
MIN_DISTINCT_PICTURES = 100
MAX_HELD_OUT_IMAGES = 10_000
"""How many images of the validation and of the test split are used."""
PICTURES_PER_CHUNK = 1024
SECONDS_BETWEEN_REPORTS = 5
SPLIT_ENDS = (0.7, 0.8)
"""Where training and validation end, as shares of all pictures; the test follows."""
SPLIT_ENDS_WITHOUT_TEST = (0.875,)
"""Where training ends if the test split is published; validation follows."""


@dataclass(frozen=True)
class Contents:
    """Pictures that can be read one by one.

    Attributes:
        names: Name of each picture in messages.
        load: Maps an index to the picture's file or its content; raises :class:`UnusableError`.
        kinds: Class of each picture, if they have classes; "" for a picture without.
        parts: Published split of each picture: 0, 1, 2 for training, validation, test; None where the hash of its
            pixels decides between training and validation. Without it the hash decides between all three.
        complete: Whether every picture must be usable, as in a published set.
        groups: Group of each picture, whose pictures stay in one split; only without ``parts``.
    """

    names: Sequence[str]
    load: Callable[[int], Path | bytes]
    kinds: Sequence[Any] | None = None
    parts: Sequence[int | None] | None = None
    complete: bool = False
    groups: Sequence[str] | None = None


class Pictures(Protocol):
    """A source of pictures.

    Attributes:
        title: What it is, for messages: "folder 'pictures/cats'".
    """

    title: str

    def scan(self) -> Listing:
        """List the pictures without reading them; the key changes when they do. Raises :class:`zoo.DataError`."""
        ...

    def contents(self, listing: Listing, temporary: Path) -> Contents:
        """Open the listed pictures; ``temporary`` is a folder that exists until they are read.

        Raises:
            DataError: If they cannot be opened.
        """
        ...


class Row(NamedTuple):
    """A usable picture, in the order in which rows are sorted.

    Attributes:
        split: 0, 1, 2 for training, validation, test.
        digest: SHA-256 of its pixels.
        row: Index of its pixels among those that were read.
        picture: Its index among all pictures.
    """

    split: int
    digest: bytes
    row: int
    picture: int


def prepare(pictures: Pictures, recipe: Recipe) -> Prepared:
    """Return pictures brought to one size, from the cache if nothing has changed since they were put there.

    Raises:
        DataError: If they cannot be read, change while they are read, or fewer than 100 are different and usable; or if
            the cache cannot be written. Nothing is left half-written.
    """
    listing = pictures.scan()
    key = f"{listing.key}-{recipe}-{PREPARATION_VERSION}"
    if cached := cache.find(key):
        return cached
    start = time.perf_counter()
    with _disk_errors(pictures), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        root = prepared_root()
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".preparing-", ignore_cleanup_errors=True) as temporary:
            folder, content = _make(pictures, recipe, listing, Path(temporary))
            cache.put(folder, content, key)
    prepared = cache.open_prepared(content)
    if prepared is None:
        raise DataError(f"prepared images of {pictures.title} cannot be read back from {str(prepared_root())!r}")
    for sentence in prepared.report():
        print(sentence, file=sys.stderr)
    print(f"prepared {pictures.title} in {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return prepared


def _make(pictures: Pictures, recipe: Recipe, listing: Listing, temporary: Path) -> tuple[Path, str]:
    """Read every picture and return a folder for the cache and its content hash."""
    contents = pictures.contents(listing, temporary)
    names, kinds, parts = contents.names, contents.kinds, contents.parts
    unusable = dict(listing.unusable)
    faults: dict[str, list[str]] = {}
    brightest = 0
    rows: list[Row] = []
    with (temporary / "rows").open("wb") as file:
        for index, (result, said) in enumerate(_read_all(contents, recipe)):
            if isinstance(result, str) and contents.complete:
                raise DataError(f"{pictures.title} is damaged ({printable(names[index])}: {result}): replace the file")
            if isinstance(result, str):
                unusable[names[index]] = result
                continue
            for fault in said:
                faults.setdefault(fault, []).append(names[index])
            brightest = max(brightest, int(result.max()))
            pixels = result.tobytes()
            digest = hashlib.sha256(pixels).digest()
            rows.append(Row(_part(digest, parts, index), digest, len(rows), index))
            file.write(pixels)
    if pictures.scan().key != listing.key:
        raise DataError(f"{pictures.title} changed while it was read: try again when nothing writes to it")
    usable, distinct = len(rows), {row.digest: row for row in reversed(rows)}
    if len(distinct) < MIN_DISTINCT_PICTURES:
        reasons = "".join(f"; {printable(name)}: {reason}" for name, reason in itertools.islice(unusable.items(), 3))
        raise DataError(
            f"{pictures.title} has {len(distinct):,} different usable images among {len(names):,}, "
            f"but at least {MIN_DISTINCT_PICTURES} are needed{reasons}"
        )
    sorted_rows = sorted(rows if parts else _grouped(pictures, list(distinct.values()), contents.groups))
    classes = _classes([kinds[row.picture] for row in sorted_rows]) if kinds else []
    numbers = {kind: number for number, kind in enumerate(classes)}
    labels = [numbers[kinds[row.picture]] for row in sorted_rows] if kinds and classes else []
    ends = tuple(sum(row.split <= split for row in sorted_rows) for split in (0, 1))
    classes = list(map(str, classes))
    content = hashlib.sha256(json.dumps([PREPARATION_VERSION, recipe.shape, ends, classes, labels]).encode())
    content.update(b"".join(row.digest for row in sorted_rows))
    folder = temporary / "made"
    folder.mkdir()
    stored: Pixels = np.memmap(temporary / "rows", np.uint8, "r", shape=(usable, *recipe.shape))
    with (folder / "images.npy").open("wb") as file:
        _write_rows(file, stored, [row.row for row in sorted_rows])
    np.save(folder / "labels.npy", np.array(labels, np.int64))
    images = np.load(folder / "images.npy", mmap_mode="r")
    held_out = [i for start, end in (ends, (ends[1], len(images))) for i in range(start, end)[:MAX_HELD_OUT_IMAGES]]
    about = {
        "classes": classes,
        "ends": ends,
        "duplicates": 0 if parts else usable - len(distinct),
        "unusable": unusable,
        "passed_over": listing.passed_over(),
        "faults": faults,
        "brightest": brightest,
        "groups": len(set(contents.groups or ())),
        "near_duplicates": near_duplicates(images, ends[0], held_out),
    }
    (folder / "about.json").write_text(json.dumps(about))
    return folder, content.hexdigest()[:12]


def _grouped(pictures: Pictures, rows: list[Row], groups: Sequence[str] | None) -> list[Row]:
    """Return pictures with the split of their group, if there are groups."""
    if groups is None:
        return rows
    split_of = split_groups(Counter(groups[row.picture] for row in rows))
    if len(split_of) < 3:
        raise DataError(
            f"{pictures.title} has fewer than three groups, but each of its three splits needs one: change group="
        )
    return [row._replace(split=split_of[groups[row.picture]]) for row in rows]


def _part(digest: bytes, parts: Sequence[int | None] | None, index: int) -> int:
    """Return the split of a picture: as published, or by its own pixels, so that adding a file moves no other."""
    published = parts[index] if parts else None
    if published is not None:
        return published
    share = int.from_bytes(digest[:8], "big") / 2**64
    return bisect.bisect_right(SPLIT_ENDS_WITHOUT_TEST if parts else SPLIT_ENDS, share)


def _read_all(contents: Contents, recipe: Recipe) -> Iterator[tuple[Pixels | str, list[str]]]:
    """Yield the pixels of each picture, or the reason why there are none, and its faults; several threads decode."""

    def read(index: int) -> tuple[Pixels | str, list[str]]:
        faults: list[str] = []
        try:
            return read_image(contents.load(index), recipe, faults), faults
        except UnusableError as error:
            return str(error), faults

    total, last_report = len(contents.names), time.monotonic()
    with ThreadPoolExecutor(min(8, cores())) as pool:
        for start in range(0, total, PICTURES_PER_CHUNK):
            yield from pool.map(read, range(start, min(start + PICTURES_PER_CHUNK, total)))
            if time.monotonic() - last_report > SECONDS_BETWEEN_REPORTS:
                last_report = time.monotonic()
                print(f"prepared {start + PICTURES_PER_CHUNK:,} of {total:,} images", file=sys.stderr)


def _write_rows(file: BinaryIO, stored: Pixels, order: list[int]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(order), *stored.shape[1:])}
    np.lib.format.write_array_header_1_0(file, header)
    for start in range(0, len(order), PICTURES_PER_CHUNK):
        file.write(stored[order[start : start + PICTURES_PER_CHUNK]].tobytes())
    file.flush()
    os.fsync(file.fileno())


def _classes(kinds: list[Any]) -> list[Any]:
    """Return the classes if every picture has one and there are several."""
    classes = sorted(set(kinds))
    return classes if len(classes) > 1 and "" not in classes else []


@contextlib.contextmanager
def _disk_errors(pictures: Pictures) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"images of {pictures.title} cannot be prepared in {str(prepared_root())!r} ({error.strerror}): "
            f"make room there, or set ZOO_CACHE to another folder"
        ) from error

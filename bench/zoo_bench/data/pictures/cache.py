"""Prepared images in a memory-mapped cache that is keyed by their content.

``<cache>/folders/<content hash>/`` holds ``images.npy`` (N, C, H, W) uint8, ``labels.npy`` (N,) int64 and
``about.json``; ``<cache>/folders/index/`` remembers which content a listing of names, sizes and modification times had.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data import prepared_root
from zoo_bench.data.pictures.images import Pixels
from zoo_bench.data.pictures.listing import printable

UNUSABLE_FILES_SHOWN = 10
DIM = 64
"""Level of 255 that 14 bits reach in 16; pictures that all stay below it may have fewer bits than their files."""


@dataclass(frozen=True)
class Prepared:
    """Prepared images.

    Attributes:
        content: Hash of pixels, splits and labels, 12 hexadecimal digits.
        images: (N, C, H, W) uint8, memory-mapped: training, validation and test, each sorted by the hash of its pixels.
        labels: Index of each image's class, (N,) int64, or None.
        about: ``classes``; ``ends`` of the training and the validation split; ``duplicates`` that were left out;
            ``unusable``, the reason by name; ``passed_over``, other files by suffix; ``faults``, the names of pictures
            by what is wrong with them; ``brightest``, the highest level; ``groups``, how many were kept together;
            ``near_duplicates`` of training pictures among those held out.
    """

    content: str
    images: Pixels
    labels: npt.NDArray[np.int64] | None
    about: dict[str, Any]

    def report(self) -> Iterator[str]:
        """Yield sentences about the preparation: counts, duplicates, and which files were left out and why."""
        about = self.about
        train, validation = about["ends"]
        total, unusable = len(self.images), about["unusable"]
        yield (
            f"{total:,} images, {train:,} for training, {validation - train:,} for validation, {total - validation:,} "
            f"for the test; {about['duplicates']:,} duplicates and {len(unusable):,} unusable files left out"
        )
        for name, reason in itertools.islice(unusable.items(), UNUSABLE_FILES_SHOWN):
            yield f"left out: {printable(name)}: {reason}"
        if len(unusable) > UNUSABLE_FILES_SHOWN:
            path = str(prepared_root() / self.content / "about.json")
            yield f"left out: {len(unusable) - UNUSABLE_FILES_SHOWN:,} more, all in {path!r}"
        if about["passed_over"]:
            yield f"passed over, since Pillow reads no such pictures: {about['passed_over']}"
        for fault, names in about["faults"].items():
            more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
            yield f"read all the same: {printable(names[0])}{more}: {fault}"
        if about["brightest"] <= DIM:
            yield (
                f"warning: no pixel is brighter than {about['brightest']} of 255: "
                "if grey levels have fewer bits than their files, give the range, such as range=0:4095 for 12 bits"
            )
        if about["groups"]:
            yield f"each of {about['groups']:,} groups is in one split"
        if about["near_duplicates"]:
            yield (
                f"warning: near-duplicates of training images among those held out: {about['near_duplicates']:,}; "
                "group= keeps related images of a folder in one split"
            )


def open_prepared(content: str) -> Prepared | None:
    """Return prepared images by their content hash, or None if the cache does not have all of them."""
    path = prepared_root() / content
    try:
        about = json.loads((path / "about.json").read_bytes())
        images = np.load(path / "images.npy", mmap_mode="c")
        labels = np.load(path / "labels.npy") if about["classes"] else None
    except (OSError, ValueError, KeyError):
        return None
    return Prepared(content, images, labels, about)


def find(key: str) -> Prepared | None:
    """Return the images prepared from the listing with this key, if the cache still has it."""
    with contextlib.suppress(OSError):
        return open_prepared((prepared_root() / "index" / key).read_text())
    return None


def put(folder: Path, content: str, key: str) -> None:
    """Move a finished folder into the cache and index it; if the cache has the content, only ``about`` is renewed."""
    target, index = prepared_root() / content, prepared_root() / "index"
    entry = folder.with_name("entry")
    entry.write_text(content)
    index.mkdir(exist_ok=True)
    if open_prepared(content):
        os.replace(folder / "about.json", target / "about.json")
    else:
        shutil.rmtree(target, ignore_errors=True)
        try:
            folder.rename(target)
        except OSError:
            if open_prepared(content) is None:
                raise
    os.replace(entry, index / key)

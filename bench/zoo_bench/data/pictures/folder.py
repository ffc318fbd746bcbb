"""Your own images: ``folder:PATH?size=32&grey=1&judge=efficientnet-lite0``."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from urllib.parse import unquote

from zoo.errors import DataError
from zoo.specs import TaskSpec
from zoo.task import Task
from zoo_bench.data.pictures import task as pictures
from zoo_bench.data.pictures.listing import Listing, scan
from zoo_bench.data.pictures.preparing import Contents
from zoo_bench.data.pictures.tree import groups_of, splits_and_classes


class Folder:
    """The image files below a folder; the sub-folders are their splits and classes. Implements ``Pictures``.

    Args:
        path: The folder.
        group: Which pictures stay in one split, as :func:`zoo_bench.data.pictures.tree.groups_of` says; "" for none.
    """

    def __init__(self, path: Path, group: str = "") -> None:
        self.path = path
        self.title = f"folder {str(path)!r}"
        self._group = group

    def scan(self) -> Listing:
        """List the image files."""
        listing = scan(self.path)
        group = hashlib.sha256(self._group.encode()).hexdigest()[:12]
        return dataclasses.replace(listing, key=f"{listing.key}-{group}")

    def contents(self, listing: Listing, temporary: Path) -> Contents:
        """Return the files that were listed."""
        names = listing.names
        if not names:
            others = listing.passed_over()
            raise DataError(f"{self.title} has no pictures that Pillow reads{others and f', but {others}'}")
        parts, kinds = splits_and_classes(self.title, names)
        groups = groups_of(self.title, names, self._group) if self._group else None
        if parts and groups:
            raise DataError(f"{self.title} has its own training and test splits, which are kept: leave group= out")
        return Contents(names, lambda i: self.path / names[i], kinds, parts, groups=groups)


def variant(spec: TaskSpec, text: str) -> TaskSpec:
    """Return the spec of one folder, prepared if need be.

    A comma or question mark in PATH is written %2C or %3F. Errors as :func:`zoo_bench.data.pictures.task.variant`.
    """

    def find(location: str, options: dict[str, str]) -> tuple[Folder, str]:
        path = Path(os.path.expanduser(unquote(location)))  # unlike Path's, it leaves an unknown user to the listing
        return Folder(path, options.get("group", "")), os.path.basename(os.path.realpath(path))

    return pictures.variant(spec, text, find, "group")


def folder(content: str = "") -> Task:
    """Load the task of one folder; argument and errors as :func:`zoo_bench.data.pictures.task.load`."""
    return pictures.load("folder", content)

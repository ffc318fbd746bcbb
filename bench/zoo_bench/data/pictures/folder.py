"""Your own images: ``folder:PATH?size=32&grey=1&judge=efficientnet-lite0``."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

from zoo.errors import DataError
from zoo.specs import TaskSpec
from zoo.task import Task
from zoo_bench.data.pictures import task as pictures
from zoo_bench.data.pictures.listing import Listing, scan
from zoo_bench.data.pictures.preparing import Contents


class Folder:
    """The image files below a folder; the sub-folders are their classes. Implements ``Pictures``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.title = f"folder {str(path)!r}"

    def scan(self) -> Listing:
        """List the image files."""
        return scan(self.path)

    def contents(self, listing: Listing, temporary: Path) -> Contents:
        """Return the files that were listed."""
        names = listing.names
        if not names:
            raise DataError(f"{self.title} has no PNG, JPEG, WebP, TIFF or GIF files")
        return Contents(names, lambda i: self.path / names[i], kinds=[_top(name) for name in names])


def variant(spec: TaskSpec, text: str) -> TaskSpec:
    """Return the spec of one folder, prepared if need be.

    A comma or question mark in PATH is written %2C or %3F. Errors as :func:`zoo_bench.data.pictures.task.variant`.
    """

    def find(location: str, options: dict[str, str]) -> tuple[Folder, str]:
        path = Path(os.path.expanduser(unquote(location)))  # unlike Path's, it leaves an unknown user to the listing
        return Folder(path), os.path.basename(os.path.realpath(path))

    return pictures.variant(spec, text, find)


def folder(content: str = "") -> Task:
    """Load the task of one folder; argument and errors as :func:`zoo_bench.data.pictures.task.load`."""
    return pictures.load("folder", content)


def _top(name: str) -> str:
    top, separator, _ = name.partition(os.sep)
    return top if separator else ""

"""CelebA (Liu et al. 2015), aligned and cropped faces at 64x64: torchvision's file names, checksums and download.

The central 140x140 pixels are resized to 64x64, as for Wasserstein auto-encoders (Tolstikhin et al. 2018) and
score-based models (Song and Ermon 2020). The published partition is kept as it is, duplicates included.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from zoo.errors import DataError
from zoo.task import Task
from zoo_bench.data.pictures.images import Recipe, UnusableError, one_line
from zoo_bench.data.pictures.listing import Listing, scan
from zoo_bench.data.pictures.preparing import Contents, prepare
from zoo_bench.data.pictures.task import task_of
from zoo_bench.data.sources import CELEBA

RECIPE = Recipe(size=64, crop=140)
FOLDER, ARCHIVE, PARTITION = "img_align_celeba", "img_align_celeba.zip", "list_eval_partition.txt"
PARTS = {"0": 0, "1": 1, "2": 2}


class Faces:
    """The pictures of CelebA, in their archive or unpacked. Implements ``Pictures``."""

    def __init__(self) -> None:
        self.title = f"CelebA in {str(CELEBA.path)!r}"
        self._archive, self._folder, self._partition = (CELEBA.path / name for name in (ARCHIVE, FOLDER, PARTITION))

    def scan(self) -> Listing:
        """List the archive, or else the unpacked pictures, and the partition."""
        files, key = [self._partition], ""
        if self._archive.is_file():
            files.append(self._archive)
        else:
            key = scan(self._folder).key
        facts = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        return Listing([], hashlib.sha256(json.dumps([key, facts]).encode()).hexdigest())

    def contents(self, listing: Listing, temporary: Path) -> Contents:
        """Verify the checksums and read the partition."""
        if damaged := CELEBA.damaged():
            raise self._damaged("; ".join(damaged))
        rows = [line.split() for line in self._partition.read_text().splitlines() if line.strip()]
        if any(len(row) != 2 or row[1] not in PARTS for row in rows):
            raise self._damaged(f"{PARTITION} must have lines such as '000001.jpg 0'")
        names = [name for name, _ in rows]
        archive = self._opened() if self._archive.is_file() else None

        def load(index: int) -> Path | bytes:
            if archive is None:
                return self._folder / names[index]
            try:
                return archive.read(f"{FOLDER}/{names[index]}")
            except (KeyError, zipfile.BadZipFile) as error:
                raise UnusableError(one_line(error)) from error

        return Contents(names, load, parts=[PARTS[part] for _, part in rows], complete=True)

    def _opened(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self._archive)
        except zipfile.BadZipFile as error:
            raise self._damaged(f"{ARCHIVE}: {one_line(error)}") from error

    def _damaged(self, reason: str) -> DataError:
        return DataError(f"{self.title} is damaged ({reason}): replace the file")


def celeba64(judge: str = "") -> Task:
    """Load ``celeba64``: 162,770 training images, 10,000 of 19,867 for validation and of 19,962 for the test.

    They are (N, 3, 64, 64) uint8, prepared once into the memory-mapped cache, without classes.

    Args:
        judge: A name of :func:`zoo_bench.judges.named.named_judge`.

    Raises:
        DataError: If the files are absent and cannot be downloaded, or are damaged.
    """
    import torchvision.datasets

    if CELEBA.absent():
        CELEBA.read(lambda root, _: torchvision.datasets.CelebA(root, download=True))
    return task_of(prepare(Faces(), RECIPE), judge)

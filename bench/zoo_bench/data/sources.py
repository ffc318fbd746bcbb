"""Published data sets: their files, where these belong, and how they are read, fetched and verified.

Imports no torch. File names and checksums are torchvision's; those of MNIST's and Fashion-MNIST's unpacked files were
taken from archives with torchvision's checksums.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from zoo.data import absent, data_root
from zoo.errors import DataError

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A data set that torchvision reads.

    Attributes:
        title: Its name in messages.
        folder: Where its files are, relative to the data root.
        checksums: MD5 of every file in ``folder``; "" where none is published for the unpacked file.
        packed: Description of ``instead`` in messages.
        instead: Files or folders that may be there in place of ``files``, relative to the data root.
    """

    title: str
    folder: str
    checksums: dict[str, str]
    packed: str = ""
    instead: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the files, relative to the data root."""
        return tuple(str(PurePosixPath(self.folder, name)) for name in self.checksums)

    @property
    def path(self) -> Path:
        """The folder on this machine."""
        return data_root() / self.folder

    def absent(self) -> list[str]:
        """Return the names of the absent files, unless what may be there instead is present."""
        return absent(self.files, self.instead)

    def damaged(self) -> list[str]:
        """Return one phrase per file whose checksum is wrong."""
        published = {name: md5 for name, md5 in self.checksums.items() if md5 and (self.path / name).is_file()}
        actual = {name: _md5(self.path / name) for name in published}
        return [
            f"{name} has MD5 {md5}, not {self.checksums[name]}"
            for name, md5 in actual.items()
            if md5 != self.checksums[name]
        ]

    def read(self, load: Callable[[str, bool], T]) -> T:
        """Return what ``load(data root, whether to download)`` returns; a failure leaves nothing behind.

        Raises:
            DataError: If files are absent and cannot be downloaded, or are damaged.
        """
        existing = self._download_paths()
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return load(str(data_root()), bool(absent(self.files)))
        except BaseException as error:
            _remove(self._download_paths() - existing)
            if isinstance(error, DataError) or not isinstance(error, Exception):
                raise
            raise DataError(self._failure(error)) from error

    def _failure(self, error: Exception) -> str:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        if self.absent():
            return (
                f"{self.title} is not in {str(self.path)!r} and could not be downloaded ({reason}): "
                f"put {_listed(list(self.checksums))}{self.packed and f' (or {self.packed})'} there, "
                f"or set ZOO_DATA to the folder that holds {self.folder or 'them'}"
            )
        damage = "; ".join(self.damaged()) or reason
        return (
            f"{self.title} in {str(self.path)!r} is damaged ({damage}): replace the file, or remove it to download it"
        )

    def _download_paths(self) -> set[Path]:
        """Return the existing paths among those that a download may write."""
        root = data_root()
        if self.folder:
            top = root / Path(self.folder).parts[0]
            paths = [top, *top.rglob("*"), *(root / name for name in self.instead)]
        else:
            paths = [root / name for name in self.checksums]
        return {path for path in (root, *paths) if path.exists()}


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _md5(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _remove(paths: set[Path]) -> None:
    for path in sorted(paths, reverse=True):
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()


def _idx(title: str, folder: str, *checksums: str) -> Source:
    names = [f"{part}-{content}-ubyte" for part in ("train", "t10k") for content in ("images-idx3", "labels-idx1")]
    packed = tuple(f"{folder}/raw/{name}.gz" for name in names)
    return Source(title, f"{folder}/raw", dict(zip(names, checksums, strict=True)), packed="their .gz", instead=packed)


MNIST = _idx(
    "MNIST",
    "MNIST",
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
)
FASHION_MNIST = _idx(
    "Fashion-MNIST",
    "FashionMNIST",
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
)
KMNIST = _idx("Kuzushiji-MNIST", "KMNIST", "", "", "", "")
CIFAR10 = Source(
    "CIFAR-10",
    "cifar-10-batches-py",
    {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
    packed="cifar-10-python.tar.gz beside that folder",
    instead=("cifar-10-python.tar.gz",),
)
CIFAR100 = Source(
    "CIFAR-100",
    "cifar-100-python",
    {
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "meta": "7973b15100ade9c7d40fb424638fde48",
    },
    packed="cifar-100-python.tar.gz beside that folder",
    instead=("cifar-100-python.tar.gz",),
)
SVHN = Source(
    "SVHN",
    "",
    {
        "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
    },
)
CELEBA = Source(
    "CelebA",
    "celeba",
    {
        "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
        "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
    },
    packed="the folder img_align_celeba instead of its archive",
    instead=("celeba/img_align_celeba", "celeba/list_eval_partition.txt"),
)

SOURCES = {
    "mnist": MNIST,
    "fashion-mnist": FASHION_MNIST,
    "kmnist": KMNIST,
    "stacked-mnist": MNIST,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "svhn": SVHN,
    "celeba64": CELEBA,
}
"""The source of every task that has one, by the task's name."""

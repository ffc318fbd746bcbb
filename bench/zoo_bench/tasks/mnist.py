"""MNIST through torchvision: its file names, its checksums, its mirrors."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import platformdirs

from zoo.errors import DataError
from zoo.task import Split, Task
from zoo_bench.judge import ClassifierJudge

VALIDATION = 10_000
FILES = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte"


def data_root() -> Path:
    """Return ``$ZOO_DATA``, or the platform's cache folder for genzoo."""
    return Path(os.environ.get("ZOO_DATA") or platformdirs.user_cache_dir("genzoo"))


def splits() -> tuple[Split, Split, Split]:
    """Return 50,000 training, 10,000 validation and 10,000 test images, (N, 1, 28, 28) uint8.

    Raises:
        DataError: If the files are neither there nor to be downloaded, or are damaged.
    """
    from torchvision.datasets import MNIST

    root = data_root()
    folder = root / "MNIST" / "raw"
    there = folder.exists()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            train, test = (MNIST(root, train=part, download=not _present(folder)) for part in (True, False))
    except Exception as error:
        if not there:
            _remove_empty(folder, root)
        raise DataError(
            f"MNIST is not in {str(folder)!r} and could not be downloaded ({str(error).rstrip('.')}): "
            f"put {FILES} (or their .gz) there, or set ZOO_DATA to the folder that holds MNIST/raw"
        ) from error
    images, labels = train.data.unsqueeze(1), train.targets
    cut = len(images) - VALIDATION
    return (
        Split(images[:cut], labels[:cut]),
        Split(images[cut:], labels[cut:]),
        Split(test.data.unsqueeze(1), test.targets),
    )


def mnist() -> Task:
    """Load the task ``mnist``."""
    train, validation, test = splits()
    return Task(train, validation, test, ClassifierJudge.shipped("mnist-cnn"), modes=10, samples=10_000)


def _present(folder: Path) -> bool:
    names = FILES.replace(" and ", ", ").split(", ")
    return all((folder / name).is_file() for name in names)


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove the folders that a failed download made."""
    while folder != root.parent and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent

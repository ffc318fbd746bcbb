"""Samples from the weights that a run saved."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.files import write_atomically
from zoo.loading import load
from zoo.model import GenerativeModel
from zoo.registry import installed
from zoo_bench.core.seeds import derive
from zoo_bench.data.loading import load_task
from zoo_bench.score.drawing import draw
from zoo_bench.score.sheets import sheet
from zoo_bench.store.records import read_record

WEIGHTS, BEST_WEIGHTS, SAMPLES = ".safetensors", ".best.safetensors", ".samples.npz"
"""Suffixes of what a run keeps for scoring: its weights, those of its best checkpoint, and its samples."""

MAX_SAMPLES = 1_000_000
"""That are drawn at once, in memory."""


def packed(samples: Tensor, labels: Tensor | None = None) -> bytes:
    """Return stored items as an ``.npz`` with the array ``samples``, and ``labels`` if they have any."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"samples": samples.numpy()}
    if labels is not None:
        arrays["labels"] = labels.numpy()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def unpacked(path: Path) -> Tensor:
    """Read what :func:`packed` wrote.

    Raises:
        ZooError: If it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return torch.from_numpy(arrays["samples"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ZooError(f"{str(path)!r} holds no samples: {error}") from error


def load_run(path: Path) -> GenerativeModel:
    """Rebuild a run's model with its trained weights, on the CPU; errors as :func:`zoo.load`."""
    read_record(path)  # a record of a layout that this version does not read is refused first
    return load(path)


def sample_run(path: Path, *, n: int, seed: int, out: Path) -> Path:
    """Draw ``n`` samples and write them: a sheet for ``.png``, the array ``samples`` for ``.npz``.

    Images are (n, C, H, W) uint8, points (n, D) float32.

    Raises:
        ZooError: If an argument is unusable.
    """
    if not 1 <= n <= MAX_SAMPLES:
        limit = "at least 1" if n < 1 else f"at most {MAX_SAMPLES:,}"
        raise ZooError(f"-n must be {limit}, got {n}")
    if out.suffix not in (".png", ".npz"):
        raise ZooError(f"--out {str(out)!r} must end in .png or .npz")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ZooError(f"--out {str(out)!r} must be a file in an existing folder")
    model = load_run(path)
    torch.manual_seed(derive(seed, "sampling"))
    stored = draw(model, n)
    if stored is None:
        raise ZooError(f"the weights of {str(path)!r} give samples that are infinite or NaN: nothing was written")
    if out.suffix == ".npz":
        write_atomically(out, packed(stored))
    else:
        task = load_task(installed().tasks.get(read_record(path).spec.task))
        write_atomically(out, sheet(stored, task))
    return out

"""What a run keeps for scoring: the samples and the weights in its folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.loading import load
from zoo.model import GenerativeModel
from zoo_bench.store.records import read_record

WEIGHTS, BEST_WEIGHTS, SAMPLES = ".safetensors", ".best.safetensors", ".samples.npz"
"""Suffixes of what a run keeps for scoring: its weights, those of its best checkpoint, and its samples."""


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

"""One file with a run's weights and what is needed to load them again, which :func:`zoo.load` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save

from zoo.loading import METADATA, weights_sha256
from zoo_bench.plan.record import RunRecord
from zoo_bench.score.stored import WEIGHTS

KEPT = {"run_id", "spec", "status", "shape", "zoo_version"}
"""Fields of a record that go with the weights."""


def described(path: Path, record: RunRecord) -> dict[str, Any]:
    """Return what the files of an export say of the run: fields of its record, and the SHA-256 of its weights."""
    weights = load_file(path.with_suffix(WEIGHTS))
    return {**record.model_dump(mode="json", include=KEPT), "weights_sha256": weights_sha256(weights)}


def weights_file(path: Path, description: str) -> bytes:
    """Return the content of a ``.safetensors`` file.

    Args:
        path: JSON file of the run.
        description: JSON of what :func:`described` returns; it becomes the file's metadata.
    """
    return save(load_file(path.with_suffix(WEIGHTS)), {METADATA: description})

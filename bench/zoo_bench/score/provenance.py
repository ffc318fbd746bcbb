"""What made a file of generated items, said in its metadata."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zoo
from zoo_bench.store.records import read_record

if TYPE_CHECKING:
    from PIL.Image import Image

SOFTWARE = f"genzoo {zoo.__version__}"


def made_by(run: Path, **how: Any) -> dict[str, Any]:
    """Return what identifies a run's model and its weights, and how they were used: values of JSON.

    Args:
        run: The run's JSON file, beside its weights.
        how: Such as the sampling seed.
    """
    spec = read_record(run).spec
    with run.with_suffix(".safetensors").open("rb") as file:
        weights = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "software": SOFTWARE, "model": spec.model, "plugin": spec.plugin, "plugin_version": spec.plugin_version,
        "task": spec.task, "run_id": spec.run_id, "weights_sha256": weights, **how,
    }  # fmt: skip


def png(image: Image, made: dict[str, Any]) -> bytes:
    """Return a PNG whose text chunks ``Software`` and ``genzoo``, JSON, say what made it."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Software", SOFTWARE)
    texts.add_text("genzoo", json.dumps(made))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=texts)
    return buffer.getvalue()

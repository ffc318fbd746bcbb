"""Trained models from the files that a run left, its record and the weights beside it, or from one exported file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, Field, PositiveInt, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from zoo.errors import FAILURES, UnknownNameError, ZooError, error_sentence
from zoo.files import is_regular, read_regular
from zoo.model import GenerativeModel, build
from zoo.registry import installed
from zoo.text import visible

MAX_FILES_NAMED = 3
"""Runs that a sentence lists if more than one can be meant."""

METADATA = "genzoo"
"""Key of an exported file's metadata whose value is JSON: fields of a run's record, and the hash of the weights."""

HUB_WEIGHTS = "model.safetensors"
"""Name of the exported file in a folder for the Hugging Face Hub."""


class _Spec(BaseModel):
    model: str
    plugin: str = ""
    plugin_version: str = ""
    config: dict[str, Any]
    task: str = Field(pattern="^[^:?]*$")  # an address would be read
    seed: int | None
    samples: str = ""


class _Record(BaseModel):
    """What a model is built from; a record has more, and of these only an exported file has the weights' hash."""

    spec: _Spec
    status: str = ""
    weights_sha256: str = ""
    shape: tuple[PositiveInt, ...] | None = Field(None, description="One item; records had none at first")


def load(path: str | Path, model: str = "", seed: int | None = None) -> GenerativeModel:
    """Load the trained model of a run, on the CPU and in eval mode.

    Args:
        path: A run's JSON file; or a results folder, or a folder within its ``runs/``, that has one run with weights;
            or what ``zoo export`` wrote: a ``.safetensors`` file, or a folder for the Hugging Face Hub.
        model: Name of the model, where a folder has several.
        seed: Training seed, where a folder has several.

    Raises:
        ZooError: If there is no such run or more than one; if its record or its weights are absent or damaged, or do
            not fit what is installed; if the weights of an exported file are not those that were exported.

    Example:
        >>> vae = zoo.load("results/bench", model="vae", seed=0)
        >>> vae.sample(4).shape
        torch.Size([4, 1, 8, 8])
    """
    file, record = _find(Path(path), model, seed)
    if record.spec.samples:
        raise ZooError(f"{str(file)!r} holds samples that were made elsewhere, and no model")
    weights = file.with_suffix(".safetensors")
    if not is_regular(weights):
        raise ZooError(f"{str(weights)!r} is absent: the run ended with status {record.status!r} or its file was moved")
    loaded = _built(file, record)
    try:
        state = load_file(weights)
    except (OSError, SafetensorError) as error:
        raise ZooError(f"{str(weights)!r} is damaged: {error}") from error
    if record.weights_sha256 not in ("", weights_sha256(state)):
        raise ZooError(f"{str(weights)!r} differs from what was exported: its weights have another SHA-256")
    try:
        loaded.load_state_dict(state)
    except RuntimeError as error:
        raise _misfit(weights, record) from error
    return loaded.eval()


def find_run(path: Path, model: str = "", seed: int | None = None) -> Path:
    """Return the JSON file of the run, or the exported file, that :func:`load` would load with the same arguments."""
    return _find(path, model, seed)[0]


def weights_sha256(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of weights by name, 64 hex digits: of names, types, shapes and values, in order of names."""
    checksum = hashlib.sha256()
    for name, weight in sorted(state.items()):
        checksum.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        checksum.update(weight.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return checksum.hexdigest()


def _built(file: Path, record: _Record) -> GenerativeModel:
    """Build the model of a record, untrained."""
    registry, spec = installed(), record.spec
    try:
        entry = registry.models.get(spec.model)
        shape = record.shape or registry.tasks.get(spec.task).spec.shape
    except UnknownNameError as error:
        raise ZooError(f"{str(file)!r} needs what is not installed: {error}") from error
    try:
        return build(entry, shape, spec.config)
    except FAILURES as error:
        reason = str(error) if isinstance(error, ZooError) else error_sentence(error)
        raise ZooError(f"{_misfit(file, record)}: {reason}") from error


def _misfit(file: Path, record: _Record) -> ZooError:
    trained = f"{record.spec.plugin} {record.spec.plugin_version}"
    entry = installed().models.get(record.spec.model)
    return ZooError(f"{str(file)!r} was trained with {trained} and does not fit {entry.plugin}")


def _find(path: Path, model: str, seed: int | None) -> tuple[Path, _Record]:
    """Return the one run that is meant: its record's file, and what that holds."""
    runs, problems = _read_all(path)
    if not runs:
        raise problems[0] if problems else ZooError(f"{str(path)!r} has no run with weights")
    models = {record.spec.model for _, record in runs}
    if model and model not in models:
        raise UnknownNameError(f"model in {str(path)!r}", model, models)
    runs = [(file, record) for file, record in runs if model in ("", record.spec.model)]
    seeds = sorted({record.spec.seed for _, record in runs if record.spec.seed is not None})
    if seed is not None and seed not in seeds:
        raise ZooError(f"no run in {str(path)!r} has the seed {seed}: known: {', '.join(map(str, seeds))}")
    runs = [(file, record) for file, record in runs if seed in (None, record.spec.seed)]
    if len(runs) > 1:
        raise ZooError(f"{str(path)!r} has {len(runs)} runs: {_choices([file for file, _ in runs])}")
    return runs[0]


def _choices(files: Sequence[Path]) -> str:
    names = [repr(str(file)) for file in files[:MAX_FILES_NAMED]]
    more = " and others" if len(files) > len(names) else ""
    return f"name one by model and seed, or by its file: {', '.join(names)}{more}"


def _read_all(path: Path) -> tuple[list[tuple[Path, _Record]], list[ZooError]]:
    """Return the run of a file, or those with weights in a folder, and what is wrong with records that have weights."""
    if path.is_dir() and is_regular(path / HUB_WEIGHTS):
        path /= HUB_WEIGHTS
    if not path.is_dir():
        return [(path, _read(path))], []
    top = path / "runs" if (path / "runs").is_dir() else path
    runs, problems = [], []
    for file in sorted(top.rglob("*.json")):
        if is_regular(file.with_suffix(".safetensors")):
            try:
                runs.append((file, _read(file)))
            except ZooError as error:
                problems.append(error)
    return runs, problems


def _read(file: Path) -> _Record:
    content = _metadata(file) if file.suffix == ".safetensors" else read_regular(file)
    try:
        return _Record.model_validate_json(content)
    except ValidationError as error:
        detail = error.errors()[0]
        location = ".".join(map(str, detail["loc"])) or "file"
        raise ZooError(visible(f"{str(file)!r} is not a run record: {location}: {detail['msg']}")) from error


def _metadata(file: Path) -> str:
    """Return the JSON that an exported file has of its run."""
    if not is_regular(file):
        raise ZooError(f"{str(file)!r} is no file")
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise ZooError(f"{str(file)!r} is damaged: {error}") from error
    if METADATA not in metadata:
        raise ZooError(f"{str(file)!r} is no export: load it by the run's JSON, or export that with `zoo export`")
    return metadata[METADATA]

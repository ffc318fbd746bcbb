"""A cache on disk for tensors that can be recomputed; a file that is damaged is not used."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from zoo.data import cache_root
from zoo.errors import ZooError
from zoo.files import is_abandoned, write_atomically

MAX_CACHED_FILES = 64
"""Beyond them, the least recently used files are deleted."""


def cached(key: str, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return what ``compute`` returns, from ``tensors/`` in the cache folder if it is there.

    A file that is damaged is computed again; a folder that cannot be written to is no error.

    Args:
        key: Everything that the result depends on.
        compute: Returns tensors by name.
    """
    path = cache_root() / "tensors" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[32:]).digest() == content[:32]:
            os.utime(path)
            return load(content[32:])
    except (OSError, SafetensorError):
        pass
    tensors = compute()
    with contextlib.suppress(OSError, ZooError):
        _keep(path, save({name: tensor.contiguous() for name, tensor in tensors.items()}))
    return tensors


def _keep(path: Path, content: bytes) -> None:
    write_atomically(path, hashlib.sha256(content).digest() + content)
    for old in sorted(path.parent.glob("*.safetensors"), key=lambda p: p.stat().st_mtime)[:-MAX_CACHED_FILES]:
        old.unlink(missing_ok=True)
    for left in filter(is_abandoned, path.parent.glob(".*.tmp")):
        left.unlink(missing_ok=True)

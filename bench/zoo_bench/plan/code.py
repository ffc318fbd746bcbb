"""Fingerprints of plugins' code, by which it is noticed that a stored run was trained or scored by other code."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from zoo.catalogue import Entry
from zoo.specs import ModelSpec


def fingerprint(entry: Entry[Any]) -> str:
    """Return 16 hex digits of the files that a plugin's model, task or metric comes from; "" if they cannot be found.

    Of a model these are all files of its top-level package. Tasks and metrics are fingerprinted only in editable
    installs, because elsewhere they change with a version, which keys have; theirs are the files of the package that
    the target is in, so that an edit of the harness's reports does not count for its metrics.
    """
    module = entry.spec.target.partition(":")[0]
    if isinstance(entry.spec, ModelSpec):
        return _hash_of(module.partition(".")[0])
    return _hash_of(module) if is_editable(entry.plugin.distribution) else ""


def is_changed(entry: Entry[Any], stored: str) -> bool:
    """Return whether the files behind an entry are others than those of a fingerprint; False without one."""
    return bool(stored) and stored != fingerprint(entry)


@cache
def is_editable(distribution: str) -> bool:
    """Return whether a distribution is installed so that its files can change without its version (PEP 610)."""
    try:
        text = importlib.metadata.distribution(distribution).read_text("direct_url.json")
        return bool(json.loads(text or "{}").get("dir_info", {}).get("editable"))
    except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):
        return False


@cache
def _hash_of(module: str) -> str:
    """Return the hash of a package's files, or of those of the package that a module is in."""
    root, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(root)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return ""
    if spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations)), *rest)
        folder = folder if folder.is_dir() else folder.parent
        files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    else:
        files = [Path(spec.origin)] if spec.origin else []
        folder = files[0].parent if files else Path()
    checksum = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        checksum.update(f"{path.relative_to(folder)} {len(content)}\n".encode())
        checksum.update(content)
    return checksum.hexdigest()[:16] if files else ""

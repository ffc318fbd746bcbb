"""JSON files of results that can be recomputed, each stored with the key for which they are valid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from zoo.errors import ZooError
from zoo.files import read_regular, write_atomically


def parse_json(content: bytes) -> Any:
    """Return what JSON holds, which may be a stranger's.

    Raises:
        ValueError: If it is no JSON in UTF-8, names a key of an object twice, has numbers such as NaN, which JSON does
            not have, or is nested 200 times.
    """
    found = from_json(content, allow_inf_nan=False)
    json.loads(content, object_pairs_hook=_refuse_repeats)
    return found


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has the key {repeated!r} twice")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one if there is no such file, or it is no JSON object."""
    try:
        content = parse_json(read_regular(path))
    except (ZooError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_keyed(path: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the content that was written with this key, without the key; None if there is none."""
    content = read_json(path)
    is_same_key = content.pop("key", None) == json.loads(json.dumps(key))  # lists for tuples, as the file has them
    return content if is_same_key else None


def write_keyed(path: Path, key: Mapping[str, Any], content: Mapping[str, Any]) -> None:
    """Write content with its key.

    Raises:
        ZooError: If that cannot be done; an existing file is unchanged then.
    """
    write_atomically(path, json.dumps({"key": key, **content}, indent=1).encode())

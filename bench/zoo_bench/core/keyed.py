"""JSON files of results that can be recomputed, each stored with the key for which they are valid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import write_atomically


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one if there is no such file, or it is no JSON object."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
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

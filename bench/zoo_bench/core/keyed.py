"""JSON files that hold what can be computed again, each with the key of what it holds for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import write_atomically


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; nothing if there is none, or it holds something else."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_keyed(path: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the content that was written with this key, without the key; None if there is none."""
    content = read_json(path)
    same = content.pop("key", None) == json.loads(json.dumps(key))  # lists for tuples, as the file has them
    return content if same else None


def write_keyed(path: Path, key: Mapping[str, Any], content: Mapping[str, Any]) -> None:
    """Write content with its key.

    Raises:
        ZooError: If that cannot be done; what was there is unchanged then.
    """
    write_atomically(path, json.dumps({"key": key, **content}, indent=1).encode())

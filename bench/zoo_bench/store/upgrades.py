"""Records of older layouts, brought to today's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo_bench.plan.record import SCHEMA_VERSION

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""By schema version: how a record of that version, as parsed JSON, becomes one of the next."""


def upgraded(fields: Any) -> Any:
    """Bring the parsed JSON of a record to this layout, one version at a time."""
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if not isinstance(version, int):
        return fields
    if version > SCHEMA_VERSION:
        raise ValueError(f"it has schema {version}, this genzoo reads up to {SCHEMA_VERSION}: upgrade genzoo")
    while version < SCHEMA_VERSION and version in UPGRADES:
        version += 1
        fields = {**UPGRADES[version - 1](fields), "schema_version": version}
    return fields

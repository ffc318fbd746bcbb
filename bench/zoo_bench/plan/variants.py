"""Models with settings, as ``--models`` names them: ``gan[packing=2]`` as well as ``gan``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.catalogue import Catalogue, Entry
from zoo.errors import ZooError
from zoo.specs import ModelSpec
from zoo_bench.plan.labels import value

OPENING_BRACKETS, CLOSING_BRACKETS = "[{(", "]})"


@dataclass(frozen=True)
class Variant:
    """A model that a command asks for.

    Attributes:
        entry: The model.
        settings: The settings in brackets after its name.
        named: Whether its name was written out, not only matched by a pattern.
    """

    entry: Entry[ModelSpec]
    settings: Mapping[str, Any] = field(default_factory=dict)
    named: bool = True


def select(names: str, models: Catalogue[ModelSpec]) -> list[Variant]:
    """Return the variants in a list with commas: names, ``*`` patterns, "all", and names with settings in brackets.

    Raises:
        ZooError: If a name is unknown, a pattern matches nothing, or brackets hold no settings.
    """
    parts = [part for part in split(names) if part]
    if unclosed := [part for part in parts if part.count("[") > part.count("]")]:
        raise ZooError(f"{unclosed[0]!r} has no closing bracket: settings are written as in gan[packing=2]")
    plain_names = [part for part in parts if not _has_settings(part)]
    entries = models.select(",".join(plain_names)) if plain_names or not parts else []
    variants = [Variant(entry, named=entry.spec.name in plain_names) for entry in entries]
    for part in filter(_has_settings, parts):
        name, _, settings = part.removesuffix("]").partition("[")
        if "*" in name:
            raise ZooError(f"{part!r} is a pattern, which takes no settings: name the models")
        variants.append(Variant(models.get(name.strip()), parse(part, split(settings))))
    unique = {(v.entry.spec.name, json.dumps(v.settings, sort_keys=True)): v for v in variants}
    return list(unique.values())


def split(text: str) -> list[str]:
    """Split at commas that are in no brackets or quotes, and strip the parts."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == '"'
        if not quoted:
            depth += (character in OPENING_BRACKETS) - (character in CLOSING_BRACKETS)
        if character == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def parse(variant: str, settings: Iterable[str]) -> dict[str, Any]:
    """Read ``["packing=2", "preset=pacgan"]``; values are JSON, or else text.

    Raises:
        ZooError: If one has another form; the message names the ``variant``.
    """
    parsed = {}
    for text in settings:
        name, equals, setting = (part.strip() for part in text.partition("="))
        if not (name and equals and setting):
            raise ZooError(f"{variant!r} must have the form MODEL[SETTING=VALUE,...], for example gan[packing=2]")
        parsed[name] = value(setting)
    return parsed


def _has_settings(part: str) -> bool:
    return part.endswith("]") and "=" in part

"""Model cards: what ``zoo show`` and the documentation say about a model."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.catalogue import Catalogue, Entry
from zoo.errors import ZooError
from zoo.specs import ModelSpec, TaskSpec

REFERENCE = Path(__file__).with_name("reference.csv")
"""Made from ``results/reference/`` by ``python bench/reference/cards.py``."""


@dataclass(frozen=True)
class Setting:
    """A field of a model's config.

    Attributes:
        name: Its name.
        type: Its type and range, as in "number > 0" or "one of hinge, non-saturating".
        default: Its default as JSON; that of a shape may differ.
        description: What it is.
    """

    name: str
    type: str
    default: str
    description: str


@dataclass(frozen=True)
class Reference:
    """What a model reached in one of this project's own benches, over its successful runs.

    Attributes:
        task: The task.
        runs: "3/3": successful runs of all.
        fid: Geometric mean; None if there is none.
        modes: "10/10": mean number of modes captured, out of those known; "" if none are known.
        command: What reproduces it.
    """

    task: str
    runs: str
    fid: float | None
    modes: str
    command: str


def settings(entry: Entry[ModelSpec]) -> list[Setting]:
    """Return the settings of a model."""
    from zoo.model import load_class

    fields = load_class(entry).Config.model_json_schema()["properties"]
    return [
        Setting(
            name,
            " or ".join(map(_type_text, field.get("anyOf", [field]))),
            json.dumps(field.get("default")),
            field.get("description", ""),
        )
        for name, field in fields.items()
    ]


def tuned(entry: Entry[ModelSpec]) -> dict[str, str]:
    """Return the defaults that tuning chose, by kind of data: "lr=0.001 betas=[0.0,0.9]", or "as above"."""
    from zoo.model import load_class

    return {
        kind: " ".join(f"{name}={json.dumps(value, separators=(',', ':'))}" for name, value in defaults.items())
        or "as above"
        for kind, defaults in load_class(entry).Config.tuned.items()
    }


def _type_text(schema: dict[str, Any]) -> str:
    """Describe a JSON schema in a few characters: "number > 0", "one of hinge, non-saturating"."""
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    bounds = [f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema]
    return " ".join([schema.get("type", "any"), *bounds])


def parameters(entry: Entry[ModelSpec], tasks: Catalogue[TaskSpec]) -> dict[str, int]:
    """Return the number of trainable parameters, with default settings, on every task that the model applies to.

    Raises:
        ZooError: If the model cannot be imported, or fails on every task.
    """
    from zoo.model import build, load_class

    load_class(entry)
    counts: dict[str, int] = {}
    failure: Exception | None = None
    for task in (t.spec for t in tasks if t.spec.shape and t.spec.data in entry.spec.data):
        try:
            model = build(entry, task.shape, {})
        except Exception as error:
            failure = error
            continue
        counts[task.name] = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    if failure and not counts:
        raise ZooError(f"model {entry.spec.name!r} of {entry.plugin} cannot be built: {failure}") from failure
    return counts


def references(entry: Entry[ModelSpec], file: Path = REFERENCE) -> list[Reference]:
    """Return what the model reached, with the settings that are its defaults, in this project's own benches.

    Args:
        entry: The model.
        file: A table with the columns of :class:`Reference`, and ``model``.
    """
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            Reference(row["task"], row["runs"], float(row["fid"]) if row["fid"] else None, row["modes"], row["command"])
            for row in csv.DictReader(lines)
            if row["model"] == entry.spec.name
        ]

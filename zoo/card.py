"""Model cards: what ``zoo show`` and the documentation say of a model."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from zoo.catalogue import Catalogue, Entry
from zoo.errors import ZooError
from zoo.specs import ModelSpec, TaskSpec

REFERENCE = Path(__file__).parents[1] / "results" / "reference"


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
        modes: "10/10": mean of the modes captured, of those known; "" if none are.
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
            " or ".join(map(_kind, field.get("anyOf", [field]))),
            json.dumps(field.get("default")),
            field.get("description", ""),
        )
        for name, field in fields.items()
    ]


def tuned(entry: Entry[ModelSpec]) -> dict[str, str]:
    """Return the defaults that tuning chose, by kind of data: "lr=0.001 betas=[0.0,0.9]", or "as above"."""
    from zoo.model import load_class

    return {
        kind: " ".join(f"{name}={json.dumps(value, separators=(',', ':'))}" for name, value in chosen.items())
        or "as above"
        for kind, chosen in load_class(entry).Config.tuned.items()
    }


def _kind(schema: dict[str, Any]) -> str:
    """Say a JSON schema in a few characters: "number > 0", "one of hinge, non-saturating"."""
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


def references(entry: Entry[ModelSpec], tasks: Catalogue[TaskSpec], folder: Path = REFERENCE) -> list[Reference]:
    """Return what the model reached, with the settings that are its defaults now, in the reference results.

    A setting that is newer than a run had the field's default there.

    There are none where these are not installed.

    Args:
        entry: The model.
        tasks: The tasks.
        folder: Folders of benches, each with a ``results.csv``.
    """
    return [found for path in sorted(folder.glob("*/results.csv")) for found in _read(path, entry, tasks)]


def _read(path: Path, entry: Entry[ModelSpec], tasks: Catalogue[TaskSpec]) -> Iterator[Reference]:
    from pydantic import ValidationError

    from zoo.model import configure

    @cache
    def is_default(task: str, config: str) -> bool:
        cls, default = configure(entry, tasks.get(task).spec.shape, {})
        try:
            return cls.Config.model_validate_json(config) == default
        except ValidationError:
            return False

    model = entry.spec.name
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == model and is_default(row["task"], row["config"])]
    for row in rows:
        row["budget"] = row["budget"].replace("steps", "rounds")  # as tables of schema 1 called them
    for task, budget in dict.fromkeys((row["task"], row["budget"]) for row in rows):
        every = [row for row in rows if (row["task"], row["budget"]) == (task, budget)]
        well = [row for row in every if row["status"] == "ok"]
        fids = [float(row["fid"]) for row in well if row["fid"]]
        modes = [float(row["modes_captured"]) for row in well if row["modes_captured"]]
        yield Reference(
            task=task,
            runs=f"{len(well)}/{len(every)}",
            fid=math.exp(fmean(map(math.log, fids))) if fids else None,
            modes=f"{fmean(modes):.3g}/{well[0]['modes_total']}" if modes else "",
            command=f"zoo bench --models {model} --task {task} --budget {budget} --seeds {len(every)}",
        )

"""Records and tables of older layouts, converted to the current one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo.registry import installed
from zoo_bench.plan.columns import TRAILING_COLUMNS
from zoo_bench.plan.record import LEARNING_CURVE, SCHEMA_VERSION
from zoo_bench.plan.spec import key

if TYPE_CHECKING:
    import pandas as pd


WRONG_KEY = "its run_id is not the hash of its spec, so one of them was changed"


def _upgraded_to_2(fields: dict[str, Any]) -> dict[str, Any]:
    """Rounds were called steps, also in a budget and so in the run's key; a model's diagnostics were its figures.

    The losses of a point of the history stood beside what was spent.
    """
    fields = _renamed(fields, "steps", "rounds")
    if isinstance(errors := fields.get("metric_errors"), dict):
        fields["metric_errors"] = _renamed(errors, "figures", "diagnostics")
    if isinstance(history := fields.get("history"), list):
        fields["history"] = [_with_losses_apart(point) for point in history]
    spec = fields.get("spec")
    if isinstance(spec, dict) and isinstance(budget := spec.get("budget"), str) and "steps" in budget:
        fields["spec"] = {**spec, "budget": budget.replace("steps", "rounds")}
        fields["run_id"] = key(fields["spec"])
    return fields


CURVE_COLUMNS = ("fid_best", "fid_auc", "images_to_target", "seconds_to_target")
"""What learning curves said in schema 2, where it stood among the values of metrics."""


def _upgraded_to_3(fields: dict[str, Any]) -> dict[str, Any]:
    """How a run is scored was part of its key, and threads were not; values of metrics stood side by side.

    Versions of metrics were not recorded: those of genzoo had their first, those of others are unknown.
    """
    spec, values, errors = dict(fields["spec"]), dict(fields.pop("metrics", {})), dict(fields.pop("metric_errors", {}))
    judge, names = spec.pop("judge"), [*spec.pop("metrics"), *(name for name in errors if name != "diagnostics")]
    spec["threads"] = fields["threads"] if spec["device"] == "cpu" else None
    curve = {column: values.pop(column) for column in CURVE_COLUMNS if column in values}
    found = {name: {c: values.pop(c) for c in _columns_of().get(name, ()) if c in values} for name in names}
    scores = {
        name: {**_version(name), "judge": judge, "values": found[name], "error": errors.get(name, "")} for name in found
    }
    if curve:
        scores[LEARNING_CURVE] = {"plugin": "genzoo", "version": "1", "judge": judge, "values": curve}
    return {
        **fields,
        "run_id": key(spec),
        "spec": spec,
        "judge": judge,
        "scores": scores if fields["status"] == "ok" else {},
        "diagnostics": values,
        "diagnostics_error": errors.get("diagnostics", ""),
        "curve_judge": judge if fields.get("curve") else "",
    }


def _version(metric: str) -> dict[str, str]:
    return {"plugin": "genzoo", "version": "1"} if metric in _columns_of(of="genzoo") else {"plugin": "", "version": ""}


@cache
def _columns_of(of: str = "") -> dict[str, list[str]]:
    """Return the columns of every installed metric by its name, or only of those of one distribution."""
    entries = [entry for entry in installed().metrics if entry.plugin.distribution == (of or entry.plugin.distribution)]
    return {entry.spec.name: [column.name for column in entry.spec.columns] for entry in entries}


def _with_losses_apart(point: Any) -> Any:
    """Move the losses of a history's point, which stood beside what was spent, into a mapping of their own."""
    if not isinstance(point, dict):
        return point
    spent = ("images", "seconds")
    losses = {name: value for name, value in point.items() if name not in spent}
    return {**{name: point[name] for name in spent if name in point}, "losses": losses}


def _renamed(fields: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in fields.items()}


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _upgraded_to_2, 2: _upgraded_to_3}
"""By schema version: how a record of that version, as parsed JSON, becomes one of the next."""


def upgraded(fields: Any) -> Any:
    """Convert the parsed JSON of a record to the current layout, one version at a time.

    Raises:
        ValueError: If the record is of a newer version, or an older one's ``run_id`` is not the hash of its spec.
    """
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if not isinstance(version, int):
        return fields
    if version > SCHEMA_VERSION:
        raise ValueError(f"it has schema {version}, this genzoo reads up to {SCHEMA_VERSION}: upgrade genzoo")
    if version in UPGRADES and key(_mapping(fields, "spec")) != fields.get("run_id"):
        raise ValueError(WRONG_KEY)
    while version < SCHEMA_VERSION and version in UPGRADES:
        version += 1
        try:
            fields = {**UPGRADES[version - 1](fields), "schema_version": version}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"as a record of schema {version - 1} it lacks something: {error}") from error
    return fields


def _mapping(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"it has no {name}")
    return value


def upgraded_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert a table to the current layout as records are."""
    import pandas as pd

    if "metric_versions" in frame or not {"budget", "config", "threads"} <= set(frame):
        return frame
    ours = sorted({*(c for columns in _columns_of(of="genzoo").values() for c in columns), *CURVE_COLUMNS} & set(frame))
    texts = dict.fromkeys(column for column in TRAILING_COLUMNS if column not in frame) | {
        "budget": frame["budget"].astype("string").str.replace("steps", "rounds"),
        "metric_versions": json.dumps({"genzoo 1": " ".join(ours)}),
    }
    version = pd.array([SCHEMA_VERSION] * len(frame), dtype="Int64")
    frame = frame.rename(columns={"steps": "rounds"}).assign(**texts, schema_version=version)
    frame = frame.assign(run_id=[_key_of(row) for row in frame[list(KEY_COLUMNS)].itertuples(index=False)])
    frame = frame.astype(dict.fromkeys([*texts, "run_id"], "string"))
    return frame[[*(column for column in frame if column not in TRAILING_COLUMNS), *TRAILING_COLUMNS]]


KEY_COLUMNS = (
    "model",
    "plugin",
    "plugin_version",
    "task",
    "task_version",
    "budget",
    "precision_mode",
    "device",
    "seed",
    "threads",
    "config",
)
"""Columns of older tables from which a run's key is computed."""


def _key_of(row: Any) -> str:
    *texts, seed, threads, config = row
    spec = dict(zip(KEY_COLUMNS, map(str, texts), strict=False))
    on_cpu = spec["device"] == "cpu"
    return key(
        {**spec, "seed": int(seed), "threads": int(threads) if on_cpu else None, "config": json.loads(str(config))}
    )

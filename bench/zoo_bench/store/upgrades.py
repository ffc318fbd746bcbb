"""Records and tables of older layouts, converted to the current one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zoo_bench.plan.record import SCHEMA_VERSION
from zoo_bench.plan.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd


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
        fields["run_id"] = RunSpec.model_validate(fields["spec"]).run_id
    return fields


def _with_losses_apart(point: Any) -> Any:
    """Move the losses of a history's point, which stood beside what was spent, into a mapping of their own."""
    if not isinstance(point, dict):
        return point
    spent = ("images", "seconds")
    losses = {name: value for name, value in point.items() if name not in spent}
    return {**{name: point[name] for name in spent if name in point}, "losses": losses}


def _renamed(fields: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in fields.items()}


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _upgraded_to_2}
"""By schema version: how a record of that version, as parsed JSON, becomes one of the next."""


def upgraded(fields: Any) -> Any:
    """Convert the parsed JSON of a record to the current layout, one version at a time."""
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if not isinstance(version, int):
        return fields
    if version > SCHEMA_VERSION:
        raise ValueError(f"it has schema {version}, this genzoo reads up to {SCHEMA_VERSION}: upgrade genzoo")
    while version < SCHEMA_VERSION and version in UPGRADES:
        version += 1
        fields = {**UPGRADES[version - 1](fields), "schema_version": version}
    return fields


def upgraded_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert a table to the current layout as records are; ``run_id`` stays, as a table lacks parts of the spec."""
    if "rounds" in frame or not {"steps", "budget"} <= set(frame):
        return frame
    import pandas as pd

    budget = frame["budget"].astype("string").str.replace("steps", "rounds")
    version = pd.array([2] * len(frame), dtype="Int64")
    return frame.rename(columns={"steps": "rounds"}).assign(budget=budget, schema_version=version)

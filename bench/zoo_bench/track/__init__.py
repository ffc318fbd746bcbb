"""Trackers: third-party tools for watching runs, each an optional extra. This module has what they share."""

from __future__ import annotations

import json
import math

from zoo_bench.plan.record import RunRecord
from zoo_bench.plan.spec import RunSpec


def parameters(spec: RunSpec) -> dict[str, str | int | float | bool]:
    """Return a run's spec as flat parameters; the model's settings are called ``config.NAME``."""
    fields = spec.model_dump(mode="json", exclude_defaults=True)
    config = {f"config.{name}": value for name, value in fields.pop("config").items()}
    flat = {**fields, **config, "run_id": spec.run_id}
    return {name: value if isinstance(value, str | int | float) else json.dumps(value) for name, value in flat.items()}


def figures(record: RunRecord) -> dict[str, float]:
    """Return a run's finite final figures by column of ``results.csv``."""
    costs = {
        name: getattr(record, name) for name in ("images", "rounds", "updates", "train_seconds", "flops", "params")
    }
    values = {**record.metrics, **record.throughput, **costs}
    return {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}

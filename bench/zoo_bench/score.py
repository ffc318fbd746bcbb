"""Scoring samples with metrics, each on its own: one that fails leaves the others standing."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from typing import Any

from zoo.errors import PluginError, ZooError
from zoo.evaluation import Evaluation
from zoo.specs import MetricSpec


def score(evaluation: Evaluation, metrics: Iterable[MetricSpec]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the value of every column, and a sentence for every metric that could not be computed."""
    values: dict[str, float] = {}
    errors: dict[str, str] = {}
    for metric in metrics:
        try:
            values |= _checked(metric, metric.load()(evaluation))
        except ZooError as error:
            errors[metric.name] = str(error)
        except Exception as error:
            errors[metric.name] = f"{type(error).__name__}: {error}"
            print(f"metric {metric.name!r} failed:\n{traceback.format_exc()}", file=sys.stderr)
    return values, errors


def _checked(metric: MetricSpec, result: Any) -> dict[str, float]:
    known = {column.name for column in metric.columns}
    if not isinstance(result, dict) or not result.keys() <= known:
        raise PluginError(f"metric {metric.name!r} must return a dict with keys among {', '.join(sorted(known))}")
    return {name: float(value) for name, value in result.items()}

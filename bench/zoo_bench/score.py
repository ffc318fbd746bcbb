"""Scoring samples with metrics, and the model's own figures, each on its own: one that fails leaves the others."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Collection, Iterable
from typing import Any

import torch
from torch import Tensor

from zoo.errors import FAILURES, PluginError, ZooError, described
from zoo.evaluation import Evaluation
from zoo.model import GenerativeModel
from zoo.specs import MetricSpec
from zoo.task import to_model

COLUMN = re.compile(r"[a-z][a-z0-9_]*")


def score(evaluation: Evaluation, metrics: Iterable[MetricSpec]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the value of every column, and a sentence for every metric that could not be computed."""
    values: dict[str, float] = {}
    errors: dict[str, str] = {}
    for metric in metrics:
        try:
            values |= _checked(metric, metric.load()(evaluation))
        except ZooError as error:
            errors[metric.name] = str(error)
        except FAILURES as error:
            errors[metric.name] = described(error)
            print(f"metric {metric.name!r} failed:\n{traceback.format_exc()}", file=sys.stderr)
    return values, errors


def own_figures(
    model: GenerativeModel, held_out: Tensor, taken: Collection[str]
) -> tuple[dict[str, float], dict[str, str]]:
    """Return a trained model's figures on held-out data, or a sentence under "figures" if it fails.

    Args:
        model: The model; its mode is kept.
        held_out: Stored items, (N, ...).
        taken: Columns that it may not use.
    """
    training = model.training
    try:
        with torch.no_grad():
            found = model.eval().figures(to_model(held_out.to(model.device)))
        return _figures(type(model).__name__, found, taken), {}
    except ZooError as error:
        return {}, {"figures": str(error)}
    except FAILURES as error:
        print(f"{type(model).__name__}.figures failed:\n{traceback.format_exc()}", file=sys.stderr)
        return {}, {"figures": described(error)}
    finally:
        model.train(training)


def _figures(name: str, found: Any, taken: Collection[str]) -> dict[str, float]:
    if not isinstance(found, dict) or not all(COLUMN.fullmatch(str(column)) for column in found):
        raise PluginError(f"{name}.figures() must return a dict with keys of lower-case letters, digits and '_'")
    if clash := sorted(found.keys() & set(taken)):
        raise PluginError(f"{name}.figures() returns {clash[0]!r}, a column that others fill: choose another name")
    return {column: float(value) for column, value in found.items()}


def _checked(metric: MetricSpec, result: Any) -> dict[str, float]:
    known = {column.name for column in metric.columns}
    if not isinstance(result, dict) or not result.keys() <= known:
        raise PluginError(f"metric {metric.name!r} must return a dict with keys among {', '.join(sorted(known))}")
    return {name: float(value) for name, value in result.items()}

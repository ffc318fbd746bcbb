"""Scoring samples with metrics, and the diagnostics of the model; if one fails, the others are still computed."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from zoo.columns import is_column_name
from zoo.errors import FAILURES, PluginError, ZooError, error_sentence
from zoo.evaluation import Evaluation
from zoo.model import GenerativeModel
from zoo.specs import MetricSpec
from zoo.task import to_model


@dataclass
class Scored:
    """The result of scoring.

    Attributes:
        values: By column.
        errors: A sentence for each metric that could not be computed, by its name.
        traceback: Tracebacks of the exceptions, one after another.
    """

    values: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    traceback: str = ""

    def failed(self, name: str, error: BaseException) -> None:
        """Record why something could not be computed; a :class:`ZooError` needs no traceback."""
        if isinstance(error, ZooError):
            self.errors[name] = str(error)
        else:
            self.errors[name] = error_sentence(error)
            self.traceback += "".join(traceback.format_exception(error))


def score(evaluation: Evaluation, metrics: Iterable[MetricSpec]) -> Scored:
    """Score the generated items with every metric."""
    scored = Scored()
    for metric in metrics:
        try:
            scored.values |= _checked(metric, metric.load()(evaluation))
        except FAILURES as error:
            scored.failed(metric.name, error)
    return scored


def model_diagnostics(model: GenerativeModel, held_out: Tensor, check_name: Callable[[str], None]) -> Scored:
    """Return a trained model's diagnostics on held-out data, or why there are none under "diagnostics".

    Args:
        model: The model; its mode is kept.
        held_out: Stored items, (N, ...).
        check_name: Raises for a column that the model may not fill.
    """
    training, scored = model.training, Scored()
    try:
        with torch.no_grad():
            diagnostics = model.eval().diagnostics(to_model(held_out.to(model.device)))
        scored.values = _columns(type(model).__name__, diagnostics, check_name)
    except FAILURES as error:
        scored.failed("diagnostics", error)
    finally:
        model.train(training)
    return scored


def _columns(name: str, diagnostics: Any, check_name: Callable[[str], None]) -> dict[str, float]:
    if not isinstance(diagnostics, dict) or not all(is_column_name(str(column)) for column in diagnostics):
        raise PluginError(f"{name}.diagnostics() must return a dict with keys of lower-case letters, digits and '_'")
    for column in sorted(diagnostics):
        check_name(column)
    return {column: float(value) for column, value in diagnostics.items()}


def _checked(metric: MetricSpec, result: Any) -> dict[str, float]:
    columns = {column.name: column for column in metric.columns}
    if not isinstance(result, dict) or not result.keys() <= columns.keys():
        raise PluginError(f"metric {metric.name!r} must return a dict with keys among {', '.join(sorted(columns))}")
    values = {name: float(value) for name, value in result.items()}
    for name, value in values.items():
        if columns[name].integer and not value.is_integer():
            raise PluginError(f"metric {metric.name!r} declares {name!r} as whole numbers and returned {value}")
    return values

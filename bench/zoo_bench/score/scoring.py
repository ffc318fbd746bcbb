"""Scoring samples with metrics, and the model's own diagnostics, each on its own: one that fails leaves the others."""

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
    """What scoring found.

    Attributes:
        values: Of every column.
        errors: A sentence for everything that could not be computed, by name.
        traceback: Where exceptions came from.
    """

    values: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    traceback: str = ""

    def failed(self, name: str, error: BaseException) -> None:
        """Note why something could not be computed; a :class:`ZooError` says all in its sentence."""
        if isinstance(error, ZooError):
            self.errors[name] = str(error)
        else:
            self.errors[name] = error_sentence(error)
            self.traceback += "".join(traceback.format_exception(error))


def score(evaluation: Evaluation, metrics: Iterable[MetricSpec]) -> Scored:
    """Score what was generated with every metric."""
    found = Scored()
    for metric in metrics:
        try:
            found.values |= _checked(metric, metric.load()(evaluation))
        except FAILURES as error:
            found.failed(metric.name, error)
    return found


def model_diagnostics(model: GenerativeModel, held_out: Tensor, check_name: Callable[[str], None]) -> Scored:
    """Return a trained model's diagnostics on held-out data, or why there are none under "diagnostics".

    Args:
        model: The model; its mode is kept.
        held_out: Stored items, (N, ...).
        check_name: Raises for a column that the model may not fill.
    """
    training, found = model.training, Scored()
    try:
        with torch.no_grad():
            own = model.eval().diagnostics(to_model(held_out.to(model.device)))
        found.values = _columns(type(model).__name__, own, check_name)
    except FAILURES as error:
        found.failed("diagnostics", error)
    finally:
        model.train(training)
    return found


def _columns(name: str, found: Any, check_name: Callable[[str], None]) -> dict[str, float]:
    if not isinstance(found, dict) or not all(is_column_name(str(column)) for column in found):
        raise PluginError(f"{name}.diagnostics() must return a dict with keys of lower-case letters, digits and '_'")
    for column in sorted(found):
        check_name(column)
    return {column: float(value) for column, value in found.items()}


def _checked(metric: MetricSpec, result: Any) -> dict[str, float]:
    known = {column.name: column for column in metric.columns}
    if not isinstance(result, dict) or not result.keys() <= known.keys():
        raise PluginError(f"metric {metric.name!r} must return a dict with keys among {', '.join(sorted(known))}")
    values = {name: float(value) for name, value in result.items()}
    for name, value in values.items():
        if known[name].integer and not value.is_integer():
            raise PluginError(f"metric {metric.name!r} declares {name!r} as whole numbers and returned {value}")
    return values

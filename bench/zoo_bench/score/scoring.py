"""Scoring samples with metrics, and the diagnostics of the model; if one fails, the others are still computed."""

from __future__ import annotations

import random
import traceback
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.catalogue import Entry
from zoo.columns import is_column_name
from zoo.errors import FAILURES, PluginError, ZooError, error_sentence
from zoo.evaluation import Evaluation, Reference
from zoo.model import GenerativeModel
from zoo.signs import alive
from zoo.specs import MetricSpec
from zoo.task import to_model
from zoo_bench.plan.record import RunRecord, Score
from zoo_bench.plan.scoring import score_key
from zoo_bench.score.metrics.panel import references

HARDLY_VARY = "features that hardly vary among real items"
MAX_NAMED = 10
"""Features that a sentence names; of more it gives the number."""


@dataclass
class Scored:
    """The result of scoring.

    Attributes:
        scores: By metric, with values or a sentence on why there are none.
        traceback: Tracebacks of the exceptions, one after another.
    """

    scores: dict[str, Score] = field(default_factory=dict)
    traceback: str = ""

    @property
    def values(self) -> dict[str, float]:
        """By column."""
        return {column: value for score in self.scores.values() for column, value in score.values.items()}

    @property
    def errors(self) -> dict[str, str]:
        """A sentence for each metric that could not be computed, by its name."""
        return {name: score.error for name, score in self.scores.items() if score.error}


def score(evaluation: Evaluation, metrics: Iterable[Entry[MetricSpec]]) -> Scored:
    """Score the generated items with every metric.

    A metric that draws random numbers draws the same ones whichever others are computed.
    """
    scored = Scored()
    for entry in metrics:
        name, result = entry.spec.name, score_key(entry, evaluation.task)
        alive(f"metric {name!r}")
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(zlib.crc32(name.encode()))
        try:
            result.values = _checked(entry.spec, entry.spec.load()(evaluation))
        except FAILURES as error:
            result.error, details = _described(error)
            scored.traceback += details
        scored.scores[name] = result
    return scored


def note_constants(record: RunRecord, reference: Reference) -> None:
    """Note which features of which judge hardly vary among real items, in place of what was noted of that before."""
    record.notes = [note for note in record.notes if not note.startswith(HARDLY_VARY)]
    try:
        for under in references(reference):
            if found := under.nearly_constant:
                named = ", ".join(map(str, found[:MAX_NAMED])) + (", ..." if len(found) > MAX_NAMED else "")
                count = f"{len(found)} of the {under.features.shape[1]} of {under.task.judge.name} ({named})"
                record.notes.append(f"{HARDLY_VARY} are measured in the median unit of the others: {count}")
    except FAILURES:  # a judge that fails, which its metrics say
        pass


def diagnose(record: RunRecord, model: GenerativeModel, held_out: Tensor, check_name: Callable[[str], None]) -> None:
    """Put a trained model's diagnostics on held-out data, or why there are none, into its record.

    Args:
        record: The record of its run, which also seeds what the model draws.
        model: The model; its mode is kept.
        held_out: Stored items, (N, ...).
        check_name: Raises for a column that the model may not fill.
    """
    alive("the model's diagnostics")
    training = model.training
    torch.manual_seed(record.spec.seed_of("sampling"))
    try:
        with torch.no_grad():
            diagnostics = model.eval().diagnostics(to_model(held_out.to(model.device)))
        record.diagnostics = _columns(type(model).__name__, diagnostics, check_name)
    except FAILURES as error:
        record.diagnostics_error, details = _described(error)
        record.traceback += details
    finally:
        model.train(training)


def _described(error: BaseException) -> tuple[str, str]:
    """Return an error as a sentence and its traceback, of which a :class:`ZooError` needs none."""
    if isinstance(error, ZooError):
        return str(error), ""
    return error_sentence(error), "".join(traceback.format_exception(error))


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

"""Scoring samples with metrics, and the diagnostics of the model; if one fails, the others are still computed."""

from __future__ import annotations

import inspect
import math
import random
import reprlib
import zlib
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from zoo.catalogue import Entry
from zoo.columns import MAX_COLUMNS, is_column_name
from zoo.errors import FAILURES, PluginError, ZooError, error_details, error_sentence, reraise_ctrl_c
from zoo.evaluation import Evaluation, Reference
from zoo.isolation import put_back
from zoo.model import GenerativeModel
from zoo.shared import Seal
from zoo.signs import alive
from zoo.specs import MetricSpec
from zoo.task import Split, Task, to_model
from zoo_bench.plan.record import RunRecord, Score
from zoo_bench.plan.scoring import score_key
from zoo_bench.score.metrics.panel import references

RETURNED = "return a dict with keys of lower-case letters, digits and '_'"
MAX_FAULTS = 5
"""Faults of one metric or of diagnostics that are named."""

MAX_MODES_COUNTED = 100
"""Modes up to which a record holds the number of samples of each."""

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


def score(
    evaluation: Evaluation,
    metrics: Iterable[Entry[MetricSpec]],
    load: Callable[[], Task] | None = None,
    on_score: Callable[[Scored], None] = lambda scored: None,
) -> Scored:
    """Score the generated items with every metric.

    A metric draws the same random numbers whichever others are computed, and sees the same evaluation: one that writes
    into it, or changes settings of the process, fails by name, and what it changed is put back before the next.

    Args:
        evaluation: The items.
        metrics: The metrics.
        load: Loads the evaluation's task again, if a metric has written into its data or judges.
        on_score: Called after each metric.
    """
    scored = Scored()
    sources = Seal({"generated": evaluation.generated, "labels": evaluation.labels, "task": evaluation.task})
    generated, attributes = evaluation.generated.clone(), dict(vars(evaluation))
    lost = ""
    for entry in metrics:
        name, result = entry.spec.name, score_key(entry, evaluation.task)
        alive(f"metric {name!r}")
        scored.scores[name] = result
        if lost:
            result.error = lost
            continue
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(zlib.crc32(name.encode()))
        changes: list[str] = []
        try:
            with put_back(changes):
                found = entry.load()(evaluation)
            result.values, result.error = _checked(entry.spec, found)
        except BaseException as error:
            reraise_ctrl_c(error)
            result.error, details = _described(error)
            scored.traceback += details
        replaced = [key for key, value in attributes.items() if vars(evaluation).get(key) is not value]
        vars(evaluation).update(attributes)
        damaged = sources.broken()
        if written := [*replaced, *damaged, *evaluation.written()]:
            evaluation.forget()
            changes.append(f"writes into {', '.join(written[:3])}, which other metrics read: let it work on a copy")
        if damaged and not (load and sources.mend({"generated": generated, "task": load()})):
            lost = f"it was not computed, as metric {name!r} wrote into {damaged[0]}, which cannot be loaded again"
        if changes:
            result.values, result.error = {}, f"metric {name!r} {'; '.join(changes)}"
        on_score(scored)
    return scored


def count_modes(record: RunRecord, evaluation: Evaluation) -> None:
    """Put into the record how many samples, and how many real items, are of each known mode, if there are not many."""
    total = evaluation.task.modes
    record.mode_counts, record.mode_counts_real = [], []
    if not 0 < total <= MAX_MODES_COUNTED or evaluation.task.test.modes is None:
        return
    with suppress(*FAILURES):  # a judge that fails, which its metrics say
        record.mode_counts = torch.bincount(evaluation.modes_generated, minlength=total).tolist()
        record.mode_counts_real = torch.bincount(evaluation.modes_real, minlength=total).tolist()


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


def diagnose(record: RunRecord, model: GenerativeModel, held_out: Split, check_name: Callable[[str], None]) -> None:
    """Put a trained model's diagnostics on held-out data, or why there are none, into its record.

    Args:
        record: The record of its run, which also seeds what the model draws.
        model: The model; its mode is kept.
        held_out: Items, with their classes for a model that is given labels.
        check_name: Raises for a column that the model may not fill.
    """
    alive("the model's diagnostics")
    training = model.training
    name = f"{type(model).__name__}.diagnostics()"
    torch.manual_seed(record.spec.seed_of("sampling"))
    try:
        with torch.no_grad():
            real, given = to_model(held_out.data.to(model.device)), {}
            if model.conditional and "labels" in inspect.signature(model.diagnostics).parameters:
                assert held_out.modes is not None, "planning refuses to give labels that a task does not have"
                given["labels"] = held_out.modes.to(model.device)
            found = model.eval().diagnostics(real, **given)
        if not isinstance(found, dict):
            raise PluginError(f"{name} must {RETURNED}")
        if len(found) > MAX_COLUMNS:
            raise PluginError(f"{name} returns {len(found):,} values, and none is kept: {MAX_COLUMNS} are the limit")

        def check(key: Any) -> None:
            if not is_column_name(str(key)):
                raise PluginError(f"{name} must {RETURNED}, not {reprlib.repr(key)}")
            check_name(key)

        record.diagnostics, record.diagnostics_error = _numbers(found, check, name)
    except BaseException as error:
        reraise_ctrl_c(error)
        record.diagnostics_error, details = _described(error)
        record.traceback += details
    finally:
        model.train(training)


def _described(error: BaseException) -> tuple[str, str]:
    """Return an error as a sentence and its traceback, of which a :class:`ZooError` needs none."""
    if isinstance(error, ZooError):
        return str(error), ""
    return error_sentence(error), error_details(error)


def _numbers(
    found: Mapping[Any, Any], check: Callable[[Any], None], subject: str, infinite: Container[str] = ()
) -> tuple[dict[str, float], str]:
    """Return what can stand in a column, and a sentence on what cannot; it leaves the others.

    Args:
        found: What a plugin returned.
        check: Raises a :class:`ZooError` for a name that cannot be a column's.
        subject: What returned it, which begins the sentence.
        infinite: Names of which infinity is a value.
    """
    values, faults = {}, []
    for name, value in found.items():
        try:
            check(name)
            number = float(value)
        except ZooError as error:
            faults.append(str(error))
        except BaseException as error:
            reraise_ctrl_c(error)
            faults.append(f"{subject} returns no number as {name!r}: {error_sentence(error)}")
        else:
            if math.isfinite(number) or (name in infinite and not math.isnan(number)):
                values[name] = number
            else:
                faults.append(f"{subject} returns {name!r} as {number}")
    more = [f"and {len(faults) - MAX_FAULTS} more"] if len(faults) > MAX_FAULTS else []
    return values, "; ".join(faults[:MAX_FAULTS] + more)


def _checked(metric: MetricSpec, result: Any) -> tuple[dict[str, float], str]:
    columns = {column.name: column for column in metric.columns}
    subject = f"metric {metric.name!r}"
    if not isinstance(result, dict) or not result.keys() <= columns.keys():
        raise PluginError(f"{subject} must return a dict with keys among {', '.join(sorted(columns))}")
    infinite = [name for name, column in columns.items() if column.infinite]
    values, fault = _numbers(result, lambda name: None, subject, infinite)
    for name, value in values.items():
        if columns[name].integer and not value.is_integer():
            raise PluginError(f"{subject} declares {name!r} as whole numbers and returned {value}")
    return values, fault

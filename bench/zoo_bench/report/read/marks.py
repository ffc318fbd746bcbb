"""What speaks against a model's figures: it is then marked, and no claim is made of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from zoo_bench.report.read.agreement import JUDGES
from zoo_bench.report.read.claims import Model
from zoo_bench.report.text import figure, listed

BELOW_REAL = 0.7
"""A mean FID below this share of what real items score is marked, if it is so under every judge. That of a perfect
model varies by 10 to 20 % by chance alone."""

FITS_JUDGE = 4.0
"""By this factor at least a model must stand worse among the others under every further judge than under the first."""


def marked(models: Sequence[Model]) -> list[Model]:
    """Return the models with what their figures say against them among their marks."""
    trained = [model for model in models if not model.outside]
    return [_with(model, [_below_real(model), _fits_judge(model, trained)]) for model in models]


def _with(model: Model, marks: Sequence[str]) -> Model:
    return replace(model, marks=(*model.marks, *(mark for mark in marks if mark)))


def _fids(model: Model) -> dict[str, float]:
    """Return the geometric mean of FID under each judge."""
    return {column: model.estimates[column].mean for column in JUDGES if _mean(model, column) > 0}


def _mean(model: Model, column: str) -> float:
    return model.estimates[column].mean if column in model.estimates else math.nan


def _below_real(model: Model) -> str:
    shares = {column: _mean(model, column) / _mean(model, f"{column}_real") for column in _fids(model)}
    if not shares or not all(share < BELOW_REAL for share in shares.values()):
        return ""
    return f"its FID is {figure(shares['fid'])} of what real items score, so it has seen the test split"


def _fits_judge(model: Model, models: Sequence[Model]) -> str:
    """Return a mark if a model stands far better under the first judge than under each of the others.

    How it stands is its FID over the median of the other models' FIDs under that judge, so that neither the judges'
    scales matter nor that some see a kind of fault more sharply in all models.
    """
    others = [_fids(other) for other in models if other is not model]
    stands: Mapping[str, float] = {
        column: value / statistics.median(values)
        for column, value in _fids(model).items()
        if (values := [fids[column] for fids in others if column in fids])
    }
    first = stands.get("fid", math.nan)
    further = {column: value for column, value in stands.items() if column != "fid"}
    if not further or not all(value > FITS_JUDGE * first for value in further.values()):
        return ""
    under = [f"{figure(value)} under {JUDGES[column]}" for column, value in further.items()]
    return f"its FID is {figure(first)} of the others' under the task's judge, {listed(under)}: it fits that judge"

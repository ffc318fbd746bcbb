"""The floor of FID: what as many real items would score against the same test split, by chance alone."""

from __future__ import annotations

import math
import statistics
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.evaluation import Judged, Reference
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.frechet import expected_null
from zoo_bench.score.metrics.inputs import check

REHEARSALS = 10

MIN_TRAINING_ITEMS = 16
"""Training items from which each part of a rehearsal has four."""

MIN_UNIT = 0.1
"""Smallest unit of a feature in a rehearsal: it may hardly vary among the few items that stand for the test split."""


class Floor(NamedTuple):
    """What real items score.

    Attributes:
        mean: Expected FID of fresh real items, above 0.
        sd: Standard deviation of the FID of fresh real items about ``mean``, which is an estimate itself; NaN if it is
            unknown.
    """

    mean: float
    sd: float


def real_floor(reference: Reference, n: int) -> Floor:
    """Estimate the FID of ``n`` fresh real items against the test split T.

    To first order FID is a squared distance, so that of two independent samples A and B is e(A) + e(B) on average, with
    e the distance of each from the truth. The validation split V may be small, or made of few originals, and training
    items R may differ from fresh ones because the judge was trained on them. The three-cornered hat (Gray and Allan
    1974) frees the distance of T of both: e(T) = (d(R, T) + d(V, T) - d(R, V)) / 2.

    What that leaves out, which is e of the ``n`` items and all that is not of first order, is found by rehearsals, in
    which disjoint parts of the training split take the places of all: the mean error of the hat is added, and the
    standard deviation of its errors, in proportion to d(V, T), is the spread. If the part for the fresh items has fewer
    than ``n``, its FID is extrapolated linearly in 1/n from its halves and the whole (Chong and Forsyth 2020).

    Args:
        reference: The real side of the comparison.
        n: Number of generated items, at least 2.

    Returns:
        The floor. Where there are fewer than 16 training or 2 validation items, or the validation split is the test
        split, it is what :func:`expected_null` says, without a spread.

    Raises:
        ZooError: If features of training or validation items are infinite or NaN, or those of training all the same.
    """
    task, test = reference.task, reference.features
    least = expected_null(test, n, len(test))
    if len(task.train) < MIN_TRAINING_ITEMS or len(task.validation) < 2:
        return Floor(least, math.nan)
    if torch.equal(task.validation.data, task.test.data):
        return Floor(least, math.nan)
    validation = reference.standardise(Judged(task.judge, task.validation.data, keep=True).features)
    check(2, training=reference.features_train, validation=validation)
    return floor_of(reference.features_train, validation, test, n)


def floor_of(training: Tensor, validation: Tensor, test: Tensor, n: int) -> Floor:
    """Return the floor from features, as :func:`real_floor` describes it.

    Args:
        training: (T, F) float64, T >= 16.
        validation: (V, F) float64, V >= 2, in the same units.
        test: (M, F) float64, M >= 2, standardised.
        n: Number of generated items, at least 2.
    """
    held_out = frechet_distance(validation, test)
    hat = _hat(training, validation, test, held_out)
    generator = torch.Generator().manual_seed(0)
    sizes = _sizes(len(training), len(validation), len(test), n)
    errors, distances = [], []
    for _ in range(REHEARSALS):
        order = torch.randperm(len(training), generator=generator)[: sum(sizes)]
        fresh, others, stand_in, target = _standardised(*training[order].split(sizes))
        distance = frechet_distance(stand_in, target)
        errors.append(_extrapolated(fresh, target, n) - _hat(others, stand_in, target, distance))
        distances.append(distance)
    least = expected_null(test, n, math.inf)
    scale = held_out / statistics.fmean(distances)
    return Floor(max(hat + statistics.fmean(errors), least), statistics.stdev(errors) * scale)


def _hat(training: Tensor, validation: Tensor, test: Tensor, held_out: float) -> float:
    """Return the distance of the test split from the truth; ``held_out`` is that from the validation split."""
    return (frechet_distance(training, test) + held_out - frechet_distance(training, validation)) / 2


def _sizes(training: int, validation: int, test: int, n: int) -> list[int]:
    """Return how many training items stand for the fresh, training, validation and test items of a rehearsal."""
    quarter = training // 4
    stand_in, target = min(validation, quarter), min(test, quarter)
    fresh = min(n, (training - stand_in - target) // 2)
    return [fresh, fresh, stand_in, target]


def _standardised(*parts: Tensor) -> list[Tensor]:
    """Return the parts in units of the last one, as metrics see generated items in those of the test split."""
    std, mean = torch.std_mean(parts[-1], dim=0)
    return [(part - mean) / std.clamp_min(MIN_UNIT) for part in parts]


def _extrapolated(fresh: Tensor, target: Tensor, n: int) -> float:
    """Return the FID of ``n`` items like those that are fresh, of which there may be fewer."""
    whole = frechet_distance(fresh, target)
    if len(fresh) >= n:
        return whole
    halves = statistics.fmean(frechet_distance(half, target) for half in fresh.tensor_split(2))
    return whole - (1 - len(fresh) / n) * (halves - whole)

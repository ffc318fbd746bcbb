"""The floor of FID: what as many real items would score against the same test split, by chance alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.evaluation import Judged, Reference, feature_scale
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.frechet import expected_null
from zoo_bench.score.metrics.kept import kept

REHEARSALS = 20

MANY_FEATURES = 512
"""Features from which a distance takes long, 6 s at 2,048 and 10,000 items, and varies little between rehearsals."""

FEW_REHEARSALS = 5
"""Rehearsals with so many features."""

VERSION = 1
"""Changes whenever a floor of the same features does: floors are kept."""

MIN_TRAINING_ITEMS = 16
"""Training items from which each part of a rehearsal has four."""


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
    which disjoint parts of the training split take the places of all: the mean error of the hat is added. If the part
    for the fresh items has fewer than ``n``, its FID is extrapolated linearly in 1/n from its halves and the whole
    (Chong and Forsyth 2020). The spread is found there too, see :func:`_variance`.

    Args:
        reference: The real side of the comparison.
        n: Number of generated items, at least 2.

    Returns:
        The floor. Where there are fewer than 16 training or 2 validation items, the validation split is the test split,
        or features of either are infinite or NaN, it is what :func:`expected_null` says, without a spread.
    """
    task, test = reference.task, reference.features
    least = expected_null(test, n, len(test))
    if len(task.train) < MIN_TRAINING_ITEMS or len(task.validation) < 2:
        return Floor(least, math.nan)
    if torch.equal(task.validation.data, task.test.data):
        return Floor(least, math.nan)
    validation = reference.standardise(Judged(task.judge, task.validation.data, keep=True).features)
    training = reference.features_train
    if not (training.isfinite().all() and validation.isfinite().all()):
        return Floor(least, math.nan)

    def compute(training: Tensor, validation: Tensor, test: Tensor) -> Tensor:
        return torch.tensor(floor_of(training, validation, test, n), dtype=torch.float64)

    return Floor(*kept(f"floor {VERSION} of {n}", compute, training, validation, test).tolist())


def floor_of(training: Tensor, validation: Tensor, test: Tensor, n: int) -> Floor:
    """Return the floor from features, as :func:`real_floor` describes it.

    Args:
        training: (T, F) float64, T >= 16.
        validation: (V, F) float64, V >= 2, in the same units.
        test: (M, F) float64, M >= 2, standardised.
        n: Number of generated items, at least 2.
    """
    generator = torch.Generator().manual_seed(0)
    sizes = _sizes(len(training), len(validation), len(test), n)
    rehearsals = []
    for _ in range(REHEARSALS if test.shape[1] < MANY_FEATURES else FEW_REHEARSALS):
        order = torch.randperm(len(training), generator=generator)[: sum(sizes)]
        fresh, others, stand_in, target = _standardised(*training[order].split(sizes))
        apart = frechet_distance(stand_in, target)
        hat, other = (_hat(items, stand_in, target, apart) for items in (others, fresh))
        rehearsals.append(_Rehearsal(hat, other, _extrapolated(other.training_to_test, fresh, target, n)))
    real = _hat(training, validation, test, frechet_distance(validation, test))
    mean = real.test + statistics.fmean(rehearsal.error for rehearsal in rehearsals)
    return Floor(max(mean, expected_null(test, n, math.inf)), math.sqrt(_variance(real, rehearsals, sizes, n)))


class _Hat(NamedTuple):
    """The distances of a training, a validation and a test split, which give that of each from the truth."""

    training_to_test: float
    validation_to_test: float
    training_to_validation: float

    @property
    def test(self) -> float:
        return sum(self) / 2 - self.training_to_validation

    @property
    def products(self) -> float:
        """The products of the three, two at a time, added."""
        training, validation = self.training_to_test - self.test, self.validation_to_test - self.test
        return training * validation + self.test * (training + validation)


class _Rehearsal(NamedTuple):
    """Two hats of the same stand-in and target, with different training items, and what the fresh items score."""

    hat: _Hat
    other: _Hat
    score: float

    @property
    def error(self) -> float:
        return self.score - self.hat.test


def _hat(training: Tensor, validation: Tensor, test: Tensor, validation_to_test: float) -> _Hat:
    return _Hat(frechet_distance(training, test), validation_to_test, frechet_distance(training, validation))


def _variance(real: _Hat, rehearsals: Sequence[_Rehearsal], sizes: Sequence[int], n: int) -> float:
    """Return the variance of the FID of fresh items about the floor: of their draw, of the hat, and of the mean error.

    The hat of T is the inner product of T - R and T - V, so its variance goes with the sum of e(R) e(V), e(R) e(T) and
    e(V) e(T). Two hats with different training items show the first two, for which e is that of independent items, in
    proportion to one over their number. If the real V and T are further apart than those of rehearsals, they are made
    of few originals, and their errors are not only larger but have fewer dimensions: the variance is taken in that
    proportion once more. NaN if the features of all training items but a few are the same.
    """
    of_draw = statistics.variance(r.other.training_to_test - r.hat.training_to_test for r in rehearsals) / 2
    of_training = statistics.variance(r.other.test - r.hat.test for r in rehearsals) / 2
    of_mean = statistics.variance(r.error for r in rehearsals) / len(rehearsals)
    fresh, others, stand_in, target = sizes
    unit = statistics.fmean(sum(r.hat) for r in rehearsals) / 2 / (1 / others + 1 / stand_in + 1 / target)
    shown = unit**2 / others * (1 / stand_in + 1 / target)
    rehearsed = statistics.fmean(r.hat.validation_to_test for r in rehearsals)
    if min(shown, rehearsed) <= 0:
        return math.nan
    originals = max(1.0, real.validation_to_test / rehearsed)
    return of_draw * fresh / n + of_training * max(real.products, 0.0) / shown * originals + of_mean


def _sizes(training: int, validation: int, test: int, n: int) -> list[int]:
    """Return how many training items stand for the fresh, training, validation and test items of a rehearsal."""
    quarter = training // 4
    stand_in, target = min(validation, quarter), min(test, quarter)
    fresh = min(n, (training - stand_in - target) // 2)
    return [fresh, fresh, stand_in, target]


def _standardised(*parts: Tensor) -> list[Tensor]:
    """Return the parts in units of the last one, as metrics see generated items in those of the test split."""
    mean, units = feature_scale(parts[-1])
    return [(part - mean) / units for part in parts]


def _extrapolated(whole: float, fresh: Tensor, target: Tensor, n: int) -> float:
    """Return the FID of ``n`` items like those that are fresh, of which there may be fewer, with the FID ``whole``."""
    if len(fresh) >= n:
        return whole
    halves = statistics.fmean(frechet_distance(half, target) for half in fresh.tensor_split(2))
    return whole - (1 - len(fresh) / n) * (halves - whole)

"""Quality against budget: a cheap score at several shares of it, and the checkpoint that scored best."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from time import perf_counter
from typing import Any

import torch

from zoo.evaluation import Evaluation, Reference
from zoo.model import GenerativeModel
from zoo.signs import alive
from zoo.task import Split, Task
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.plan.record import CurvePoint
from zoo_bench.score.drawing import draw, labels_to_draw
from zoo_bench.score.metrics.frechet import expected_null
from zoo_bench.score.sheets import COLUMNS
from zoo_bench.train.loop import Training
from zoo_bench.train.meter import Meter

CURVE_SHARES = tuple(2.0**-k for k in range(5, -1, -1))
"""Shares of the budget at which a run is scored: 1/32, 1/16, ..., 1."""

CURVE_SAMPLES = 2000
"""Samples, and items of the validation split, that a point is scored on; few, because a run has several points."""

TARGET_MULTIPLE = 5.0
"""Multiple of the floor at which the target lies."""


class Curve:
    """The learning curve of one run: FID of up to 2,000 samples against the validation split.

    Scoring is not charged to the budget and leaves the training randomness as it was. The best checkpoint is chosen
    here, on the validation split, so that the test split can score it without having chosen it.

    Attributes:
        points: At each mark: share, images, seconds and flops spent, and fid.
        target: Five times the expected FID of real data against the same items, see :func:`curve_values`.
        best: Weights of the point with the lowest FID.
        first: Of every point, the first 8 samples, (8, ...); all are of the same latents, so that they show what became
            of these.
        seconds: Wall-clock spent on scoring.

    Args:
        model: The model while it is trained.
        task: What it is trained on.
        seed: For sampling; every point uses the same latents.
    """

    def __init__(self, model: GenerativeModel, task: Task, seed: int) -> None:
        self.points: list[CurvePoint] = []
        self.best: dict[str, torch.Tensor] = {}
        self.first: list[torch.Tensor] = []
        self.seconds = 0.0
        self._model = model
        self._seed = seed
        self._samples = min(CURVE_SAMPLES, task.samples)
        self._labels = labels_to_draw(task, self._samples, seed) if model.conditional else None
        self._task = _on_validation(task)
        self._reference = Reference(self._task)

    def add(self, share: float, training: Training) -> None:
        """Score the model as it is now; samples that are not finite leave no point."""
        start = perf_counter()
        with torch.random.fork_rng():
            torch.manual_seed(self._seed)
            generated = draw(self._model, self._samples, self._labels)
            if generated is not None:
                self.first.append(generated[:COLUMNS])
                self._score(share, training.meter, generated)
        self.seconds += perf_counter() - start

    def state_dict(self) -> dict[str, Any]:
        """Return the points, the best weights, the first samples and the seconds, for the checkpoint of a run."""
        return {"points": self.points, "best": self.best, "first": self.first, "seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from an earlier curve."""
        vars(self).update({name: state[name] for name in ("points", "best", "first", "seconds")})

    @cached_property
    def target(self) -> float:
        """Five times the expected FID of real data against the same items."""
        return _target(self._reference, self._samples)

    def _score(self, share: float, meter: Meter, generated: torch.Tensor) -> None:
        alive("a point of the learning curve")
        evaluation = Evaluation(self._task, generated, self._reference)
        fid = frechet_distance(evaluation.features_generated, evaluation.features_real)
        self.points.append(
            {"share": share, "images": meter.images, "seconds": meter.seconds, "flops": meter.flops, "fid": fid}
        )
        if self.best_is_last:
            self.best = copy.deepcopy(self._model.state_dict())

    @property
    def best_is_last(self) -> bool:
        """Whether no earlier point scored better than the last."""
        return last_is_best(self.points)

    def values(self) -> dict[str, float]:
        """Return what the curve says, as :func:`curve_values` does."""
        return curve_values(self.points, self.target)


def last_is_best(points: Sequence[CurvePoint]) -> bool:
    """Return whether no earlier point of a learning curve scored better than the last."""
    return bool(points) and points[-1]["fid"] <= min(point["fid"] for point in points)


def curve_values(points: Sequence[CurvePoint], target: float) -> dict[str, float]:
    """Return what a learning curve says: ``fid_auc``, and what was spent up to the first FID of at most the target.

    ``fid_auc`` is the mean FID over the logarithm of the budget, by the trapezoid rule; NaN with under two points.
    ``images_to_target`` are training images, ``seconds_to_target`` training seconds; both are absent if no point
    reaches the target. Marks lie at 1/32, 1/16, ..., 1 of the budget, so both are known up to a factor of two.
    """
    steps = [(math.log(b["share"] / a["share"]), (a["fid"] + b["fid"]) / 2) for a, b in pairwise(points)]
    total = sum(width for width, _ in steps)
    area = sum(width * height for width, height in steps) / total if steps else math.nan
    for point in points:
        if point["fid"] <= target:
            return {"fid_auc": area, "images_to_target": point["images"], "seconds_to_target": point["seconds"]}
    return {"fid_auc": area}


def target_of(task: Task) -> float:
    """Return the FID at which a curve reaches its target: five times the expected FID of real data."""
    return _target(Reference(_on_validation(task)), min(CURVE_SAMPLES, task.samples))


def _target(reference: Reference, samples: int) -> float:
    real = reference.features
    return TARGET_MULTIPLE * expected_null(real, samples, len(real))


def _on_validation(task: Task) -> Task:
    """Return a task whose samples are scored against up to 2,000 items of the validation split."""
    return dataclasses.replace(task, test=Split(task.validation.data[:CURVE_SAMPLES]))

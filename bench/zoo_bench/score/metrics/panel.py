"""The Fréchet distance under every judge of a task's panel, so that no claim rests on one network."""

from __future__ import annotations

import math
from dataclasses import replace

from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo.task import Judge, Task
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.judges.pixels import PixelJudge
from zoo_bench.score.metrics.inputs import check, subsample


def panel(evaluation: Evaluation) -> dict[str, float]:
    """Return the FID under each judge, what real items score, and the geometric mean of their ratios.

    - ``fid_twin`` and ``fid_pixels``: as ``fid``, under the twin of the task's judge and under principal components of
      the pixels, 0 to infinity, lower is better.
    - ``fid_real``, ``fid_twin_real`` and ``fid_pixels_real``: what as many training items score under each judge, or
      all of them where there are fewer.
    - ``panel``: the geometric mean over the three judges of the generated items' FID over that of real ones, 0 to
      infinity, lower is better; 1 for training items. A judge's scale cancels, so that no judge outweighs the others.

    What needs a judge that there is not is left out.

    Raises:
        ZooError: If there is no judge but the task's own, there are too few items, or features are infinite or NaN.
    """
    if not evaluation.task.panel:
        raise ZooError("there is no judge beside the task's own")
    generated, real = {}, {}
    for column in _judges(evaluation.task):
        reference = evaluation.reference.once(_under, column)
        seen = Evaluation(reference.task, evaluation.generated, reference)
        check(2, generated=seen.features_generated, real=seen.features_real)
        generated[column] = frechet_distance(seen.features_generated, seen.features_real)
        real[f"{column}_real"] = evaluation.reference.once(_distance_of_training_items, column, len(seen.generated))
    values = {column: distance for column, distance in generated.items() if column != "fid"} | real
    if len(generated) == 3 and min(*generated.values(), *real.values()) > 0:
        logs = [math.log(distance / real[f"{column}_real"]) for column, distance in generated.items()]
        values["panel"] = math.exp(math.fsum(logs) / len(logs))
    return values


def references(reference: Reference) -> list[Reference]:
    """Return the real side of the comparison under each judge of its task."""
    return [reference.once(_under, column) for column in _judges(reference.task)]


def _judges(task: Task) -> dict[str, Judge]:
    """Return the task's judges by the column of their FID."""
    beside = {"fid_pixels" if judge.name.startswith(PixelJudge.NAME) else "fid_twin": judge for judge in task.panel}
    return {"fid": task.judge, **beside}


def _under(reference: Reference, column: str) -> Reference:
    """Return the real side of the comparison under one judge."""
    if column == "fid":
        return reference
    return Reference(replace(reference.task, judge=_judges(reference.task)[column], panel=()))


def _distance_of_training_items(reference: Reference, column: str, n: int) -> float:
    under = reference.once(_under, column)
    items = subsample(reference.task.train.data, n)
    training = Evaluation(under.task, items, under).features_generated
    check(2, training=training)
    return frechet_distance(training, under.features)

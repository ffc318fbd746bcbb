"""Samples of a model that was given labels: are they of the classes that were asked for, and how good is a class?"""

from __future__ import annotations

import statistics

from zoo.evaluation import Evaluation
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.inputs import equal
from zoo_bench.score.metrics.neighbours import K_DENSITY, ball_scores

MIN_ITEMS = K_DENSITY + 1
"""Items of a class, real and generated each, from which it is measured."""


def by_class(evaluation: Evaluation) -> dict[str, float]:
    """Return how well samples are of the classes that were asked for; nothing of a model without labels.

    - ``label_accuracy``: share of samples that the judge sees as their class (Ravuri & Vinyals 2019 ask the same of a
      classifier that was trained on samples), 0 to 1; of real items it is the judge's own accuracy. A judge that knows
      no classes, as that of a folder of pictures, gives none.
    - ``class_fid``, ``class_fid_worst``: mean and largest of the classes' FIDs, each of samples of a class against real
      items of it (intra-FID, Miyato & Koyama 2018, section 4.2).
    - ``class_coverage``: mean over classes of the coverage within a class (Naeem et al. 2020).

    A class with fewer than six items on either side is left out. A class has fewer items than a task, which makes both
    kinds of figures worse by chance alone: the control ``real`` says by how much.
    """
    labels = evaluation.labels
    if labels is None:
        return {}
    found = {}
    if evaluation.task.modes:
        found["label_accuracy"] = float((evaluation.modes_generated == labels).double().mean())
    real, generated, modes = evaluation.features_real, evaluation.features_generated, evaluation.modes_real
    pairs = [(real[modes == k], generated[labels == k]) for k in range(evaluation.task.classes)]
    pairs = [pair for pair in pairs if min(map(len, pair)) >= MIN_ITEMS]
    if pairs:
        fids = [frechet_distance(y, x) for x, y in pairs]
        found |= {"class_fid": statistics.fmean(fids), "class_fid_worst": max(fids)}
        if not evaluation.task.mixture:  # balls say nothing there, see neighbours()
            found["class_coverage"] = statistics.fmean(ball_scores(*equal(x, y))["coverage"] for x, y in pairs)
    return found

"""FID as papers print it: of Inception's raw features, by torch-fidelity's own functions."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from zoo.cache import cached
from zoo.evaluation import Evaluation, Reference, digest, in_batches
from zoo_bench.judges.inception import InceptionJudge
from zoo_bench.score.metrics.inputs import check

Statistics = dict[str, Tensor]
"""Mean ``mu``, (2048,) float32, and covariance ``sigma``, (2048, 2048) float64."""


def fid_inception(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid_inception``, the distance of all generated images to all of the test split; 0 to infinity.

    |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) of the 2,048 features of Inception v3 (Heusel et al. 2017,
    equation 6), which are not standardised; lower is better. ``torch_fidelity.calculate_metrics`` returns the same.

    Raises:
        ZooError: If Inception's weights are absent, or there are fewer than two images.
    """
    return {"fid_inception": _distance(evaluation, "test")}


def fid_inception_train(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid_inception_train``, the same to all of the training split, as many papers have it."""
    return {"fid_inception_train": _distance(evaluation, "train")}


def _distance(evaluation: Evaluation, split: Literal["test", "train"]) -> float:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    both = (evaluation.once(_generated), evaluation.reference.once(_real, split))
    arrays = [{name: tensor.numpy() for name, tensor in statistics.items()} for statistics in both]
    return float(fid_statistics_to_metric(*arrays, verbose=False)[KEY_METRIC_FID])


def _generated(evaluation: Evaluation) -> Statistics:
    return _statistics(evaluation.reference, evaluation.generated, "generated")


def _real(reference: Reference, split: Literal["test", "train"]) -> Statistics:
    """Return the statistics of a split, which are kept on disk: to see 60,000 images takes hours on a CPU."""
    data = {"test": reference.task.test, "train": reference.task.train}[split].data
    key = f"inception statistics 1 {_device()} {reference.once(_judge).sha256} {digest(data)}"
    return cached(key, lambda: _statistics(reference, data, {"test": "real", "train": "training"}[split]))


def _statistics(reference: Reference, images: Tensor, name: str) -> Statistics:
    """Return what remains of the features, so that those of no two sets are in memory together."""
    from torch_fidelity.metric_fid import fid_features_to_statistics

    features = torch.cat([part.cpu() for part in in_batches(reference.once(_judge).features, images)])
    check(2, **{name: features})
    return {key: torch.from_numpy(array) for key, array in fid_features_to_statistics(features).items()}


def _judge(reference: Reference) -> InceptionJudge:
    return InceptionJudge().to(_device())


def _device() -> torch.device:
    """Return where torch-fidelity computes by default."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")

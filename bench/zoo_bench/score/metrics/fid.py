"""FID and its relatives: to the held-out split, without its bias, and to the training split."""

from __future__ import annotations

from zoo.evaluation import Evaluation
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.frechet import expected_null, frechet_infinity, torch_fidelity_distance
from zoo_bench.score.metrics.inputs import check, subsample


def fid_inf(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid_inf``, the FID without its bias from finite samples; any sign, lower is better, 0 for real data."""
    generated, real = evaluation.features_generated, evaluation.features_real
    check(10, generated=generated, real=real)
    return {"fid_inf": frechet_infinity(generated, real)}


def fid_train(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid_train``, the FID to as many training items as the test split has; 0 to infinity.

    It is compared with ``fid``: about equal for a model that generalises, clearly lower for one that memorises. Neither
    direction is better in itself.
    """
    generated, training = evaluation.features_generated, evaluation.features_train
    check(2, generated=generated, training=training)
    return {"fid_train": frechet_distance(generated, subsample(training, len(evaluation.features_real)))}


def fid(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid`` and ``fid_floor``.

    ``fid`` is |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) of the judge's standardised features (Heusel et al.
    2017, equation 6), computed by torch-fidelity; 0 to infinity, lower is better. ``fid_floor`` is what two samples of
    these sizes from one Gaussian with the real covariance would score on average: below it a
    model cannot be told from real data.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    return {
        "fid": torch_fidelity_distance(generated, real),
        "fid_floor": expected_null(real, len(generated), len(real)),
    }

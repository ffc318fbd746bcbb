"""FID and its relatives: to the held-out split, without its bias, and to the training split."""

from __future__ import annotations

import math

from zoo.evaluation import Evaluation
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.floor import real_floor
from zoo_bench.score.metrics.frechet import frechet_infinity, torch_fidelity_distance
from zoo_bench.score.metrics.inputs import check, subsample

ITEMS_PER_FEATURE = 3
"""Items of either set per feature from which FID is about linear in 1/N.

With as many in both sets, ``fid_inf`` of real data is on average within a tenth of their FID; with 1.4 it was up to
0.42 of it, and with 0.6 up to 0.66 (``bench/simulations/floor.py``).
"""


def fid_inf(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid_inf``, the FID without its bias from finite samples; any sign, lower is better, real data: about 0.

    Nothing is returned if either set has fewer than 3 items per feature: FID is then not linear in 1/N, and real data
    would score far from 0.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(10, generated=generated, real=real)
    if min(len(generated), len(real)) < ITEMS_PER_FEATURE * real.shape[1]:
        return {}
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
    """Return ``fid``, ``fid_floor`` and ``fid_floor_sd``.

    ``fid`` is |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) of the judge's standardised features (Heusel et al.
    2017, equation 6), computed by torch-fidelity; 0 to infinity, lower is better. ``fid_floor`` is what as many fresh
    real items would score against the same test split, and ``fid_floor_sd`` how far such a score lies from it, see
    :func:`zoo_bench.score.metrics.floor.real_floor`: a model within twice that cannot be told from real data. The
    second is left out where there are too few real items to know it.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    floor = evaluation.reference.once(real_floor, len(generated))
    spread = {} if math.isnan(floor.sd) else {"fid_floor_sd": floor.sd}
    return {"fid": torch_fidelity_distance(generated, real), "fid_floor": floor.mean, **spread}

"""How many different items a model can make, by how often it repeats itself."""

from __future__ import annotations

from torch import Tensor

from zoo.distances import nearest, squared_distances
from zoo.evaluation import Evaluation, Reference
from zoo_bench.score.metrics.inputs import check, equal, subsample

CLOSER_FACTOR = 1.0 - 1e-6
"""Factor on the distance of the closest real pair, so that a pair at exactly that distance is no repetition."""


def support(evaluation: Evaluation) -> dict[str, float]:
    """Return ``support``, the estimated number of different items, and ``support_low``, its lower bound at 97.5 %.

    The birthday test (Arora and Zhang 2017), with counted pairs instead of visual inspection: a pair of generated items
    is a repetition if it is closer than any pair of as many real held-out items. See :func:`support_size`.

    Above 0, higher is better. Its limits: it is the size of a uniform support, and if some items come more often than
    others the number that would repeat as often, below the true one; items with close features need not look
    alike; and no more than about N^2 / 6 can be estimated from N items. Without a repetition ``support`` is not
    returned: only the lower bound is known. Noise repeats rarely as well, so this is read beside a fidelity metric.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    generated, _ = equal(generated, real)
    closest = evaluation.reference.once(_closest_pair, len(generated))
    estimate, low, _ = support_size(close_pairs(generated, CLOSER_FACTOR * closest), len(generated))
    return {"support_low": low} | ({"support": estimate} if estimate < float("inf") else {})


def support_size(repetitions: int, n: int) -> tuple[float, float, float]:
    """Return the size of the support behind repetitions among pairs of ``n`` items, and its exact 95 % interval.

    A pair of draws from a uniform support of k is a repetition with probability 1 / k, so k is about the number of
    pairs over that of repetitions; the interval is that of a Poisson count (Garwood 1936). Infinity stands for no
    limit.

    Args:
        repetitions: Number of pairs that are the same item.
        n: Number of items.
    """
    from scipy.stats import chi2

    pairs = n * (n - 1) / 2
    max_count = float(chi2.ppf(0.975, 2 * repetitions + 2)) / 2
    min_count = float(chi2.ppf(0.025, 2 * repetitions)) / 2 if repetitions else 0.0
    estimate, high = (pairs / count if count else float("inf") for count in (repetitions, min_count))
    return estimate, pairs / max_count, high


def close_pairs(x: Tensor, distance: float) -> int:
    """Return the number of pairs of rows of (N, F) float64 at most ``distance`` apart."""
    within = sum(int((block <= distance**2).sum()) for _, block in squared_distances(x, x))
    return (within - len(x)) // 2


def _closest_pair(reference: Reference, n: int) -> float:
    """Return the smallest distance between two of ``n`` test items."""
    real = subsample(reference.features, n)
    return float(nearest(real, real, 2)[0][:, 1].min())

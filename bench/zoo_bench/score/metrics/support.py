"""How many different items a model can make, by how often it repeats itself."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.distances import nearest, squared_distances
from zoo.evaluation import Evaluation, Reference
from zoo_bench.score.metrics.inputs import check, equal, subsample
from zoo_bench.score.metrics.kept import kept

CLOSE_PAIRS = 10
"""Pairs of different real items that count as close: enough for a few near duplicates not to decide what is close."""

Z_CRITICAL = 1.959963984540054
"""One-sided critical value of a standard normal at the 2.5 % level."""


def support(evaluation: Evaluation) -> dict[str, float]:
    """Return ``support``, the estimated number of different items, and ``support_low``, its lower bound at 97.5 %.

    The birthday test (Arora and Zhang 2017), with counted pairs instead of visual inspection: a pair is close if it is
    no further apart than the tenth closest pair of as many real held-out items that differ. ``support`` is returned
    where generated items have significantly more close pairs than real ones, at the 2.5 % level (:func:`excess`); else
    only the lower bound is known. Both are above 0, higher is better.

    Its limits: it is the size of a uniform support, and if some items come more often than others the number that would
    repeat as often, below the true one; items with close features need not look alike, and are more frequent where
    classes are missing; and no more than about N^2 / 22 can be estimated from N items. Noise repeats rarely as well, so
    this is read beside a fidelity metric.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    generated, real = equal(generated, real)
    distance, within_real = evaluation.reference.once(_close_real, len(generated))
    within = close(generated, generated, distance)[0] - 1
    across, across_real = close(generated, real, distance)
    estimate, low = support_size(int(within.sum()) // 2, len(generated))
    is_known = estimate < float("inf") and excess(within + across, within_real + across_real) > Z_CRITICAL
    return {"support_low": low} | ({"support": estimate} if is_known else {})


def support_size(close_pairs: int, n: int) -> tuple[float, float]:
    """Return the size of the support behind close pairs among ``n`` items, and its lower bound at 97.5 %.

    A pair of draws from a uniform support of k is the same item with probability 1 / k, and otherwise close as often as
    a pair of different real items: of P = n (n - 1) / 2 pairs P / k + 10 (1 - 1 / k) are close on average. The bound
    takes every close pair for a repetition, so that it holds however far apart different items are; it is that of a
    Poisson count (Garwood 1936).

    Args:
        close_pairs: Their number; up to 10 the size is infinite.
        n: Number of items.
    """
    from scipy.stats import chi2

    pairs = n * (n - 1) / 2
    low = pairs / (float(chi2.ppf(0.975, 2 * close_pairs + 2)) / 2)
    repetitions = close_pairs - CLOSE_PAIRS
    return (pairs - CLOSE_PAIRS) / repetitions if repetitions > 0 else float("inf"), low


def excess(generated: Tensor, real: Tensor) -> float:
    """Return the z-score of the number of close pairs of generated items above that of as many real ones.

    With each item's number of close items of both sets, the difference of the two numbers of pairs is half that of
    their sums, because pairs across the sets cancel. Its variance is that over permutations of all items (Chen and
    Friedman 2017, for graphs of any kind), so that it is right where items are crowded in places.

    Args:
        generated: The number of close items of both sets for every generated item, (N,).
        real: The same for every real item, (N,).
    """
    both = torch.cat([generated, real]).double()
    difference, variance = float(generated.sum() - real.sum()), len(both) * float(both.var())
    return difference / variance**0.5 if variance else 0.0


def close(x: Tensor, y: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    """Return how many rows of ``y`` are at most ``distance`` from each row of ``x``, (N,) int64, and the reverse, (M,).

    Args:
        x: (N, F) float64.
        y: (M, F) float64.
        distance: The distance.
    """
    forth, back = (torch.zeros(len(z), dtype=torch.int64) for z in (x, y))
    for rows, block in squared_distances(x, y):
        within = block <= distance**2
        forth[rows] = within.sum(dim=1)
        back += within.sum(dim=0)
    return forth, back


def _close_real(reference: Reference, n: int) -> tuple[float, Tensor]:
    """Return the distance up to which a pair is close, and the number of close ones of ``n`` test items, (n,) int64."""
    found = kept("close pairs 2", _close_among, subsample(reference.features, n))
    return float(found[0]), found[1:].long()


def _close_among(real: Tensor) -> Tensor:
    """Return the distance up to which a pair of items is close, and then the number of close ones of each, float64."""
    different = real.unique(dim=0)
    apart = nearest(different, different, min(CLOSE_PAIRS + 1, len(different)))[0][:, 1:].flatten().sort().values
    distance = apart[::2][:CLOSE_PAIRS][-1:]  # every pair is there twice
    return torch.cat([distance, close(real, real, float(distance))[0] - 1.0])

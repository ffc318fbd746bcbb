"""P-values that stay valid when runs are added until models are separable."""

from __future__ import annotations

import math
from collections.abc import Mapping

from zoo_bench.plan.seeds import FIRST_LOOK, looks
from zoo_bench.report.read.statistics import welch


def sequential_p(a: Mapping[int, float], b: Mapping[int, float], *, log: bool = False) -> float:
    """Return a p-value of no difference that is valid whenever one stops adding seeds.

    At each look of :func:`zoo_bench.plan.seeds.looks`, Welch's p-value of the first seeds of both models is divided by
    the look's share of the error; the result is the smallest of these. Under no difference it is below alpha with a
    probability of at most alpha, however many looks are made and whatever decides on the next, as the shares sum to at
    most 1 (Bonferroni's inequality; Pocock 1977 for looks with the same share).

    A look counts where both models have every seed from 0 on up to its number; other seeds are in none. A look whose
    difference has another sign than that of all values says nothing, as it would speak for the wrong model.

    Args:
        a: Values of independent runs by training seed.
        b: The same of the other model.
        log: Compare on the log scale, see :func:`~zoo_bench.report.read.statistics.welch`.

    Returns:
        0 to 1; 1 if no look can be made yet; NaN if either model has fewer than two values.
    """
    whole = welch([*a.values()], [*b.values()], log=log)
    if math.isnan(whole.p):
        return math.nan
    smallest = 1.0
    for n, share in looks():
        if not has_look(a, b, n):
            break
        look = welch([a[seed] for seed in range(n)], [b[seed] for seed in range(n)], log=log)
        if look.sign == whole.sign:
            smallest = min(smallest, look.p / share)
    return smallest


def has_look(a: Mapping[int, float], b: Mapping[int, float], n: int = FIRST_LOOK) -> bool:
    """Return whether both models have a value of every seed from 0 to n - 1, which a look at n seeds needs."""
    return all(seed in a and seed in b for seed in range(n))

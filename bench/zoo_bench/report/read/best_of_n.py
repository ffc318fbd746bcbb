"""The expected best of n trials of a search for settings, and where the curves of two models cross.

A search tries the defaults first and then draws settings at random, so its best of n trials is the smaller of the
defaults' value d and the best of n - 1 independent draws. The values are distances, 0 to infinity, lower is better; a
trial that diverged has infinity. As the defaults can always be taken, the expectation is finite although draws diverge.
If the defaults diverged and a draw as well, all n trials may diverge, whatever n is, and the expectation is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

LEVEL = 0.95
"""Probability with which a band holds for all n at once."""


@dataclass(frozen=True)
class BestOf:
    """The best of n trials, as far as a study's draws tell it.

    Attributes:
        n: Trials, the defaults among them.
        expected: Estimate of its expectation, given the defaults' value; infinite if it has none.
        low: Lower end of its band. It nears 0 as n nears the number of trials, because nothing that was drawn excludes
            settings that are rarer and better.
        high: Upper end of its band.
    """

    n: int
    expected: float
    low: float
    high: float


def expected_best(values: Sequence[float], n: int) -> float:
    """Return the mean of the best over all subsets of n values: a U-statistic, unbiased for independent values.

    Tang et al. 2020, "Showing Your Work Doesn't Always Work", equation 5. The estimate of Dodge et al. 2019 draws with
    replacement, so that its best of n is too bad.

    Args:
        values: Of independent trials, lower is better.
        n: From 1 to the number of values.
    """
    subsets = math.comb(len(values), n)
    later = [
        math.comb(len(values) - 1 - i, n - 1) for i in range(len(values) - n + 1)
    ]  # subsets whose best is the i-th
    return math.fsum(count / subsets * value for count, value in zip(later, sorted(values), strict=False))


def best_of_n(default: float, draws: Sequence[float]) -> list[BestOf]:
    """Return the curve of a study, for every n from 1, the defaults alone, to all trials.

    The expectation is the integral from 0 to d of P(draw > x)^(n-1). Its band puts the ends of Kolmogorov's exact band
    around that probability, so it holds for all n at once and for any distribution of independent draws. It has no part
    of the noise of the defaults' own value.

    Args:
        default: Value of the defaults.
        draws: Values of the draws, in any order.
    """
    import numpy as np
    from scipy.stats import kstwo

    count = len(draws)
    curve = [BestOf(1, default, default, default)]
    if not count:
        return curve
    if math.inf in draws and default == math.inf:
        return curve + [BestOf(n, *[math.inf] * 3) for n in range(2, count + 2)]
    values = sorted(min(value, default) for value in draws)
    widths = np.diff([0.0, *values, default])
    beyond = 1 - np.arange(count + 1) / count  # share of draws above each interval
    half = kstwo.ppf(LEVEL, count)
    least, most = np.clip(beyond - half, 0, 1), np.clip(beyond + half, 0, 1)
    for n in range(2, count + 2):
        low = float(widths[:-1] @ least[:-1] ** (n - 1))  # of the last interval, which may be infinite, `least` is 0
        high = float(widths @ most ** (n - 1))
        curve.append(BestOf(n, expected_best(values, n - 1), low, high))
    return curve


def crossing(first: str, a: Sequence[BestOf], second: str, b: Sequence[BestOf]) -> str:
    """Return a sentence that says where two curves cross and whether their bands tell them apart, or "".

    Args:
        first: Name of a model.
        a: Its curve.
        second: Name of another one.
        b: Its curve; they are compared as far as both go.
    """
    pairs = list(zip(a, b, strict=False))
    better = [(x.n, first if x.expected < y.expected else second) for x, y in pairs if x.expected != y.expected]
    stretches = [(name, [n for n, _ in group]) for name, group in groupby(better, key=lambda item: item[1])]
    if len(stretches) < 2:
        return ""
    (leader, ns), *between, (last, final) = stretches
    spans = [f"from {here[0]} to {here[-1]}" if len(here) > 1 else f"at {here[0]}" for _, here in between]
    middle = "".join(f" {span} {name}," for span, (name, _) in zip(spans, between, strict=True))
    apart = [str(x.n) for x, y in pairs[1:] if x.high < y.low or y.high < x.low]
    bands = f"their bands are apart at {', '.join(apart)}" if apart else "their bands overlap"
    start = f"up to {ns[-1]} trials" if ns[-1] > 1 else "with the defaults alone"
    return f"{start} {leader} is expected to be better,{middle} from {final[0]} on {last}; {bands}."

"""The expected best of n trials: bias of two estimates and coverage of two bands, the table of docs/statistics.md.

``python bench/simulations/best_of_n.py`` prints it. The truth is the integral of P(draw > x)^(n-1) from 0 to the
defaults' value, which is the median of the draws here, so that every other draw improves on it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import lognorm, uniform

from zoo_bench.report.read.best_of_n import best_of_n

Survival = Callable[[np.ndarray], np.ndarray]

GOOD, BAD = lognorm(0.3, scale=5), lognorm(0.5, scale=80)
CASES: dict[str, tuple[Survival, Callable[[np.ndarray], np.ndarray]]] = {
    "uniform": (uniform(2, 10).sf, uniform(2, 10).ppf),
    "log-normal": (lognorm(1, scale=10).sf, lognorm(1, scale=10).ppf),
    "a third good, the rest bad": (
        lambda x: (GOOD.sf(x) + 2 * BAD.sf(x)) / 3,
        lambda u: np.where(u < 1 / 3, GOOD.ppf(np.minimum(3 * u, 1)), BAD.ppf(np.maximum(1.5 * u - 0.5, 0))),
    ),
    "a quarter diverges": (
        lambda x: 0.25 + 0.75 * lognorm(0.8, scale=10).sf(x),
        lambda u: np.where(u < 0.75, lognorm(0.8, scale=10).ppf(np.minimum(u / 0.75, 1)), np.inf),
    ),
}
"""P(draw > x), and draws from uniform numbers."""


def truth(survival: Survival, default: float, draws: int) -> np.ndarray:
    """Return the expected best of the defaults and up to as many draws: (draws,)."""
    x = np.linspace(0, default, 20_001)
    return np.array([np.trapezoid(survival(x) ** m, x) for m in range(1, draws + 1)])


def simulate(case: str, draws: int, repeats: int, seed: int = 0) -> dict[str, float]:
    """Return how far the estimates of studies of one size are off, and how often their bands hold.

    Args:
        case: Distribution of the draws.
        draws: Draws of a study.
        repeats: Studies.
        seed: Of the draws.

    Returns:
        Of the best of the defaults and all draws, the relative bias of both estimates and the standard error of the
        unbiased one's; how often the band holds for all n at once, and a bootstrap interval at half of the draws and at
        all; how often the bands of two studies are apart at any n, if they have one distribution, and if all values of
        one are a half or a fifth as large.
    """
    survival, quantile = CASES[case]
    generator = np.random.default_rng(seed)
    default = float(quantile(np.array([0.5]))[0])
    values = np.minimum(quantile(generator.random((repeats, draws))), default)
    expected = truth(survival, default, draws)
    curves = [best_of_n(default, study.tolist())[1:] for study in values]
    best, low, high = (np.array([[getattr(b, end) for b in c] for c in curves]) for end in ("expected", "low", "high"))
    found = {
        "bias": best[:, -1].mean() / expected[-1] - 1,
        "standard error": best[:, -1].std() / expected[-1] / repeats**0.5,
        "bias with replacement": with_replacement(values, draws).mean() / expected[-1] - 1,
        "band": np.mean(((low <= expected) & (expected <= high)).all(1)),
    }
    for name, m in (("half", draws // 2), ("all", draws)):
        start, end = bootstrap(values, m, generator)
        found[f"bootstrap, {name}"] = np.mean((start <= expected[m - 1]) & (expected[m - 1] <= end))
    for name, factor in (("equal", 1.0), ("a half", 0.5), ("a fifth", 0.2)):
        apart = (factor * high[::2] < low[1::2]) | (high[1::2] < factor * low[::2])
        found[f"apart, {name}"] = np.mean(apart.any(1))
    return {name: float(value) for name, value in found.items()}


def with_replacement(values: np.ndarray, m: int) -> np.ndarray:
    """Return the estimate of Dodge et al. 2019 for every study: the best of m values drawn with replacement."""
    count = values.shape[-1]
    left = 1 - np.arange(count + 1) / count
    return np.sort(values, -1) @ (left[:-1] ** m - left[1:] ** m)


def bootstrap(values: np.ndarray, m: int, generator: np.random.Generator) -> np.ndarray:
    """Return the ends of every study's 95 % bootstrap interval of the best of m draws: (2, studies)."""
    best = np.empty((200, len(values)))
    for resample in best:
        picked = np.take_along_axis(values, generator.integers(values.shape[1], size=values.shape), 1)
        resample[:] = with_replacement(picked, m)
    return np.quantile(best, [0.025, 0.975], axis=0)


def main() -> None:
    """Print the table."""
    print(
        "| draws | distribution | bias | with replacement | band | bootstrap: half, all | apart: equal, half, fifth |"
    )
    print("|--:|---|--:|--:|--:|--:|--:|")
    for draws in (7, 15, 31):
        for case in CASES:
            found = simulate(case, draws, 2000)
            bias = f"{found['bias']:+.1%} ± {found['standard error']:.1%} | {found['bias with replacement']:+.1%}"
            covers = f"{found['band']:.1%} | {found['bootstrap, half']:.0%}, {found['bootstrap, all']:.0%}"
            apart = ", ".join(f"{found[f'apart, {name}']:.0%}" for name in ("equal", "a half", "a fifth"))
            print(f"| {draws} | {case} | {bias} | {covers} | {apart} |")


if __name__ == "__main__":
    main()

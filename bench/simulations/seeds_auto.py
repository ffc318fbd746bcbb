"""What ``zoo bench --seeds auto`` claims and costs: ``python bench/simulations/seeds_auto.py``, a minute on one core.

Values are drawn, nothing is trained: of each model independent ones, one per seed, on the scale on which models are
compared (of FID, its logarithm). A bench is played as :mod:`zoo_bench.adaptive` does it: at every look the pairs are
tested, and models in a pair that is not separable go on to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import stdtr, stdtrit
from scipy.stats import nct
from scipy.stats import t as student

from zoo_bench.plan.seeds import AUTO_LIMIT, looks
from zoo_bench.report.read.claims import ALPHA

Array = np.ndarray
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

CAP = 0.999
"""Power above which the fixed number of seeds is that of this power: a lower bound."""


def normal(generator: np.random.Generator, size: tuple[int, ...]) -> Array:
    """Draw values of mean 0 and standard deviation 1."""
    return generator.standard_normal(size)


def skewed(generator: np.random.Generator, size: tuple[int, ...]) -> Array:
    """Draw values of mean 0, standard deviation 1 and skewness 2: an exponential distribution."""
    return generator.standard_exponential(size) - 1


@dataclass(frozen=True)
class Played:
    """Benches that were played, with ``B`` benches, ``P`` pairs and ``M`` models.

    Attributes:
        separable: Whether a pair is claimed to be separable, (B, P).
        wrong: Whether it is, though the model with the better mean is not the better one, (B, P).
        seeds: Seeds of every model, (B, M).
        covered: Whether the 95 % t interval of every model's mean holds the true one, (B, M).
        difference_covered: Whether Welch's 95 % interval of every pair's difference holds the true one, (B, P).
    """

    separable: Array
    wrong: Array
    seeds: Array
    covered: Array
    difference_covered: Array


def play(values: Array, means: Sequence[float], schedule: Sequence[tuple[int, float]]) -> Played:
    """Play benches.

    Args:
        values: One per bench, model and seed, (B, M, S).
        means: The true mean of every model.
        schedule: By look the number of seeds and its share of the error; the last number is the limit.
    """
    numbers = np.array([n for n, _ in schedule])
    shares = np.array([share for _, share in schedule])
    pairs = list(combinations(range(len(means)), 2))
    first, second = np.array(pairs).T
    mean = np.stack([values[:, :, :n].mean(2) for n in numbers], 2)  # (B, M, looks)
    variance = np.stack([values[:, :, :n].var(2, ddof=1) for n in numbers], 2)
    p, sign = _welch(mean, variance, numbers, first, second)
    at = np.zeros(values.shape[:2], dtype=int)  # the look that a model has come to
    for k in range(len(numbers)):
        made = np.arange(len(numbers)) <= np.minimum(at[:, first], at[:, second])[:, :, None]
        now = np.take_along_axis(mean, at[:, :, None], 2)[:, :, 0]
        side = np.sign(now[:, second] - now[:, first])
        usable = made & (sign == side[:, :, None])
        separable = _holm(np.where(usable, p / shares, 1.0).min(2).clip(max=1.0)) < ALPHA
        if k + 1 == len(numbers):
            break
        for i in range(len(means)):
            goes_on = (~separable[:, (first == i) | (second == i)]).any(1)
            at[goes_on, i] = k + 1
    true = np.array(means)
    n, spread = numbers[at], np.take_along_axis(variance, at[:, :, None], 2)[:, :, 0] / numbers[at]
    covered = abs(now - true) <= stdtrit(n - 1, 0.975) * np.sqrt(spread)
    gaps, errors = true[second] - true[first], spread[:, first] + spread[:, second]
    freedom = errors**2 / (spread[:, first] ** 2 / (n[:, first] - 1) + spread[:, second] ** 2 / (n[:, second] - 1))
    difference_covered = abs(now[:, second] - now[:, first] - gaps) <= stdtrit(freedom, 0.975) * np.sqrt(errors)
    return Played(separable, separable & (side != np.sign(gaps)), n, covered, difference_covered)


def _welch(mean: Array, variance: Array, n: Array, first: Array, second: Array) -> tuple[Array, Array]:
    """Return Welch's p-value of every pair at every number of seeds, and which of the two has the higher mean."""
    a, b = variance[:, first] / n, variance[:, second] / n
    difference = mean[:, second] - mean[:, first]
    freedom = (a + b) ** 2 * (n - 1) / (a**2 + b**2)
    return 2 * stdtr(freedom, -abs(difference) / np.sqrt(a + b)), np.sign(difference)


def _holm(p: Array) -> Array:
    """Return p-values adjusted within each row (Holm 1979)."""
    order = p.argsort(1)
    factors = np.arange(p.shape[1], 0, -1)
    adjusted = np.maximum.accumulate(np.take_along_axis(p, order, 1) * factors, 1).clip(max=1.0)
    return np.take_along_axis(adjusted, order.argsort(1), 1)


def fixed_seeds(difference: float, power: float) -> float:
    """Return with how many seeds of each of two models Welch's test has a power, interpolated between whole ones."""

    def of(n: int) -> float:
        freedom = 2 * n - 2
        return float(nct.sf(student.ppf(1 - ALPHA / 2, freedom), freedom, difference * math.sqrt(n / 2)))

    n = next(n for n in range(2, 1000) if of(n + 1) >= power)
    return n + max(0.0, (power - of(n)) / (of(n + 1) - of(n)))


def fixed_seeds_of_many(means: Sequence[float], power: float, benches: int, generator: np.random.Generator) -> float:
    """Return the same of several models, by simulation; power is the share of pairs that are separable."""
    values = normal(generator, (benches, len(means), 120)) + np.array(means)[:, None]
    before = 0.0
    for n in range(2, values.shape[2] + 1):
        now = float(play(values, means, [(n, 1.0)]).separable.mean())
        if now >= power:
            return n - 1 + (power - before) / (now - before)
        before = now
    return math.nan


def one_pair(
    difference: float,
    benches: int,
    generator: np.random.Generator,
    draw: Draw = normal,
    ratio: float = 1.0,
    schedule: Sequence[tuple[int, float]] = tuple(looks(AUTO_LIMIT)),
) -> Played:
    """Play benches of two models.

    Args:
        difference: Of the means, in standard deviations (the root of the mean variance, if they differ).
        benches: How many.
        generator: Source of randomness.
        draw: The distribution of values.
        ratio: The second model's standard deviation over the first's.
        schedule: As in :func:`play`.
    """
    spread = np.array([1.0, ratio]) / math.sqrt((1 + ratio**2) / 2)
    means = (0.0, difference)
    values = draw(generator, (benches, 2, schedule[-1][0])) * spread[:, None] + np.array(means)[:, None]
    return play(values, means, schedule)


def several_models(means: Sequence[float], benches: int, generator: np.random.Generator) -> Played:
    """Play benches of models with these means, in standard deviations."""
    values = normal(generator, (benches, len(means), AUTO_LIMIT)) + np.array(means)[:, None]
    return play(values, means, looks(AUTO_LIMIT))


def pocock(numbers: Sequence[int], benches: int, generator: np.random.Generator) -> list[tuple[int, float]]:
    """Return looks with one level for all, so that without a difference the error is just alpha (Pocock 1977)."""
    played = normal(generator, (benches, 2, numbers[-1]))
    mean = np.stack([played[:, :, :n].mean(2) for n in numbers], 2)
    variance = np.stack([played[:, :, :n].var(2, ddof=1) for n in numbers], 2)
    p, _ = _welch(mean, variance, np.array(numbers), np.array([0]), np.array([1]))
    return [(n, float(np.quantile(p.min(2), ALPHA)) / ALPHA) for n in numbers]


def _row(name: str, played: Played, fixed: float = math.nan) -> str:
    used = played.seeds.mean()
    saved = ("", "") if math.isnan(fixed) else (f"{fixed:.1f}", f"{100 * (1 - used / fixed):+.0f} %")
    shares = [100 * part.mean() for part in (played.covered, played.difference_covered)]
    return (
        f"| {name} | {100 * played.separable.mean():.1f} % | {100 * played.wrong.any(1).mean():.2f} % | {used:.1f} | "
        f"{saved[0]} | {saved[1]} | {shares[0]:.1f} % | {shares[1]:.1f} % |"
    )


HEAD = (
    "| separable | wrong winner | seeds | fixed seeds of the same power | fewer runs | intervals cover | "
    "of differences |\n|---|--:|--:|--:|--:|--:|--:|--:|"
)


def main() -> None:
    """Print the tables."""
    generator, benches = np.random.default_rng(0), 40_000
    print(f"| difference of two models, sd {HEAD}")
    for difference in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0):
        played = one_pair(difference, benches, generator)
        fixed = fixed_seeds(difference, min(CAP, played.separable.mean())) if difference else math.nan
        print(_row(f"{difference:g}", played, fixed))
    for name, draw, ratio in (
        ("skewness 2", skewed, 1.0),
        ("sd 1 and 3", normal, 3.0),
        ("skewness 2, sd 1 and 3", skewed, 3.0),
    ):
        for difference, fixed_at in ((0.0, AUTO_LIMIT), (2.0, 7)):
            print(_row(f"{difference:g}, {name}", one_pair(difference, benches, generator, draw, ratio)))
            played = one_pair(difference, benches, generator, draw, ratio, [(fixed_at, 1.0)])
            print(_row(f"{difference:g}, {name}, fixed", played))

    print(f"\n| six models at, sd {HEAD}")
    gaps = (0.0, 0.5, 1.0, 2.0, 3.0)
    for means in (*([gap * i for i in range(6)] for gap in gaps), [0.0, 1.0, 3.0, 6.0, 10.0, 15.0]):
        played = several_models(means, benches // 10, generator)
        power = min(CAP, played.separable.mean())
        fixed = fixed_seeds_of_many(means, power, benches // 20, generator) if any(means) else math.nan
        print(_row(", ".join(f"{mean:g}" for mean in means), played, fixed))

    numbers = [n for n, _ in looks(AUTO_LIMIT)]
    schedules = {
        "as they are": looks(AUTO_LIMIT),
        "all of the error spent up to the limit": [(n, 1 / len(numbers)) for n in numbers],
        "1 / k (k + 1) at look k": [(n, 1 / k / (k + 1)) for k, n in enumerate(numbers, 1)],
        "Pocock's, exact for normal values of one spread": pocock(numbers, 10 * benches, generator),
    }
    print("\n| shares of the looks | wrong winner, no difference | separable, seeds at 1 sd | the same at 2 sd |")
    print("|---|--:|--:|--:|")
    for name, schedule in schedules.items():
        none, one, two = (one_pair(d, benches, generator, schedule=schedule) for d in (0.0, 1.0, 2.0))
        cells = [f"{100 * p.separable.mean():.1f} %, {p.seeds.mean():.1f}" for p in (one, two)]
        print(f"| {name} | {100 * none.wrong.mean():.2f} % | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

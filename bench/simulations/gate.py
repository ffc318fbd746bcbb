"""Simulate the gates of ``zoo compare --fail-if``: false alarms without any change, power, and the change they state.

python bench/simulations/gate.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import stdtrit
from scipy.stats import binom

from zoo.columns import Column
from zoo_bench.report.read.changes import Change, Comparison, changes
from zoo_bench.report.read.claims import ALPHA, Model
from zoo_bench.report.read.gate import POWER, Limit, gates
from zoo_bench.report.read.statistics import t_interval, welch

SPREAD = 0.12
"""Standard deviation of log FID over seeds: about the median over the models and tasks of ``results/reference``."""

LIMIT = 0.05
"""``--fail-if fid:+5%``."""

NOISE: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "skewed": lambda generator, shape: generator.exponential(size=shape) - 1,
}
"""By name, draws of variance 1 and mean 0."""


def drawn(
    generator: np.random.Generator,
    models: int,
    seeds: int,
    *,
    metrics: int = 1,
    rise: float = 0.0,
    noise: str = "normal",
) -> list[Change]:
    """Return the changes of a pair of benches by metrics named m0, m1, ...; in B the first model's are higher.

    Args:
        generator: Source of randomness.
        models: Models in both.
        seeds: Runs of each in each.
        metrics: Independent metrics.
        rise: How much higher, as a share.
        noise: Kind of noise.
    """
    values = np.exp(SPREAD * NOISE[noise](generator, (2, models, metrics, seeds)))
    values[1, 0] *= 1 + rise
    columns = [Column(f"m{i}", "lower", "", scale="log") for i in range(metrics)]
    sides = [[_model(f"model-{i}", row) for i, row in enumerate(side.tolist())] for side in values]
    pairs = zip(*sides, strict=True)
    return changes([Comparison({"task": "task"}, a.label, c, a, b) for a, b in pairs for c in columns])


def _model(label: str, metrics: Sequence[Sequence[float]]) -> Model:
    values = {f"m{i}": list(row) for i, row in enumerate(metrics)}
    estimates = {name: t_interval(row, log=True) for name, row in values.items()}
    return Model(label, len(metrics[0]), len(metrics[0]), 0, values, estimates)


def share_failing(
    repeats: int, models: int, seeds: int, *, metrics: int = 1, strict: bool = False, seed: int = 0, **kinds: object
) -> float:
    """Return the share of commands in which a gate fails."""
    generator = np.random.default_rng(seed)
    limits = [Limit(f"m{i}", 1, LIMIT, percent=True) for i in range(metrics)]
    found = [
        all(
            gate.passed
            for gate in gates(limits, drawn(generator, models, seeds, metrics=metrics, **kinds), strict=strict)
        )
        for _ in range(repeats)
    ]
    return 1 - sum(found) / repeats


def measured_rise(repeats: int, seeds: int, alpha: float, seed: int = 0) -> float:
    """Return the rise that Welch's test shows with the power of 80 %, as a share, by simulation.

    Of each draw without a change, the rise from which it is significant is known in closed form: it moves the means,
    and neither error nor freedom. Its quantile is the rise that is shown with that probability.
    """
    a, b = SPREAD * np.random.default_rng(seed).normal(size=(2, repeats, seeds))
    parts = [side.var(axis=1, ddof=1) / seeds for side in (a, b)]
    error, freedom = np.sqrt(parts[0] + parts[1]), sum(parts) ** 2 / ((parts[0] ** 2 + parts[1] ** 2) / (seeds - 1))
    needed = stdtrit(freedom, 1 - alpha / 2) * error - (b.mean(axis=1) - a.mean(axis=1))
    return float(np.exp(np.quantile(needed, POWER)) - 1)


def stated_rises(repeats: int, seeds: int, alpha: float, seed: int = 1) -> np.ndarray:
    """Return what :meth:`Difference.detectable` says of the same in single commands, as shares."""
    values = np.exp(SPREAD * np.random.default_rng(seed).normal(size=(repeats, 2, seeds))).tolist()
    return np.array([welch(a, b, log=True).detectable(alpha, POWER) - 1 for a, b in values])


def share_with_fewer_finished(models: int, seeds: int, failing: float) -> float:
    """Return the probability that fewer runs finish in B in any pair, where each run of both sides fails at a rate."""
    k = np.arange(seeds + 1)
    fewer = float((binom.pmf(k, seeds, failing) * binom.cdf(k - 1, seeds, failing)).sum())
    return 1 - (1 - fewer) ** models


def main() -> None:
    """Print the tables."""
    print("| models | limits | noise | seeds | --strict | default |\n|--:|--:|---|--:|--:|--:|")
    for models, metrics, noise in ((1, 1, "normal"), (6, 1, "normal"), (6, 1, "skewed"), (6, 3, "normal")):
        for seeds in (3, 5, 10):
            options = {"metrics": metrics, "noise": noise}
            repeats = 4000 if models == 1 else 1000
            rates = [share_failing(repeats, models, seeds, strict=strict, **options) for strict in (True, False)]
            print(f"| {models} | {metrics} | {noise} | {seeds} | {' | '.join(f'{100 * r:.1f} %' for r in rates)} |")
    print("\n| models | seeds | 1 % fail | 5 % fail |\n|--:|--:|--:|--:|")
    for models, seeds in ((1, 5), (6, 5), (6, 10)):
        shares = [share_with_fewer_finished(models, seeds, failing) for failing in (0.01, 0.05)]
        print(f"| {models} | {seeds} | {' | '.join(f'{100 * s:.0f} %' for s in shares)} |")
    rises = (0.1, 0.2, 0.4, 0.8, 1.6)
    print(f"\n| models | seeds | {' | '.join(f'+{100 * r:.0f} %' for r in rises)} |\n|--:|--:|{'--:|' * len(rises)}")
    for models in (1, 6):
        for seeds in (3, 5, 10):
            powers = [share_failing(1000 if models == 1 else 400, models, seeds, rise=rise) for rise in rises]
            print(f"| {models} | {seeds} | {' | '.join(f'{100 * p:.0f} %' for p in powers)} |")
    print("\n| models | seeds | measured | stated: median | 5 to 95 % of commands |\n|--:|--:|--:|--:|--:|")
    for models in (1, 6):
        for seeds in (3, 5, 10):
            measured = measured_rise(200_000, seeds, ALPHA / models)
            low, middle, high = np.quantile(stated_rises(2000, seeds, ALPHA / models), (0.05, 0.5, 0.95))
            shown = " | ".join(f"+{100 * v:.0f} %" for v in (measured, middle))
            print(f"| {models} | {seeds} | {shown} | +{100 * low:.0f} to +{100 * high:.0f} % |")


if __name__ == "__main__":
    main()

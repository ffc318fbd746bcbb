"""Simulate what tables claim: intervals, families, failed runs, seeds needed: ``python bench/simulations/claims.py``.

Values are drawn on the log scale, as that of FID over seeds: normal, or skewed to the right as those of runs of which a
few end badly (a gamma variable of shape 2). Everything goes through the functions that make the tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zoo.columns import Column
from zoo_bench.report.read.claims import Claims, Model
from zoo_bench.report.read.seeds_needed import SeedsNeeded
from zoo_bench.report.read.statistics import t_interval

FID = Column("fid", "lower", "Fréchet distance", scale="log")
SPREAD = 0.2
"""Standard deviation over seeds, of the logarithm: about 20 % of an FID."""

BENCHES = 2000
SIZES = (3, 5, 10)


def draws(generator: np.random.Generator, shape: Sequence[int], skewed: bool) -> np.ndarray:
    """Return FIDs whose logarithm has mean 0 and standard deviation ``SPREAD``."""
    scaled = (generator.gamma(2.0, size=shape) - 2.0) / math.sqrt(2.0) if skewed else generator.normal(size=shape)
    return np.exp(SPREAD * scaled)


def model(label: str, values: Sequence[float], failed: int = 0) -> Model:
    """Make a row of a table of values of FID over the seeds that finished."""
    values = list(values)
    estimates = {"fid": t_interval(values, log=True)}
    return Model(label, len(values) + failed, len(values), failed, {"fid": values}, estimates, failed=failed)


def coverage(n: int, skewed: bool, benches: int = BENCHES) -> float:
    """Return how often a 95 % interval holds the true mean."""
    intervals = [t_interval(v.tolist(), log=True) for v in draws(np.random.default_rng(n), (benches, n), skewed)]
    return float(np.mean([interval.low <= 1.0 <= interval.high for interval in intervals]))


def family_wise_error(n: int, skewed: bool, models: int = 6, benches: int = BENCHES) -> float:
    """Return how often some pair of equal models is called separable."""
    tables = draws(np.random.default_rng(n), (benches, models, n), skewed)
    found = [Claims.of([model(str(i), values) for i, values in enumerate(table)], FID) for table in tables]
    return float(np.mean([any(p < 0.05 for p in claims.p_values.values()) for claims in found]))


DIVERGING, ALIKE = "diverging", 5
"""The model whose bad runs diverge, and how many equal models are beside it."""

GAIN, LOSS = 0.6, 10.0
"""Factors on its FID in runs that hold and in bad ones: on the whole it is worse than the others."""


def claimed(policy: str, n: int, bad_share: float, benches: int = BENCHES) -> tuple[float, float]:
    """Return how often a model that gains in some runs and loses in others is best, and separable from all others.

    Args:
        policy: What becomes of bad runs: "finished" (they finish badly), "dropped" (they diverge, and the mean is over
            what finished, as in many tables) or "counted" (they diverge, and our rule holds).
        n: Seeds of every model.
        bad_share: Probability that a run of the model is a bad one.
        benches: Tables.
    """
    generator = np.random.default_rng(n)
    starred = separable = 0
    for table in draws(generator, (benches, ALIKE + 1, n), False):
        bad = generator.random(n) < bad_share
        table[0] *= np.where(bad, LOSS, GAIN)
        kept = table[0] if policy == "finished" else table[0][~bad]
        if not len(kept):
            continue
        first = model(DIVERGING, kept, failed=int(bad.sum()) if policy == "counted" else 0)
        claims = Claims.of([first, *(model(str(i), values) for i, values in enumerate(table[1:]))], FID)
        starred += claims.standings.get(DIVERGING) == "best"
        separable += claims.standings.get(DIVERGING) == "best" and "tied" not in claims.standings.values()
    return starred / benches, separable / benches


def seeds_needed(n: int, effect: float, benches: int = 500) -> dict[str, float]:
    """Return how often the range of seeds needed holds the true number, and its ends' medians.

    Args:
        n: Seeds of both models.
        effect: Their true difference, in standard deviations.
        benches: Pairs of models.
    """
    generator = np.random.default_rng(n)
    pairs = generator.normal(size=(benches, 2, n)) + np.array([[0.0], [effect]])
    found = [needed for a, b in pairs if (needed := SeedsNeeded.of(a.tolist(), b.tolist()))]
    truth = _truth(effect)
    return {
        "truth": truth,
        "covered": float(np.mean([r.low <= truth <= (r.high or math.inf) for r in found])),
        "low": float(np.median([r.low for r in found])),
        "high": float(np.median([r.high or math.inf for r in found])),
        "unlimited": float(np.mean([r.high is None for r in found])),
    }


def _truth(effect: float) -> float:
    from scipy.stats import nct, t

    def power(n: int) -> float:
        return float(nct.sf(t.isf(0.025, 2 * n - 2), 2 * n - 2, effect * math.sqrt(n / 2)))

    return next((n for n in range(2, 1001) if power(n) >= 0.8), math.inf) if effect else math.inf


def main() -> None:
    """Print the tables."""
    print("| seeds | 95 % interval covers | the same, skewed | some of 6 equal models separable | the same, skewed |")
    print("|--:|--:|--:|--:|--:|")
    for n in SIZES:
        shares = [f(n, skewed) for f in (coverage, family_wise_error) for skewed in (False, True)]
        print(f"| {n} | {' | '.join(f'{100 * share:.1f} %' for share in shares)} |")
    print("\n| bad runs of the model | what becomes of them | best | best and separable from all |")
    print("|--:|---|--:|--:|")
    for bad_share in (0.3, 0.6):
        for policy, text in (("finished", "finish"), ("dropped", "diverge, dropped"), ("counted", "diverge, our rule")):
            shares = claimed(policy, 5, bad_share)
            print(f"| {100 * bad_share:.0f} % | {text} | {' | '.join(f'{100 * share:.1f} %' for share in shares)} |")
    print("\n| difference, sd | seeds | truly needed | range, medians | range holds it | no upper end |")
    print("|--:|--:|--:|--:|--:|--:|")
    for effect in (0.0, 0.5, 1.0, 2.0):
        for n in (5, 10):
            row = seeds_needed(n, effect)
            truth, high = (f"{row[k]:.0f}" if math.isfinite(row[k]) else "∞" for k in ("truth", "high"))
            shares = f"{100 * row['covered']:.0f} % | {100 * row['unlimited']:.0f} %"
            print(f"| {effect:g} | {n} | {truth} | {row['low']:.0f} to {high} | {shares} |")


if __name__ == "__main__":
    main()

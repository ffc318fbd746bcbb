"""Whether generated images help a classifier beside few real ones, and up to which share of real ones they do."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from zoo_bench.report.read.claims import ALPHA
from zoo_bench.report.read.statistics import Estimate, holm, paired, t_interval
from zoo_bench.report.text import listed, plural


@dataclass(frozen=True)
class Measured:
    """What one run is worth.

    Attributes:
        model: The model.
        fraction: The share of real images that it was trained on, and the classifier too.
        seed: Of the run, and of the draw of these images.
        real: Accuracy after training on these images, 0 to 1.
        generated: The same after training on the model's.
        both: The same after training on both.
    """

    model: str
    fraction: float
    seed: int
    real: float
    generated: float
    both: float


@dataclass(frozen=True)
class Gain:
    """What a model's images add to a share of real ones: means over seeds, with Student's intervals.

    Attributes:
        model: The model.
        fraction: The share of real images.
        real: Accuracy after training on real images.
        generated: The same after training on generated ones.
        both: The same after training on both.
        gain: Both less real, seed by seed.
        p: P-value of no gain by Student's paired t test, Holm-corrected over all models and fractions; NaN if there is
            one seed.
    """

    model: str
    fraction: float
    real: Estimate
    generated: Estimate
    both: Estimate
    gain: Estimate
    p: float

    @property
    def verdict(self) -> str:
        """What the generated images do as far as seeds show it: "help", "harm", or "" if they show neither."""
        return "" if not self.p < ALPHA else "help" if self.gain.mean > 0 else "harm"


def gains(measured: Collection[Measured]) -> list[Gain]:
    """Return what every model's images add at every fraction, sorted by both."""

    def place(one: Measured) -> tuple[str, float]:
        return one.model, one.fraction

    groups = [list(group) for _, group in groupby(sorted(measured, key=place), key=place)]
    found = [paired([one.real for one in group], [one.both for one in group]) for group in groups]
    corrected = holm([difference.p for difference in found])
    return [
        Gain(
            *place(group[0]),
            real=t_interval([one.real for one in group]),
            generated=t_interval([one.generated for one in group]),
            both=t_interval([one.both for one in group]),
            gain=difference.estimate,
            p=p,
        )
        for group, difference, p in zip(groups, found, corrected, strict=True)
    ]


def sentences(found: Sequence[Gain]) -> Iterator[str]:
    """Yield for every model at which fractions its images help, at which they harm, and from where on they do not help.

    Args:
        found: What :func:`gains` returned.
    """
    for model, group in groupby(found, key=lambda one: one.model):
        ones = list(group)
        if all(math.isnan(one.p) for one in ones):
            yield f"{model}: one seed supports no claim; use --seeds 5."
            continue
        parts = []
        for verdict in ("help", "harm"):
            which = [f"{one.fraction:g} ({points(one.gain.mean)})" for one in ones if one.verdict == verdict]
            parts += [f"generated images {verdict} at {listed(which)}"] if which else []
        unclear = [one for one in ones if not one.verdict]
        if unclear:
            seeds = plural(max(one.gain.n for one in unclear), "seed")
            parts.append(f"{seeds} show no difference at {listed([f'{one.fraction:g}' for one in unclear])}")
        helped = [one.fraction for one in ones if one.verdict == "help"]
        further = [one.fraction for one in ones if one.fraction > max(helped, default=math.inf)]
        end = f" From {min(further):g} on they are not shown to help." if further else ""
        yield f"{model}: {'; '.join(parts)}.{end}"


def points(share: float) -> str:
    """Write a difference of accuracies in percentage points."""
    return f"{100 * share + 0.0:+.1f} points"

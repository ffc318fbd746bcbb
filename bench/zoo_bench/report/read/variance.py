"""How much of the spread of FID over runs comes from each axis of randomness, and what that means."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from zoo_bench.core.seeds import Axis
from zoo_bench.report.text import figure, listed

AXES: dict[Axis, str] = {
    "initialisation": "initialisation",
    "data": "data order",
    "training": "training noise",
    "sampling": "sampling",
}
"""The axes of randomness, and what tables call them."""

MIN_BASES = 5
"""Bases from which on something is concluded; with fewer, the interval of a deviation spans a factor of over five."""

SMALL_SHARE = 0.25
"""Share of the variance that an axis is said to be below or above, if its interval is."""

SEED_COUNTS = (3, 5, 10)
"""Numbers of seeds for which it is said how wide the interval of FID would be."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        value: The estimate; NaN where the runs do not suffice for one.
        low: Lower end; likewise.
        high: Upper end; likewise.
    """

    value: float
    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan, math.nan)


def deviation(groups: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """Return the standard deviation within groups, pooled, with its interval from the chi-square distribution.

    Where the runs of a group differ in one axis alone, the square of the estimate is unbiased for that axis's total
    effect E[Var(Y | all other axes)] (Homma and Saltelli 1996). The interval is exact where values are normal and vary
    alike in all groups.

    Args:
        groups: Values by group, as many in each, at least two; or one group of independent runs.
        level: Confidence level.
    """
    import numpy as np
    from scipy.special import chdtri

    if not len(groups) or len(groups[0]) < 2:
        return UNKNOWN
    values = np.asarray(groups, dtype=float)
    freedom = len(values) * (values.shape[1] - 1)
    squares = _squares(values)
    tails = [float(chdtri(freedom, upper)) for upper in (0.5 - level / 2, 0.5 + level / 2)]
    return Interval(*(math.sqrt(squares / tail) for tail in (freedom, *tails)))


def share(groups: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """Return the total effect of an axis as a share of the total variance, with its interval from the F distribution.

    The runs of an axis are a one-way layout with random groups, so its share is one minus the intraclass correlation,
    ICC(1) of Shrout and Fleiss (1979). The interval is exact where effects and interactions of all axes are normal.
    It may reach beyond 1, as that of a correlation of 0 does below 0; the share itself does not.

    Args:
        groups: Values by group, as many in each, at least two. Groups differ in all axes.
        level: Confidence level.
    """
    import numpy as np
    from scipy.special import fdtri

    if len(groups) < 2 or len(groups[0]) < 2:
        return UNKNOWN
    values = np.asarray(groups, dtype=float)
    n, repeats = values.shape
    freedom = n - 1, n * (repeats - 1)
    between = repeats * _squares(values.mean(axis=1)[None]) / freedom[0]
    within = _squares(values) / freedom[1]
    if not between and not within:
        return UNKNOWN
    tails = [float(fdtri(*freedom, lower)) for lower in (0.5 - level / 2, 0.5 + level / 2)]
    return Interval(*(repeats * within / ((repeats - 1) * within + between / tail) for tail in (1.0, *tails)))


def _squares(values: Any) -> float:
    """Return the sum of squared deviations of values (groups, repeats) from the means of their groups."""
    return float(((values - values.mean(axis=1, keepdims=True)) ** 2).sum())


@dataclass(frozen=True)
class Component:
    """What one axis contributes to the spread of log FID.

    Attributes:
        axis: The axis.
        runs: Its runs, the bases among them.
        failed: How many of them have no FID; what their bases have is left out of the estimates.
        deviation: Standard deviation where this axis alone varies.
        share: Its square as a share of the variance where all axes vary: the total effect of the axis.
    """

    axis: Axis
    runs: int
    failed: int
    deviation: Interval
    share: Interval


@dataclass(frozen=True)
class Components:
    """What the axes contribute to the spread of log FID over the runs of one model.

    Attributes:
        bases: Base runs, which differ in all axes.
        failed: How many of them have no FID.
        mean: Geometric mean of the FIDs of the others; NaN without any.
        total: Standard deviation over them.
        axes: By axis.
    """

    bases: int
    failed: int
    mean: float
    total: Interval
    axes: list[Component]

    @classmethod
    def of(cls, fids: dict[Axis, list[list[float]]]) -> Components:
        """Return the components that runs show.

        Args:
            fids: By axis and base, the FIDs of runs that differ in that axis alone, the base's first; NaN of a run that
                failed.
        """
        axes = []
        for axis, groups in fids.items():
            failed = sum(math.isnan(fid) for group in groups for fid in group)
            whole = [[math.log(fid) for fid in group] for group in groups if not any(map(math.isnan, group))]
            axes.append(Component(axis, sum(map(len, groups)), failed, deviation(whole), share(whole)))
        bases = [group[0] for group in next(iter(fids.values()))]
        finished = [math.log(fid) for fid in bases if not math.isnan(fid)]
        mean = math.exp(math.fsum(finished) / len(finished)) if finished else math.nan
        return cls(len(bases), len(bases) - len(finished), mean, deviation([finished]), axes)

    def sentences(self) -> Iterator[str]:
        """Yield what the components mean for numbers of seeds and of samples."""
        for axis in self.axes:
            if axis.failed:
                yield (
                    f"{axis.failed} of {axis.runs} runs of {AXES[axis.axis]} failed: what their bases have is left "
                    "out, and the figures are of runs that finish."
                )
        if (finished := self.bases - self.failed) < MIN_BASES:
            yield f"Bases that finished: {finished}. With fewer than {MIN_BASES}, these intervals say next to nothing."
            return
        yield self._of_seeds()
        yield self._of_samples()
        yield from self._of_axes()

    def _of_seeds(self) -> str:
        from scipy.special import stdtrit

        def half_width(deviation: float, n: int) -> str:
            return figure(100 * math.expm1(float(stdtrit(n - 1, 0.975)) * deviation / math.sqrt(n)))

        widths = listed([f"± {half_width(self.total.value, n)} % with {n} seeds" for n in SEED_COUNTS])
        low, high = (half_width(end, SEED_COUNTS[-1]) for end in (self.total.low, self.total.high))
        return (
            f"The 95 % interval of mean FID is about {widths}; these runs know the spread only so far that the last "
            f"may be {low} to {high} %."
        )

    def _of_samples(self) -> str:
        high = next((c.share.high for c in self.axes if c.axis == "sampling"), math.nan)
        if not high < 1:
            return "These runs are too few to say how much more samples would narrow it."
        narrowed = figure(100 * (1 - math.sqrt(1 - high)))
        return (
            f"Drawing more samples, however many, would narrow it by at most {narrowed} %: sampling's part of the "
            "variance goes as 1 / samples, the rest stays."
        )

    @property
    def interact(self) -> bool:
        """Whether even the lower ends of the shares add up to more than 1: effects of some axes depend on others."""
        return sum(axis.share.low for axis in self.axes) > 1

    def _of_axes(self) -> Iterator[str]:
        large = [axis for axis in self.axes if axis.share.low > SMALL_SHARE]
        small = [axis for axis in self.axes if axis.share.high < SMALL_SHARE]
        unclear = [axis for axis in self.axes if axis not in large and axis not in small]
        if large:
            yield f"{_named(large)}at least {min(axis.share.low for axis in large):.0%} of the variance."
        if small:
            high = max(axis.share.high for axis in small)
            yield f"{_named(small)}at most {high:.0%} of the variance, which a seed that stays the same would hide."
        if unclear:
            yield f"{_named(unclear)}below or above {SMALL_SHARE:.0%}, which these runs are too few to say."
        if self.interact:
            yield (
                f"Shares add up to {sum(min(1.0, axis.share.value) for axis in self.axes):.0%}, because axes act "
                "together, as in chaos: training ends elsewhere whichever of them changes. One seed for all axes shows "
                "the whole spread, and no axis needs seeds of its own."
            )


def _named(components: Sequence[Component]) -> str:
    """Return the beginning of a sentence: "Sampling: " or "Data order and sampling: each "."""
    names = listed([AXES[component.axis] for component in components])
    return f"{names[0].upper()}{names[1:]}: " + ("each " if len(components) > 1 else "")

"""Gates of ``zoo compare``: limits that a change must not exceed, for continuous integration."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.errors import UnknownNameError, ZooError
from zoo_bench.report.read.changes import LOOKLESS, Change
from zoo_bench.report.read.claims import ALPHA, Model
from zoo_bench.report.read.statistics import MIN_SEEDS_OF_SPREAD
from zoo_bench.report.text import signed

POWER = 0.8
"""Probability with which a change of the size that is stated would have been shown."""

_LIMIT_PATTERN = re.compile(r"\s*([\w.-]+)\s*:\s*([+-])\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*")


@dataclass(frozen=True)
class Limit:
    """How far a metric may move.

    ``fid:+5%`` is exceeded by a rise of more than 5 %, ``modes_captured:-1`` by a fall of more than 1.

    Attributes:
        column: The metric.
        sign: 1 for a rise, -1 for a fall.
        size: How far, as a share of A's mean or in the metric's own unit; 0 or more.
        percent: Whether it is a share.
    """

    column: str
    sign: int
    size: float
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read "fid:+5%" or "modes_captured:-1".

        Raises:
            ZooError: If it has another form.
        """
        match = _LIMIT_PATTERN.fullmatch(text)
        if not match:
            raise ZooError(f"--fail-if {text!r} is not understood: write METRIC:+5%, METRIC:-2% or METRIC:+0.3")
        column, sign, size, percent = match.groups()
        return cls(column, -1 if sign == "-" else 1, float(size) / (100 if percent else 1), bool(percent))

    def __str__(self) -> str:
        size = f"{100 * self.size:g}%" if self.percent else f"{self.size:g}"
        return f"{self.column}:{'+' if self.sign > 0 else '-'}{size}"

    def moved(self, change: Change) -> float:
        """Return how far B's mean is from A's, in the unit of the limit; NaN if either is missing."""
        return change.relative if self.percent else change.b.mean - change.a.mean


@dataclass(frozen=True)
class Gate:
    """One limit for one pair of models.

    Attributes:
        limit: The limit.
        change: How B differs from A.
        level: Level at which B must be separable from A.
        strict: Whether the estimate decides, separable or not.
    """

    limit: Limit
    change: Change
    level: float = ALPHA
    strict: bool = False

    @property
    def fewer_finish(self) -> bool:
        """Whether a smaller share of the runs finished in B than in A; those that the user interrupted do not count."""
        a, b = self.change.comparison.a, self.change.comparison.b
        return b.ok * (a.ok + a.failed) < a.ok * (b.ok + b.failed)

    @property
    def unjudged(self) -> str:
        """Why it cannot be judged and what to do; empty if it can."""
        change, comparison = self.change, self.change.comparison
        if comparison.obstacle:
            return f"{comparison.obstacle}; measure both alike, or gate another metric"
        if missing := [side for side, e in (("A", change.a), ("B", change.b)) if not e.n]:
            return f"no finished run in {missing[0]} has a value; run it again or score it with `zoo score`"
        if self.strict or comparison.exact:
            return ""
        if comparison.no_claim:
            return f"{comparison.excluded}; --strict lets the estimate decide"
        if not comparison.complete:
            return "some finished runs have no value; score them with `zoo score`, or let --strict decide"
        if math.isnan(change.p):
            return "one run says nothing about spread; run more seeds, or let --strict decide"
        if self.exceeded and math.isnan(change.difference.error) and not change.separable(self.level):
            return f"{self.seeds} without spread separate no change; run more, or let --strict decide"
        if self.exceeded and comparison.lacks_look:
            return f"--seeds auto {LOOKLESS}; run these, or let --strict decide"
        return ""

    @property
    def exceeded(self) -> bool:
        """Whether the estimate is beyond the limit."""
        return self.limit.sign * self.limit.moved(self.change) > self.limit.size

    @property
    def passed(self) -> bool:
        """Whether as many runs finish, it can be judged, and the change is not beyond the limit and separable."""
        if self.fewer_finish or self.unjudged:
            return False
        change = self.change
        certain = self.strict or (change.separable(self.level) and change.difference.sign == self.limit.sign)
        return not (self.exceeded and certain)

    def __str__(self) -> str:
        a, b = self.change.comparison.a, self.change.comparison.b
        where = f"{self.limit}: {self.change.pair} on {self.change.key['task']}"
        if self.fewer_finish:
            return f"{where}: {_finished(b)} runs finished in B, {_finished(a)} in A"
        if self.unjudged:
            return f"{where} cannot be judged: {self.unjudged}"
        moved = self.limit.moved(self.change)
        changed = f"{signed(100 * moved)} %" if self.limit.percent else signed(moved)
        return f"{where} changed by {changed}{self._support()}"

    def _support(self) -> str:
        """Return what the runs say of the change, with what they could have shown where they show none."""
        change = self.change
        if change.comparison.exact:
            return ""
        if math.isnan(change.p) or not change.comparison.complete:
            return ", which these runs do not support"
        p = f"p {change.p:.2g}" if self.level == ALPHA else f"p {change.p:.2g}, level {self.level:.2g}"
        if change.separable(self.level):
            return f", separable ({p})"
        return f", not separable ({p}){self._could_show()}"

    def _could_show(self) -> str:
        """Return what change these seeds would have shown; empty if that is unknown, as without spread."""
        change = self.change
        if change.difference.estimate.n < MIN_SEEDS_OF_SPREAD:
            return f"; {self.seeds} show hardly any change"
        rise = change.detectable(self.level, POWER)
        if math.isnan(rise):
            return ""
        if change.difference.ratio:
            size = f"{signed(100 * (rise**self.limit.sign - 1), 2)} %"
        else:
            size = signed(self.limit.sign * rise, 2)
        return f"; with {self.seeds} about {size} would have been shown with {100 * POWER:.0f} % probability"

    @property
    def seeds(self) -> str:
        """The numbers of runs that have a value, in words."""
        a, b = self.change.a.n, self.change.b.n
        return f"{a} seeds" if a == b else f"{a} and {b} seeds"


def _finished(model: Model) -> str:
    return f"{model.ok} of {model.ok + model.failed}"


def gates(limits: Sequence[Limit], changes: Sequence[Change], *, strict: bool = False) -> list[Gate]:
    """Return a gate for every limit and every pair that has the metric.

    Families of p-values share the level, so that one command raises a false alarm with at most 5 % probability: with
    limits on two metrics, p must be below 2.5 %. A change that is exact takes no share.

    Args:
        limits: The limits; repeated ones count once.
        changes: All changes of the two sides.
        strict: Whether the estimate decides, separable or not.

    Raises:
        UnknownNameError: If no pair has the metric of a limit.
    """
    made: list[tuple[Limit, Change]] = []
    for limit in dict.fromkeys(limits):
        matches = [change for change in changes if change.metric.name == limit.column]
        if not matches:
            raise UnknownNameError("metric in --fail-if", limit.column, {change.metric.name for change in changes})
        made += [(limit, change) for change in matches]
    families = {change.family for _, change in made if not math.isnan(change.p)}
    return [Gate(limit, change, ALPHA / max(1, len(families)), strict) for limit, change in made]

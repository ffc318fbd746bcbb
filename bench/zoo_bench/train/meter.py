"""The meter of the budget that a run has spent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from zoo_bench.core.budget import Budget


@dataclass
class Meter:
    """What a run has spent.

    Attributes:
        images: Real images drawn; each counts once per round, however many networks see it in that round.
        rounds: Rounds of the game.
        updates: Optimiser steps of all players together.
        seconds: Training time.
        flops: Operations of forward and backward matrix products and convolutions.
    """

    images: int = 0
    rounds: int = 0
    updates: int = 0
    flops: int = 0
    _before: float = 0.0
    _since: float | None = field(default=None, repr=False)

    @property
    def seconds(self) -> float:
        """Training time so far, whether the clock runs or not."""
        return self._before + (time.perf_counter() - self._since if self._since is not None else 0.0)

    def start(self) -> None:
        """Start the clock."""
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Stop the clock."""
        self._before, self._since = self.seconds, None

    def share(self, budget: Budget) -> float:
        """Return the largest share of any limit that is spent; 1 or more means: stop."""
        spent = {"images": self.images, "seconds": self.seconds, "rounds": self.rounds, "flops": self.flops}
        limits = {unit: getattr(budget, unit) for unit in spent}
        return max(spent[unit] / limit for unit, limit in limits.items() if limit is not None)

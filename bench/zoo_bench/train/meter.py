"""The meter of the budget that a run has spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter, process_time, thread_time
from typing import Any

from zoo_bench.core.budget import Budget


@dataclass
class Meter:
    """What a run has spent.

    Attributes:
        images: Real images drawn; each counts once per round, however many networks see it in that round.
        rounds: Rounds of the game.
        updates: Optimiser steps of all players together.
        seconds: Training time.
        cpu_seconds: CPU time of all threads of this process within the training time.
        thread_seconds: CPU time of the thread that trains within the training time.
        flops: Operations of forward and backward matrix products and convolutions.
    """

    images: int = 0
    rounds: int = 0
    updates: int = 0
    flops: int = 0
    _before: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _since: tuple[float, float, float] | None = field(default=None, repr=False)

    @property
    def seconds(self) -> float:
        """Training time so far, whether the clock runs or not."""
        return self._spent(0, perf_counter)

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far."""
        return self._spent(1, process_time)

    @property
    def thread_seconds(self) -> float:
        """CPU time of this thread so far."""
        return self._spent(2, thread_time)

    def _spent(self, clock: int, now: Callable[[], float]) -> float:
        return self._before[clock] + (now() - self._since[clock] if self._since else 0.0)

    def start(self) -> None:
        """Start the clock."""
        self._since = perf_counter(), process_time(), thread_time()

    def stop(self) -> None:
        """Stop the clock."""
        self._before, self._since = (self.seconds, self.cpu_seconds, self.thread_seconds), None

    def state_dict(self) -> dict[str, Any]:
        """See :class:`zoo_bench.train.checkpoint.Stateful`; the clock must have been stopped."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what was spent."""
        vars(self).update(state)

    def share(self, budget: Budget) -> float:
        """Return the largest share of any limit that is spent; 1 or more means: stop."""
        spent = {"images": self.images, "seconds": self.seconds, "rounds": self.rounds, "flops": self.flops}
        limits = {unit: getattr(budget, unit) for unit in spent}
        return max(spent[unit] / limit for unit, limit in limits.items() if limit is not None)

"""Executors: they decide where runs are executed.

An executor is a function ``run(specs, options)`` that yields events as they happen, among them exactly one
:class:`Finished` for every run that ``options.claim`` admits. It must not write results: the harness stores each
outcome when it arrives. When the generator is closed early, it must end the runs in progress.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo_bench.plan.record import Outcome, Progress, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.plan.spec import RunSpec

MAX_NAMED = 4
"""Metrics that a sentence names; more are counted."""


@dataclass(frozen=True)
class Options:
    """Settings of an executor.

    Attributes:
        workers: Runs at once; None: what suits the machine, and one if the budget is wall-clock.
        threads: CPU threads of each; None: what suits the number of workers.
        timeout: Seconds without a sign of progress after which a run is ended as hung; None: never.
        address: Where a cluster listens; empty: none, or the executor's own default.
        scoring: What is computed and kept of every run beside its weights.
        checkpoints: Folder where checkpoints of runs under way are kept; None: nowhere.
        checkpoint_seconds: Time from one to the next; None: none are kept.
        claim: Asked right before a run is started, and only in the process of the bench; if it says no, another process
            does the run, and it is to be left out. None: all runs are to be done.
    """

    workers: int | None = None
    threads: int | None = None
    timeout: float | None = None
    address: str = ""
    scoring: Scoring = field(default_factory=Scoring)
    checkpoints: Path | None = None
    checkpoint_seconds: float | None = None
    claim: Callable[[RunSpec], bool] | None = None


@dataclass(frozen=True)
class Started:
    """A run has begun, with these resources."""

    spec: RunSpec
    resources: Resources


@dataclass(frozen=True)
class Progressed:
    """A run has come this far."""

    spec: RunSpec
    progress: Progress


@dataclass(frozen=True)
class Finished:
    """A run has ended, successfully or not."""

    spec: RunSpec
    outcome: Outcome


@dataclass(frozen=True)
class Rescored:
    """Scores of a stored run were computed again, and are in its record; executors do not yield this."""

    spec: RunSpec
    record: RunRecord
    names: tuple[str, ...]

    def sentence(self) -> str:
        """Return which scores were computed, or why none were."""
        if self.record.status != "ok":
            return f"{self.spec}: not scored again: {self.record.error}"
        scores = self.record.scores
        names = ", ".join(self.names) if len(self.names) <= MAX_NAMED else f"{len(self.names)} metrics"
        failed = [f"{name}: {scores[name].error}" for name in self.names if scores[name].error]
        return "; ".join([f"{self.spec}: scored {names}", *failed])


@dataclass(frozen=True)
class Looked:
    """``--seeds auto`` looked at the results and decided what comes next; executors do not yield this.

    Attributes:
        sentences: For every table, which pairs of models are not separable and which seeds come next.
        planned: Number of runs that it adds to the plan.
        missing: Number of those that are not stored yet.
        outdated: Number of the others that are scored again.
    """

    sentences: tuple[str, ...]
    planned: int = 0
    missing: int = 0
    outdated: int = 0


@dataclass(frozen=True)
class Told:
    """Something that the user should know while a bench runs; executors do not yield this."""

    sentence: str


Event = Started | Progressed | Finished | Rescored | Looked | Told
Executor = Callable[[Sequence[RunSpec], Options], Iterator[Event]]

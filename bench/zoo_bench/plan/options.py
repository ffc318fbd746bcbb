"""The options of a bench: one set of names and defaults for the command line, Python and the plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo_bench.plan.seeds import parse_limit, parse_seeds

MAX_COUNT, MAX_JUDGE_SEED = 10_000, 2**31 - 1
"""Above them, a number is a typing error."""


def check_positive(most: int = MAX_COUNT, **numbers: int | None) -> None:
    """Raise a :class:`ZooError` that names the first option below one or above ``most``; None is accepted."""
    for name, number in numbers.items():
        if number is not None and not 1 <= number <= most:
            limit = "at least 1" if number < 1 else f"at most {most:,}"
            raise ZooError(f"--{name.replace('_', '-')} must be {limit}, got {number}")


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """The options of a bench.

    Attributes:
        models: Names, ``*`` patterns and ``gan[packing=2]`` with commas; "all" for every installed model.
        task: Names of tasks with commas.
        budget: Of every run: "200k" training images, "90s", "3000rounds", "5PFLOP", or several with commas.
        seeds: Training seeds: how many, 3 for 0, 1 and 2; or which, [0, 3, 7], "0,3,7" or "5-9" (both ends included);
            or "auto": further ones are added while any pair of models is not separable by the leading metric, up to 20
            of each model, or as many as "auto:30" says.
        metrics: Names of metrics with commas; "all" leaves out those that are computed on request.
        settings: By model, settings that are not its defaults: ``{"dcgan": {"lr": 1e-4}}``.
        precision: "fp32", "bf16", either with "+compile", or "auto": the fastest in a short measurement.
        device: "auto", "cpu", "cuda" or "mps".
        out: Folder for results; runs that it already has are not repeated.
        executor: Where runs are executed: "local", "ray", or a plugin's.
        address: Where the executor's cluster listens; empty: none, or the executor's own default.
        workers: Runs at once; None: one per core, on GPUs as many as are measured to pay, and one in all if the budget
            is wall-clock.
        threads: CPU threads of each run; None: the cores divided among the workers, or measured.
        timeout: Seconds without a sign of progress after which a run counts as hung; None: never. An hour, because
            every step that gives none, such as a round, a batch of a judge or the rest of a metric, takes minutes at
            most on one slow core.
        checkpoint_every: Seconds after which a run writes down where it is, to go on from there; None: never.
        retry_failed: Whether runs that ended in an error or a timeout are repeated.
        force: Whether all runs are repeated.
        judge_seed: Seed of the second judge of each task; None: that of the folder, or a new one at random.
        keep_samples: Whether the scored samples of every run are stored.
        throughput: Whether every model is timed on this machine, with nothing else running, when the runs are done.
        track: Names of trackers with commas, which receive the runs; plugins with hooks for runs receive them as well.

    Raises:
        ZooError: If a number is below one or too large, or the seeds cannot be read.
    """

    models: str = "all"
    task: str = "digits"
    budget: str = "200k"
    seeds: int | str | Collection[int] = 3
    metrics: str = "all"
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    precision: str = "auto"
    device: str = "auto"
    out: Path = Path("results/bench")
    executor: str = "local"
    address: str = ""
    workers: int | None = None
    threads: int | None = None
    timeout: float | None = 3600.0
    checkpoint_every: float | None = 300.0
    retry_failed: bool = False
    force: bool = False
    judge_seed: int | None = None
    keep_samples: bool = False
    throughput: bool = False
    track: str = ""

    def __post_init__(self) -> None:
        check_positive(workers=self.workers, threads=self.threads)
        check_positive(MAX_JUDGE_SEED, judge_seed=self.judge_seed)
        parse_seeds(self.seeds)

    @property
    def training_seeds(self) -> tuple[int, ...]:
        """The training seeds, sorted, each of them once; those that a bench begins with if it may add further ones."""
        return parse_seeds(self.seeds)

    @property
    def seed_limit(self) -> int | None:
        """How many seeds a model may have at most where a bench adds further ones; None if the seeds are fixed."""
        return parse_limit(self.seeds)


DEFAULTS = BenchOptions()

"""Resources of runs: how many run at once, and the share of the machine that each gets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

from zoo_bench.core.budget import Budget
from zoo_bench.plan.spec import RunSpec


@dataclass(frozen=True)
class Resources:
    """The share of a machine that one run gets.

    Attributes:
        threads: CPU threads.
        contended: Whether other runs share the machine.
        memory: Bytes of main memory that the run may plan with; 0: all there is.
        gpu: Index of the GPU that it may use; None: the first that torch sees, if any.
    """

    threads: int
    contended: bool
    memory: int = 0
    gpu: int | None = None


def share_machine(
    specs: Sequence[RunSpec], workers: int | None, threads: int | None, *, cores: int, memory: int, gpus: int
) -> list[Resources]:
    """Divide a machine among runs at once, one element for each; explicit numbers may exceed the cores.

    Without numbers, runs on the CPU get a thread each and there are as many as cores: many runs of one thread are
    fastest. Runs on GPUs get one GPU each. Runs whose budget is wall-clock run one at a time.

    Args:
        specs: The runs, at least one.
        workers: Runs at once; None: as above.
        threads: CPU threads of each; None: what their specs say, or else the cores divided among the workers.
        cores: CPU cores of the machine.
        memory: Bytes of main memory.
        gpus: GPUs of the machine.
    """
    threads = threads or max((spec.threads for spec in specs if spec.threads), default=None)
    gpus = gpus if any(spec.device == "cuda" for spec in specs) else 0
    if workers is None:
        workers = 1 if is_timed(specs) else gpus or max(1, cores // (threads or 1))
    threads = threads or max(1, cores // workers)
    contended = min(workers, len(specs)) > 1
    return [Resources(threads, contended, memory // workers, i % gpus if gpus else None) for i in range(workers)]


def share_this_machine(specs: Sequence[RunSpec], workers: int | None, threads: int | None) -> list[Resources]:
    """Divide this machine as :func:`share_machine` does."""
    import torch

    memory, gpus = psutil.virtual_memory().total, torch.cuda.device_count()
    return share_machine(specs, workers, threads, cores=cores(), memory=memory, gpus=gpus)


def cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_timed(specs: Iterable[RunSpec]) -> bool:
    """Return whether the budget of any run is wall-clock, so that no other run may share the machine."""
    return any(Budget.parse(spec.budget).seconds for spec in specs if spec.budget)

"""Resources of runs: how many run at once, and the share of the machine that each gets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zoo.machine import cores, memory
from zoo_bench.core.budget import Budget
from zoo_bench.plan.spec import RunSpec

VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Resources:
    """The share of a machine that one run gets.

    Attributes:
        threads: CPU threads.
        contended: Whether other runs share the machine.
        memory: Bytes of main memory that the run may plan with; 0: all there is.
        gpu: The GPU that it may use, as CUDA_VISIBLE_DEVICES names it; None: the first that torch sees, if any.
        gpu_share: Share of that GPU's memory that its tensors may take, above 0 and at most 1.
    """

    threads: int
    contended: bool
    memory: int = 0
    gpu: str | None = None
    gpu_share: float = 1.0


def share_machine(
    specs: Sequence[RunSpec], workers: int | None, threads: int | None, *, cores: int, memory: int, gpus: Sequence[str]
) -> list[Resources]:
    """Divide a machine among runs at once, one element for each; explicit numbers may exceed the cores.

    Without numbers, runs on the CPU get a thread each and there are as many as cores: many runs of one thread are
    fastest. Runs on GPUs get one GPU each. Runs whose budget is wall-clock run one at a time. More runs than GPUs are
    spread over them in turn, and those that share one get equal shares of its memory.

    Args:
        specs: The runs, at least one.
        workers: Runs at once; None: as above.
        threads: CPU threads of each; None: what their specs say, or else the cores divided among the workers.
        cores: CPU cores of the machine.
        memory: Bytes of main memory.
        gpus: GPUs of the machine, as CUDA_VISIBLE_DEVICES names them.
    """
    threads = threads or max((spec.threads for spec in specs if spec.threads), default=None)
    gpus = gpus if any(spec.device == "cuda" for spec in specs) else ()
    if workers is None:
        workers = 1 if is_timed(specs) else len(gpus) or max(1, cores // (threads or 1))
    threads = threads or max(1, cores // workers)
    assigned = [gpus[i % len(gpus)] if gpus else None for i in range(workers)]
    at_once = assigned[: len(specs)]
    shares = {gpu: 1 / at_once.count(gpu) for gpu in at_once if gpu is not None}
    contended = len(at_once) > 1
    return [Resources(threads, contended, memory // workers, gpu, shares.get(gpu or "", 1.0)) for gpu in assigned]


def share_this_machine(specs: Sequence[RunSpec], workers: int | None, threads: int | None) -> list[Resources]:
    """Divide this machine as :func:`share_machine` does."""
    import torch

    gpus = visible_gpus(torch.cuda.device_count(), os.environ.get(VISIBLE_GPUS))
    return share_machine(specs, workers, threads, cores=cores(), memory=memory(), gpus=gpus)


def visible_gpus(number: int, visible: str | None) -> list[str]:
    """Return the names of the GPUs that this process sees, each as a value of CUDA_VISIBLE_DEVICES for it alone.

    Args:
        number: GPUs that torch sees.
        visible: Value of CUDA_VISIBLE_DEVICES: indices or identifiers with commas, of which CUDA uses those before the
            first invalid one (CUDA C++ Programming Guide, "CUDA Environment Variables"); None: it is not set.
    """
    names = map(str, range(number)) if visible is None else visible.split(",")
    return [name.strip() for name in names][:number]


def is_timed(specs: Iterable[RunSpec]) -> bool:
    """Return whether the budget of any run is wall-clock, so that no other run may share the machine."""
    return any(Budget.parse(spec.budget).seconds for spec in specs if spec.budget)

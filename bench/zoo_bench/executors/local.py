"""The local executor: a fresh process per run, so that crashes, memory, threads and randomness do not affect others."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from zoo_bench.core.children import Child, Inbox, Lost, end, next_message, tell
from zoo_bench.executors import Event, Finished, Options, Progressed, Started
from zoo_bench.plan.record import Outcome, Progress, RunRecord, Status
from zoo_bench.plan.resources import VISIBLE_GPUS, Resources, share_this_machine
from zoo_bench.plan.spec import RunSpec
from zoo_bench.run.execute import execute

PROGRESS_INTERVAL_SECONDS = 0.2
LOG_TAIL_CHARACTERS = 2000


@dataclass
class _Running:
    spec: RunSpec
    resources: Resources
    log: Path
    started_at: datetime
    progress: Progress | None = None
    outcome: Outcome | None = None
    """What it has told of its outcome while it was scored."""


Work = Callable[[RunSpec, Resources, Callable[[Progress], None]], Outcome]
"""What is done for a spec in a process of its own: it reports how far it is, and returns the outcome."""


def run(specs: Sequence[RunSpec], options: Options) -> Iterator[Event]:
    """Run every spec in a process of its own, ``options.workers`` at once; see :mod:`zoo_bench.executors`."""
    yield from run_here(specs, options, training(options))


def training(options: Options) -> Work:
    """Return the work of training and scoring a run, as options of an executor say it."""
    return partial(
        execute,
        scoring=options.scoring,
        checkpoints=options.checkpoints,
        checkpoint_seconds=options.checkpoint_seconds,
    )


def run_here(specs: Sequence[RunSpec], options: Options, work: Work) -> Iterator[Event]:
    """Do some work for every spec on this machine, each in a process of its own, ``options.workers`` at once."""
    if specs:
        slots = share_this_machine(specs, options.workers, options.threads)
        yield from run_with(slots, specs, options.timeout, work, options.claim)


def run_with(
    slots: Sequence[Resources],
    specs: Sequence[RunSpec],
    timeout: float | None,
    work: Work,
    claim: Callable[[RunSpec], bool] | None = None,
) -> Iterator[Event]:
    """Do some work for every spec in a process of its own, as many at once as there are slots, with a slot's resources.

    A crash or a hang costs only that run's record. Specs that ``claim`` does not admit are left out.

    Args:
        slots: Resources of runs at once.
        specs: The runs.
        timeout: Seconds without a sign of progress after which a run is ended as hung; None: never.
        work: What is done for each.
        claim: As in :class:`zoo_bench.executors.Options`.
    """
    waiting, running, free = list(specs), dict[Child, _Running](), list(slots)
    inbox: Inbox = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as logs:
        try:
            while waiting or running:
                while waiting and free:
                    spec = waiting.pop(0)
                    if claim and not claim(spec):
                        continue
                    resources = free.pop(0)
                    log = Path(logs, f"{spec.run_id}.log")
                    child = Child(inbox, timeout, _work, work, spec, resources, log)
                    running[child] = _Running(spec, resources, log, datetime.now(UTC))
                    yield Started(spec, resources)
                if not running:
                    continue
                child, message = next_message(inbox, list(running))
                current = running[child]
                if isinstance(message, Progress):
                    current.progress = message
                    yield Progressed(current.spec, message)
                    continue
                if isinstance(message, Outcome):
                    files = current.outcome.files if current.outcome else {}
                    current.outcome = Outcome(message.record, files | message.files)
                    continue
                outcome = _lost(current, message) if isinstance(message, Lost) else message.value
                del running[child]
                end([child], early=isinstance(message, Lost) and message.is_hung)
                free.append(current.resources)
                yield Finished(current.spec, outcome)
        finally:
            end(list(running), early=True)


def _lost(current: _Running, lost: Lost) -> Outcome:
    log = current.log.read_text(errors="replace") if current.log.exists() else ""
    error = f"ended as hung: {lost.sentence}; --timeout sets that limit" if lost.is_hung else lost.sentence
    status: Status = "timeout" if lost.is_hung else "error"
    if outcome := current.outcome:
        record = outcome.record
        record.status, record.error = status, error
        record.traceback += log[-LOG_TAIL_CHARACTERS:]
        return outcome
    details = {"traceback": log[-LOG_TAIL_CHARACTERS:], "started_at": current.started_at}
    details |= current.progress.figures() if current.progress else {}
    return Outcome(RunRecord.failed(current.spec, current.resources, status, error, **details))


def take_gpu(resources: Resources) -> None:
    """Let this process see its GPU alone, and allocate no more tensors there than its share of the memory holds.

    Bytes that CUDA itself needs in every process, some hundreds of MB, come on top. It must be called before CUDA is
    used.
    """
    if resources.gpu is not None:
        os.environ[VISIBLE_GPUS] = resources.gpu
        if resources.gpu_share < 1:
            import torch

            torch.cuda.set_per_process_memory_fraction(resources.gpu_share)


def _work(work: Work, spec: RunSpec, resources: Resources, log: Path) -> Outcome:
    """Do the work for one spec, and send how far it is; what plugins print goes to the log."""
    from threadpoolctl import threadpool_limits

    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # it asks for a checkpoint, which only training can write
    take_gpu(resources)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_INTERVAL_SECONDS:
            last = time.monotonic()
            tell(progress)

    with threadpool_limits(resources.threads):
        return work(spec, resources, report)

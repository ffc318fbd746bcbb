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
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from zoo_bench.core.processes import context, end_process, without_main_module
from zoo_bench.executors import Event, Finished, Options, Progressed, Started
from zoo_bench.plan.record import Outcome, Progress, RunRecord, Status
from zoo_bench.plan.resources import Resources, share_this_machine
from zoo_bench.plan.spec import RunSpec
from zoo_bench.run.execute import execute

PROGRESS_INTERVAL_SECONDS = 0.2
LOG_TAIL_CHARACTERS = 2000
MAX_WAIT_SECONDS = 60.0
"""Limit of one wait for events, because a run without timeout has no deadline to wait for."""


@dataclass
class _Running:
    spec: RunSpec
    resources: Resources
    process: Any
    events: Connection[Any, Any]
    log: Path
    started_at: datetime
    deadline: float


Work = Callable[[RunSpec, Resources, Callable[[Progress], None]], Outcome]
"""What is done for a spec in a process of its own: it reports how far it is, and returns the outcome."""


def run(specs: Sequence[RunSpec], options: Options) -> Iterator[Event]:
    """Run every spec in a process of its own, ``options.workers`` at once; see :mod:`zoo_bench.executors`."""
    yield from run_here(specs, options, partial(execute, scoring=options.scoring))


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

    A crash or a timeout costs only that run's record. Specs that ``claim`` does not admit are left out.
    """
    waiting, running, free = list(specs), list[_Running](), list(slots)
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as logs:
        try:
            while waiting or running:
                while waiting and free:
                    spec = waiting.pop(0)
                    if claim is None or claim(spec):
                        running.append(_start(spec, free.pop(0), timeout, Path(logs), work))
                        yield Started(running[-1].spec, running[-1].resources)
                for current, event in _next_events(running) if running else ():
                    if isinstance(event, Finished):
                        _close(current)
                        running.remove(current)
                        free.append(current.resources)
                    yield event
        finally:
            for current in running:
                _close(current)


def _start(spec: RunSpec, resources: Resources, timeout: float | None, logs: Path, work: Work) -> _Running:
    receiver, sender = context().Pipe(duplex=False)
    log = logs / f"{spec.run_id}.log"
    process = context().Process(target=_work, args=(work, spec, resources, sender, log), daemon=True)
    with without_main_module():
        process.start()
    sender.close()
    deadline = time.monotonic() + timeout if timeout else float("inf")
    return _Running(spec, resources, process, receiver, log, datetime.now(UTC), deadline)


def _next_events(running: list[_Running]) -> list[tuple[_Running, Event]]:
    """Wait until a run reports, ends or is overdue.

    Besides its reports, the end of each process is waited for: its own child processes may keep the pipe open after it.
    """
    remaining = min(r.deadline for r in running) - time.monotonic()
    sources = [source for r in running for source in (r.events, r.process.sentinel)]
    ready = wait(sources, timeout=min(max(remaining, 0.0), MAX_WAIT_SECONDS))
    now = time.monotonic()
    reporting = [r for r in running if r.events in ready or r.process.sentinel in ready]
    reports = [(r, _receive(r)) for r in reporting]
    overdue = [r for r in running if r not in reporting and now >= r.deadline]
    message = "ended as hung: its wall-clock reached the limit that --timeout sets"
    return reports + [(r, Finished(r.spec, _failed(r, "timeout", message))) for r in overdue]


def _receive(current: _Running) -> Event:
    try:
        if not current.events.poll():
            raise EOFError
        message: Progress | Outcome = current.events.recv()
    except (EOFError, OSError):
        current.process.join()
        cause = f"the run's process ended with {_exit_reason(current.process.exitcode)}"
        return Finished(current.spec, _failed(current, "error", cause))
    if isinstance(message, Outcome):
        return Finished(current.spec, message)
    return Progressed(current.spec, message)


def _failed(current: _Running, status: Status, message: str) -> Outcome:
    log = current.log.read_text(errors="replace") if current.log.exists() else ""
    details = {"traceback": log[-LOG_TAIL_CHARACTERS:], "started_at": current.started_at}
    return Outcome(RunRecord.failed(current.spec, current.resources, status, message, **details))


def _close(current: _Running) -> None:
    current.events.close()
    end_process(current.process)


def _exit_reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code} before it had a result"


def _work(work: Work, spec: RunSpec, resources: Resources, events: Connection[Any, Any], log: Path) -> None:
    """Do the work for one spec and send progress and the outcome; what plugins print goes to the log."""
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if resources.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(resources.gpu)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    last = 0.0

    def report(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_INTERVAL_SECONDS:
            last = time.monotonic()
            events.send(progress)

    with threadpool_limits(resources.threads):
        events.send(work(spec, resources, report))

"""A bench from names to a table: plan, execute, store."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.core.environment import environment
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.spec import Plan, RunSpec, parse_settings, plan
from zoo_bench.store.records import Store, to_frame, write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from zoo_bench.executors import Event, Options, Started
    from zoo_bench.measure.probe import Probe

DEFAULT_BUDGET = "200k"
DEFAULT_SEEDS = 3
DEFAULT_TIMEOUT = 6 * 3600.0


@dataclass(frozen=True)
class Bench:
    """Planned runs, where they are stored, which of them are still to be done, and how.

    Attributes:
        plan: All runs that the command means.
        store: The output folder.
        missing: The runs to be executed now.
        executor: Name of the executor.
        options: What it is told.
        probes: By name, "precision" and "threads", what was measured to choose what was not given.
    """

    plan: Plan
    store: Store
    missing: list[RunSpec]
    executor: str
    options: Options
    probes: dict[str, Probe]

    def frame(self) -> pd.DataFrame:
        """Return the planned runs' rows, as far as they are stored, in the plan's order."""
        records = (self.store.find(spec) for spec in self.plan.runs)
        return to_frame([record for record in records if record])


def prepare(
    models: str,
    task: str,
    *,
    budget: str,
    seeds: int,
    out: Path,
    retry_failed: bool = False,
    force: bool = False,
    precision: str = "auto",
    executor: str = "local",
    workers: int | None = None,
    threads: int | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    address: str = "",
    say: Callable[[str], None] = lambda sentence: None,
    **choices: Any,
) -> Bench:
    """Plan a bench and find what is missing; nothing is written. Choices and errors as in planning.

    Precision "auto" is the fastest that :mod:`zoo_bench.measure.probe` finds, and so is the number of threads of runs
    on CPUs whose budget is wall-clock, unless it is given.

    Args:
        models: Names of models.
        task: Names of tasks.
        budget: Of every run.
        seeds: Number of seeds.
        out: The output folder.
        retry_failed: Run again what ended in an error or a timeout.
        force: Run again everything.
        precision: A mode, or "auto".
        executor: Name of an executor.
        workers: Runs at once; None: one per core or GPU, but one in all if the budget is wall-clock.
        threads: CPU threads of each run; None: the cores divided among the workers.
        timeout: Wall-clock seconds after which a run counts as hung.
        address: Where the executor's cluster listens, if it has one.
        say: Told in a sentence of measurements that take time.
        choices: Other arguments of the plan.
    """
    from zoo_bench.executors import Options
    from zoo_bench.measure.probe import choose_precision, choose_threads
    from zoo_bench.plan.resources import check_counts, cores, is_timed

    check_counts(workers, threads)
    installed().executors.get(executor)
    store = Store(out)
    planned = plan(models, task, budget=budget, seeds=seeds, precision=precision, **choices)
    if not planned.runs:
        raise ZooError(f"nothing to run: {'; '.join(planned.left_out)}")
    probes: dict[str, Probe] = {}
    if precision == "auto":
        probes["precision"] = choose_precision(planned.runs, out, timeout, say)
        if (mode := probes["precision"]["chosen"]) != "fp32":
            planned = Plan([spec.but(precision_mode=mode) for spec in planned.runs], planned.left_out)
    alone = executor == "local" and workers in (None, 1) and is_timed(planned.runs)
    if alone and threads is None and planned.runs[0].device == "cpu" and cores() > 1:
        probes["threads"] = choose_threads(planned.runs, out, timeout, say)
        threads = probes["threads"]["chosen"]
    again = {"interrupted"} | ({"error", "timeout"} if retry_failed else set())
    missing = []
    for spec in planned.runs:
        record = None if force else store.find(spec)
        if record is None or record.status in again:
            missing.append(spec)
    return Bench(planned, store, missing, executor, Options(workers, threads, timeout, address), probes)


def run(
    bench: Bench,
    *,
    throughput: bool = False,
    track: str = "",
    on_event: Callable[[Event], None] = lambda event: None,
) -> pd.DataFrame:
    """Execute what is missing, store each outcome as it arrives, and write the tables, whatever happens.

    Args:
        bench: From :func:`prepare`.
        throughput: Whether to time every model alone on this machine when the runs are done.
        track: Names of trackers with commas, which are told of the runs; plugins that listen are told as well.
        on_event: Told of everything that happens.

    Returns:
        One row per planned run.
    """
    from zoo_bench.executors import Finished, Progressed, Started
    from zoo_bench.measure.throughput import ensure as ensure_throughput
    from zoo_bench.report.show.html import write_report
    from zoo_bench.score.controls import ensure as ensure_controls
    from zoo_bench.track.lifecycle import Lifecycle

    running: dict[RunSpec, Started] = {}
    registry = installed()
    execute = registry.executors.get(bench.executor).spec.load()
    lifecycle = Lifecycle(registry, track, bench.store.root)

    def keep(outcome: Outcome) -> None:
        path = bench.store.save(outcome)
        lifecycle.finished(outcome.record, {suffix: path.with_suffix(suffix) for suffix in (*outcome.files, ".json")})

    try:
        for event in execute(bench.missing, bench.options) if bench.missing else ():
            if isinstance(event, Started):
                bench.store.create()  # now, so that a folder that cannot be made costs no training
                running[event.spec] = event
                lifecycle.started(event.spec)
            elif isinstance(event, Progressed):
                lifecycle.progressed(event.spec, event.progress)
            elif isinstance(event, Finished):
                running.pop(event.spec, None)
                keep(event.outcome)
            on_event(event)
    except KeyboardInterrupt:
        for started in running.values():
            if bench.store.find(started.spec) is None:
                keep(_interrupted(started))
        raise
    finally:
        if bench.missing and bench.store.root.exists():
            write_atomically(bench.store.root / "environment.json", json.dumps(environment(), indent=1).encode())
            for name, probe in bench.probes.items():
                write_atomically(bench.store.root / f"{name}.json", json.dumps(probe, indent=1).encode())
        if bench.store.root.exists():
            bench.store.write_tables()
    ensure_controls(bench.store.root, bench.plan.runs, bench.options.timeout)
    if throughput:
        trained = [record for spec in bench.plan.runs if (record := bench.store.find(spec)) and record.status == "ok"]
        ensure_throughput(bench.store.root, [r.spec for r in trained], max((r.threads for r in trained), default=1))
    write_report(bench.store.root)
    return bench.frame()


def _interrupted(run: Started) -> Outcome:
    record = RunRecord(
        run_id=run.spec.run_id,
        spec=run.spec,
        status="interrupted",
        error="interrupted from the keyboard",
        threads=run.resources.threads,
        contended=run.resources.contended,
        started_at=datetime.now(UTC),
    )
    return Outcome(record)


def bench(
    models: str | Sequence[str] = "all",
    task: str | Sequence[str] = "digits",
    budget: str = DEFAULT_BUDGET,
    *,
    seeds: int = DEFAULT_SEEDS,
    out: str | Path | None = None,
    metrics: str | Sequence[str] = "all",
    precision: str = "auto",
    device: str = "auto",
    settings: Sequence[str] = (),
    retry_failed: bool = False,
    force: bool = False,
    throughput: bool = False,
    track: str = "",
    on_event: Callable[[Event], None] = lambda event: None,
    **execution: Any,
) -> pd.DataFrame:
    """Train models under one budget and compare them.

    Args:
        models: Names or ``*`` patterns, as a list or with commas; "all" for every installed model.
        task: Names of tasks.
        budget: "200k" training images, "90s", "3000steps", "5PFLOP", or several with commas.
        seeds: Number of seeds, 0 to ``seeds - 1``.
        out: Folder for results; what is there already is not run again. None: nothing is kept.
        metrics: Names of metrics.
        precision: "fp32", "bf16", either with "+compile", or "auto": the fastest that a short measurement finds.
        device: "auto", "cpu", "cuda" or "mps".
        settings: Overrides such as ``["dcgan.lr=1e-4"]``.
        retry_failed: Run again what ended in an error or a timeout.
        force: Run again everything.
        throughput: As in :func:`run`.
        track: As in :func:`run`.
        on_event: As in :func:`run`.
        execution: ``executor``, ``workers``, ``threads``, ``timeout`` and ``address`` as in :func:`prepare`.

    Returns:
        One row per run; columns as in ``results.csv``.

    Raises:
        ZooError: If an argument is unusable, in one sentence; nothing is written then.

    Example:
        >>> frame = zoo_bench.bench(models="vae,dcgan", task="digits", budget="20k", seeds=2)
        >>> frame.groupby("model")["fid"].mean()
    """

    def joined(names: str | Sequence[str]) -> str:
        return names if isinstance(names, str) else ",".join(names)

    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as temporary:
        prepared = prepare(
            joined(models),
            joined(task),
            budget=budget,
            seeds=seeds,
            out=Path(out or temporary),
            retry_failed=retry_failed,
            force=force,
            metrics=joined(metrics),
            precision=precision,
            device=device,
            settings=parse_settings(settings),
            **execution,
        )
        return run(prepared, throughput=throughput, track=track, on_event=on_event)

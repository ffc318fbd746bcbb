"""A bench from names to a table: plan, execute, store."""

from __future__ import annotations

import json
import sys
import tempfile
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import UnknownNameError, ZooError
from zoo.files import write_atomically
from zoo.registry import installed
from zoo_bench.core.environment import environment
from zoo_bench.executors import Options
from zoo_bench.plan.options import DEFAULTS, BenchOptions
from zoo_bench.plan.planning import Plan, plan, read_settings
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import cores, is_timed
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.records import Store
from zoo_bench.store.tables import to_frame, write_tables

if TYPE_CHECKING:
    import pandas as pd

    from zoo_bench.executors import Event, Started
    from zoo_bench.measure.probe import Probe
    from zoo_bench.result import BenchResult


@dataclass(frozen=True)
class Bench:
    """Planned runs, where they are stored, which of them are still to be done, and how.

    Attributes:
        options: What was asked for.
        plan: All runs that this means.
        store: The output folder.
        missing: The runs that are still to be executed.
        execution: Options of the executor.
        probes: The measurements behind a precision or a number of threads that was not given, by "precision" and
            "threads".
    """

    options: BenchOptions
    plan: Plan
    store: Store
    missing: list[RunSpec]
    execution: Options
    probes: dict[str, Probe]

    def frame(self) -> pd.DataFrame:
        """Return the planned runs' rows, as far as they are stored, in the plan's order."""
        records = (self.store.find(spec) for spec in self.plan.runs)
        return to_frame([record for record in records if record])


def prepare(options: BenchOptions, log: Callable[[str], None] = lambda sentence: None) -> Bench:
    """Plan a bench and find what is missing; nothing is written.

    Precision "auto" is the fastest that :mod:`zoo_bench.measure.probe` finds, and so is the number of threads of runs
    on CPUs whose budget is wall-clock, unless it is given.

    Args:
        options: What is asked for.
        log: Called with a sentence before measurements that take time.

    Raises:
        ZooError: If any option is unusable, in one sentence.
    """
    installed().executors.get(options.executor)
    store = Store(options.out)
    planned = plan(options)
    if not planned.runs:
        raise ZooError(f"nothing to run: {'; '.join(planned.left_out)}")
    planned, threads, probes = _choose_fastest(options, planned, log)
    missing = [spec for spec in planned.runs if options.force or _is_missing(store.find(spec), options.retry_failed)]
    execution = Options(options.workers, threads, options.timeout, options.address)
    return Bench(options, planned, store, missing, execution, probes)


def _choose_fastest(
    options: BenchOptions, planned: Plan, log: Callable[[str], None]
) -> tuple[Plan, int | None, dict[str, Probe]]:
    """Return the plan in the precision and the number of threads that were given or measured, and what was measured."""
    from zoo_bench.measure.probe import choose_precision, choose_threads

    threads = options.threads
    probes: dict[str, Probe] = {}
    if options.precision == "auto":
        probes["precision"] = choose_precision(planned.runs, options.out, options.timeout, log)
        if (mode := probes["precision"]["chosen"]) != "fp32":
            planned = Plan([spec.with_changes(precision_mode=mode) for spec in planned.runs], planned.left_out)
    one_at_a_time = options.executor == "local" and options.workers in (None, 1) and is_timed(planned.runs)
    if one_at_a_time and threads is None and planned.runs[0].device == "cpu" and cores() > 1:
        probes["threads"] = choose_threads(planned.runs, options.out, options.timeout, log)
        threads = probes["threads"]["chosen"]
    return planned, threads, probes


def _is_missing(record: RunRecord | None, retry_failed: bool) -> bool:
    return record is None or record.status == "interrupted" or (retry_failed and record.status in ("error", "timeout"))


def run(bench: Bench, on_event: Callable[[Event], None] = lambda event: None) -> pd.DataFrame:
    """Execute what is missing, store each outcome as it arrives, and write the tables, whatever happens.

    Args:
        bench: From :func:`prepare`.
        on_event: Called with every event.

    Returns:
        One row per planned run.
    """
    from zoo_bench.executors import Finished, Progressed, Started
    from zoo_bench.measure.throughput import measure_throughput
    from zoo_bench.report.show.html import write_report
    from zoo_bench.score.controls import score_controls
    from zoo_bench.track.lifecycle import Lifecycle

    running: dict[RunSpec, Started] = {}
    registry = installed()
    execute = registry.executors.get(bench.options.executor).spec.load()
    lifecycle = Lifecycle(registry, bench.options.track, bench.store.root)

    def keep(outcome: Outcome) -> None:
        path = bench.store.save(outcome)
        lifecycle.finished(outcome.record, {suffix: path.with_suffix(suffix) for suffix in (*outcome.files, ".json")})

    try:
        for event in execute(bench.missing, bench.execution) if bench.missing else ():
            if isinstance(event, Started):
                bench.store.create()  # before training, so that none is lost if the folder cannot be created
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
            write_tables(bench.store.root)
    score_controls(bench.store.root, bench.plan.runs, bench.options.timeout)
    if bench.options.throughput:
        trained = [record for spec in bench.plan.runs if (record := bench.store.find(spec)) and record.status == "ok"]
        measure_throughput(bench.store.root, [r.spec for r in trained], max((r.threads for r in trained), default=1))
    write_report(bench.store.root)
    return bench.frame()


def _interrupted(run: Started) -> Outcome:
    return Outcome(RunRecord.failed(run.spec, run.resources, "interrupted", "interrupted from the keyboard"))


def bench(
    models: str | Sequence[str] = DEFAULTS.models,
    task: str | Sequence[str] = DEFAULTS.task,
    budget: str = DEFAULTS.budget,
    *,
    out: str | Path | None = None,
    progress: bool = True,
    on_event: Callable[[Event], None] = lambda event: None,
    **options: Any,
) -> BenchResult:
    """Train models under one budget and compare them.

    Args:
        models: Names, ``*`` patterns and ``gan[packing=2]``, as a list or with commas; "all" for every installed model.
        task: Names of tasks, as a list or with commas.
        budget: "200k" training images, "90s", "3000rounds", "5PFLOP", or several with commas.
        out: Folder for results; runs that it has are not run again. None: a temporary one, which is removed when the
            result is no longer used.
        progress: Whether to show bars in a terminal or a notebook, and elsewhere a line per finished run, on stderr.
        on_event: Called with every event.
        options: ``seeds``, ``metrics``, ``settings`` and all others of
            :class:`~zoo_bench.plan.options.BenchOptions`; names may be given as lists, and settings also as
            ``{"dcgan.lr": 1e-4}`` or ``["dcgan.lr=1e-4"]``.

    Returns:
        A DataFrame with one row per run and the columns of ``results.csv``, and ``summary()``, ``verdict``, ``plot()``,
        ``sheet()`` and ``report()``.

    Raises:
        ZooError: If an argument is unusable, in one sentence; nothing is written then.

    Example:
        >>> result = zoo_bench.bench(models="vae,dcgan", task="digits", budget="20k", seeds=2)
        >>> result.summary()[["model", "fid", "fid_low", "fid_high", "standing"]]
    """
    from zoo_bench.report.show.progress import Live
    from zoo_bench.result import BenchResult

    with ExitStack() as kept:
        root = Path(out or kept.enter_context(tempfile.TemporaryDirectory(prefix="zoo-bench-")))
        log = partial(print, file=sys.stderr) if progress else lambda sentence: None
        prepared = prepare(_options({"models": models, "task": task, "budget": budget, "out": root, **options}), log)
        for sentence in prepared.plan.left_out:
            log(f"left out: {sentence}")
        live = Live(len(prepared.plan.runs), len(prepared.missing), root if out else None) if progress else None

        def tell(event: Event) -> None:
            if live:
                live.on_event(event)
            on_event(event)

        with live or nullcontext():
            result = BenchResult(run(prepared, tell), root)
        weakref.finalize(result, kept.pop_all().close)
        return result


def _options(arguments: dict[str, Any]) -> BenchOptions:
    """Read Python arguments: lists of names, and settings in all their forms, are accepted too."""
    names = [option.name for option in fields(BenchOptions)]
    for name in arguments:
        if name not in names:
            raise UnknownNameError("argument of bench", name, names)
    lists = ("models", "task", "metrics", "track")
    joined = dict(arguments)
    joined |= {name: ",".join(joined[name]) for name in lists if not isinstance(joined.get(name, ""), str)}
    joined["settings"] = read_settings(joined.get("settings", {}))
    return BenchOptions(**joined)

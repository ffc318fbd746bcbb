"""A bench from names to a table: plan, execute, store."""

from __future__ import annotations

import json
import sys
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import UnknownNameError, ZooError
from zoo.files import write_atomically
from zoo.machine import cores
from zoo.registry import installed
from zoo_bench.adaptive import seeds_sentence, stages, to_do
from zoo_bench.core.environment import environment
from zoo_bench.executors import Options
from zoo_bench.judges.panel import Panel
from zoo_bench.plan.bench_file import write_bench_file
from zoo_bench.plan.options import DEFAULTS, BenchOptions
from zoo_bench.plan.planning import Plan, plan, read_settings
from zoo_bench.plan.record import Outcome, Progress, RunRecord
from zoo_bench.plan.resources import is_timed
from zoo_bench.plan.scoring import Scoring, has_panel
from zoo_bench.plan.seeds import AUTO
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.text import plural
from zoo_bench.scoring import move_failed, rescored
from zoo_bench.sharing import trained
from zoo_bench.store.events import EventLog
from zoo_bench.store.locks import CLOSING, FOLDER
from zoo_bench.store.records import Store
from zoo_bench.store.tables import to_frame, write_tables

if TYPE_CHECKING:
    import pandas as pd

    from zoo_bench.executors import Event, Started
    from zoo_bench.measure.probe import Probe
    from zoo_bench.result import BenchResult


ENVIRONMENT = "environment.json"


@dataclass(frozen=True)
class Bench:
    """Planned runs, where they are stored, which of them are still to be done, and how.

    Attributes:
        options: What was asked for.
        plan: All runs that this means; it grows while they are run if seeds are added.
        store: The output folder.
        missing: The runs that are still to be trained, each with the start of the stored run that it replaces, if any.
        outdated: By stored run, the names of the scores that it lacks or that are of other versions or judges.
        execution: Options of the executor.
        probes: Why precision, number of threads and runs at once are what they are if they were not given, by
            "precision", "threads" and "workers".
        notes: What the user should know about stored runs, in sentences.
        is_first: Whether no bench had begun in the folder.
    """

    options: BenchOptions
    plan: Plan
    store: Store
    missing: dict[RunSpec, datetime | None]
    outdated: dict[RunSpec, list[str]]
    execution: Options
    probes: dict[str, Probe]
    notes: list[str]
    is_first: bool

    def frame(self) -> pd.DataFrame:
        """Return the planned runs' rows, as far as they are stored, in the plan's order."""
        records = (self.store.find(spec) for spec in self.plan.runs)
        return to_frame([record for record in records if record])

    def sentences(self) -> Iterator[str]:
        """Yield what the user should know before it runs."""
        yield from (f"left out: {sentence}" for sentence in self.plan.left_out)
        yield from (f"{name} {probe['chosen']}: {probe['reason']}" for name, probe in self.probes.items())
        yield from (f"zoo: {sentence}" for sentence in self.notes)
        if self.options.seed_limit:
            yield seeds_sentence(self.options.seed_limit)


def prepare(
    options: BenchOptions, log: Callable[[str], None] = lambda sentence: None, *, measure: bool = True
) -> Bench:
    """Plan a bench and find what is missing; nothing is written.

    Precision "auto", and on CPUs a number of threads that is not given, are those of most finished runs in the folder,
    for threads of those with the same budget. Without such runs precision is the fastest that
    :mod:`zoo_bench.measure.probe` finds, or has found for this folder, and so is the number of threads where the budget
    is wall-clock and runs are executed one at a time. How many runs share a GPU is what
    :mod:`zoo_bench.measure.workers` finds, if that is not given and no budget is wall-clock.

    Args:
        options: What is asked for.
        log: Called with a sentence before what takes time.
        measure: Whether precision and the numbers of threads and of runs on a GPU are measured and second judges are
            trained, where they would be; else precision is "fp32", with a probe that has chosen "auto", threads are
            those of all cores, and every GPU has one run.

    Raises:
        ZooError: If any option is unusable, in one sentence.
    """
    registry = installed()
    registry.executors.get(options.executor)
    for tracker in registry.trackers.select(options.track) if options.track else ():
        tracker.spec.load()
    known = registry.problems
    store = Store(options.out)
    is_first = not (options.out / ENVIRONMENT).exists()
    panel = Panel.of(options.out, options.judge_seed)
    planned = plan(options, panel=panel, log=log if measure else None)
    if not planned.runs:
        raise ZooError(f"nothing to run: {'; '.join(planned.left_out)}")
    planned, probes = _with_chosen_speed(options, planned, store, log, measure)
    missing, outdated, notes = to_do(planned.runs, planned.scores, options, store)
    notes += [problem for problem in registry.problems if problem not in known]
    threads = planned.runs[0].threads or options.threads
    metrics = tuple(dict.fromkeys(name for scores in planned.scores.values() for name in scores.wanted))
    is_seated = has_panel(installed().metrics.get(name) for name in metrics)
    scoring = Scoring(metrics, options.keep_samples, panel if is_seated else None)
    workers = options.workers
    is_measured = workers is None and missing and measure and options.executor == "local"
    if is_measured and planned.runs[0].device == "cuda":  # else the import would only cost time
        from zoo_bench.measure.workers import choose_workers

        if found := choose_workers(planned.runs, options.out, options.timeout, log):
            probes["workers"], workers = found, found["chosen"]
    if workers and options.threads is None and (threads or 1) > max(1, cores() // workers):
        workers = max(1, cores() // (threads or 1))
        notes.append(f"{plural(workers, 'run')} at once, as each has {threads} threads, like finished ones here")
    kept = store.checkpoints.absolute(), options.checkpoint_every
    execution = Options(workers, threads, options.timeout, options.address, scoring, *kept)
    return Bench(options, planned, store, missing, outdated, execution, probes, notes, is_first)


def _with_chosen_speed(
    options: BenchOptions, planned: Plan, store: Store, log: Callable[[str], None], measure: bool
) -> tuple[Plan, dict[str, Probe]]:
    """Return the plan with the precision and number of threads that :func:`prepare` chooses, and why it chose them."""
    from zoo_bench.measure.probe import choose_precision, choose_threads, stored_precision

    probes: dict[str, Probe] = {}
    first = planned.runs[0]
    finished = [r.spec for r in store.records().values() if r.status == "ok" and r.spec.device == first.device]
    if options.precision == "auto":
        used = _most_common(spec.precision_mode for spec in finished)
        if used is None and measure:
            used = choose_precision(planned.runs, options.out, options.timeout, log)
        used = used or stored_precision(planned.runs, options.out)
        probes["precision"] = used or {"chosen": "auto", "reason": "measured when the bench runs, fp32 until then"}
        if used:
            planned = planned.with_changes(precision_mode=used["chosen"])
    if options.threads is None and first.threads is not None:
        used = _most_common(spec.threads for spec in finished if spec.budget == first.budget)
        one_at_a_time = options.executor == "local" and options.workers in (None, 1) and is_timed(planned.runs)
        if used is None and one_at_a_time and measure and cores() > 1:
            used = probes["threads"] = choose_threads(planned.runs, options.out, options.timeout, log)
        if used:
            planned = planned.with_changes(threads=used["chosen"])
    return planned, probes


def _most_common(values: Iterable[Any]) -> Probe | None:
    """Return the value that most finished runs have as a choice with its reason; None without finished runs."""
    counts = Counter(values)
    if not counts:
        return None
    [(value, n)] = counts.most_common(1)
    return {"chosen": value, "reason": f"as in {plural(n, 'finished run')} of this folder"}


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
    progress: dict[RunSpec, Progress] = {}
    bench = begin(bench)
    registry, store, log = installed(), bench.store, EventLog(bench.store.root)
    execute = registry.executors.get(bench.options.executor).spec.load()
    lifecycle = Lifecycle(registry, bench.options.track, store.root)

    def keep(outcome: Outcome) -> None:
        record = outcome.record
        before = store.find(record.spec)  # the same seed again has the same value, on which a look has decided
        record.seed_plan = AUTO if bench.options.seed_limit or (before and before.seed_plan == AUTO) else ""
        record.judge = record.judge or bench.plan.scores[record.spec.task].judge  # it may have failed before it had one
        path = store.save(outcome)
        log.ended(record)
        lifecycle.finished(record, {suffix: path.with_suffix(suffix) for suffix in (*outcome.files, ".json")})

    try:
        for stage in stages(bench, on_event):
            for spec in stage.missing if bench.options.force else ():
                store.remove_checkpoint(spec)
            if stage.missing:
                log.planned(stage.missing)
            for event in trained(stage, execute, on_event):
                if isinstance(event, Started):
                    running[event.spec] = event
                    log.started(event.spec)
                    lifecycle.started(event.spec)
                elif isinstance(event, Progressed):
                    progress[event.spec] = event.progress
                    log.progressed(event.spec, event.progress)
                    lifecycle.progressed(event.spec, event.progress)
                elif isinstance(event, Finished):
                    running.pop(event.spec, None)
                    keep(event.outcome)
                on_event(event)
            for event in rescored(store, stage.outdated, bench.execution):
                on_event(event)
            move_failed(store, bench.plan.scores)
    except KeyboardInterrupt:
        for started in running.values():
            if store.find(started.spec) is None:
                keep(_interrupted(started, progress.get(started.spec)))
        raise
    finally:
        store.locks.drop_all()
        if store.root.exists():
            write_tables(store)
    with store.locks.hold(CLOSING):
        score_controls(store.root, bench.plan.scores, bench.execution.scoring.panel, bench.options.timeout)
        if bench.options.throughput:
            ok = [record for spec in bench.plan.runs if (record := store.find(spec)) and record.status == "ok"]
            measure_throughput(store.root, [r.spec for r in ok], max((r.threads or 1 for r in ok), default=1))
        write_report(store)
    return bench.frame()


def begin(bench: Bench) -> Bench:
    """Write what all runs of the folder share, so that a bench that is killed goes on as it began.

    Returns:
        The bench; prepared again if another one has begun in the folder since, so that both share that.
    """
    root, panel = bench.store.root, bench.execution.scoring.panel
    if not bench.missing and not root.exists():
        return bench
    bench.store.create()
    bench.store.tidy()
    with bench.store.locks.hold(FOLDER):
        if not (bench.is_first and (root / ENVIRONMENT).exists()):
            write_bench_file(replace(bench.options, judge_seed=panel.seed if panel else bench.options.judge_seed))
            if bench.missing:
                _write_choices(bench)
            return replace(bench, is_first=False)
    return begin(prepare(bench.options))


def _write_choices(bench: Bench) -> None:
    if panel := bench.execution.scoring.panel:
        panel.write(bench.store.root)
    for name, probe in bench.probes.items():
        if "key" in probe:  # else it was not measured, but read from stored runs
            write_atomically(bench.store.root / f"{name}.json", json.dumps(probe, indent=1).encode())
    write_atomically(bench.store.root / ENVIRONMENT, json.dumps(environment(), indent=1).encode())


def _interrupted(run: Started, progress: Progress | None) -> Outcome:
    figures = progress.figures() if progress else {}
    error = "interrupted by Ctrl-C or a signal"
    return Outcome(RunRecord.failed(run.spec, run.resources, "interrupted", error, **figures))


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
        asked = _options({"models": models, "task": task, "budget": budget, "out": root, **options})
        prepared = begin(prepare(asked, log))
        for sentence in prepared.sentences():
            log(sentence)
        counts = len(prepared.plan.runs), len(prepared.missing)
        live = Live(*counts, root if out else None, len(prepared.outdated)) if progress else None

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

"""Scoring without training: stored runs whose scores are missing or outdated, and samples that were made elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from zoo.catalogue import Entry
from zoo.errors import ZooError
from zoo.evaluation import digest
from zoo.machine import cores
from zoo.registry import Registry, installed
from zoo.specs import NAME, MetricSpec
from zoo_bench.data.loading import load_task
from zoo_bench.data.outside import read_samples, sample_name
from zoo_bench.data.ranges import range_fault
from zoo_bench.executors import Event, Finished, Options, Rescored
from zoo_bench.executors.local import run_here
from zoo_bench.judges.panel import Panel
from zoo_bench.plan.code import is_changed
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import ScorePlan, Scoring, has_panel, score_plan
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.show.html import write_report
from zoo_bench.report.text import plural
from zoo_bench.run.rescore import is_kept, rescore
from zoo_bench.score.controls import score_controls
from zoo_bench.score.sheets import sheets
from zoo_bench.score.stored import SAMPLES, packed
from zoo_bench.store.records import Store, read_record
from zoo_bench.store.tables import write_tables


def outdated_scores(
    records: Iterable[RunRecord],
    plans: Mapping[str, ScorePlan],
    store: Store,
    *,
    failed: bool = False,
    force: bool = False,
) -> tuple[dict[RunSpec, list[str]], list[str]]:
    """Return, by run, the names of the scores that must be computed, and sentences about runs of which none can be.

    Args:
        records: The runs.
        plans: By task, how runs are to be scored.
        store: Where they are stored.
        failed: Whether scores that could not be computed are to be computed again.
        force: Whether all scores are.
    """
    outdated = {
        record.spec: names
        for record in records
        if (names := plans[record.spec.task].outdated(record, failed=failed, force=force))
    }
    lost = [spec for spec in outdated if not is_kept(store.path(spec))]
    for spec in lost:
        del outdated[spec]
    if not lost:
        return outdated, []
    count = f"{lost[0]}" if len(lost) == 1 else f"{lost[0]} and {plural(len(lost) - 1, 'more run')}"
    return outdated, [f"{count} cannot be scored again, as neither weights nor samples are there: --force trains again"]


def rescored(store: Store, outdated: Mapping[RunSpec, list[str]], options: Options) -> Iterator[Event]:
    """Compute scores of stored runs on this machine, each in a process of its own, and store them.

    A run whose scores cannot be computed keeps those that it has.
    """
    if not outdated:
        return
    if options.scoring.panel:
        options.scoring.panel.write(store.root)
    threads = max(spec.threads or 1 for spec in outdated)
    options = replace(options, threads=threads, workers=options.workers or max(1, cores() // threads))
    places = {spec.run_id: (store.path(spec), names) for spec, names in outdated.items()}
    for event in run_here(list(outdated), options, partial(rescore, outdated=places, panel=options.scoring.panel)):
        if isinstance(event, Finished):
            record = event.outcome.record
            if record.status == "ok":
                store.update(record)
            yield Rescored(event.spec, record, tuple(outdated[event.spec]))


def move_failed(store: Store, plans: Mapping[str, ScorePlan]) -> None:
    """Put runs that ended without scores under the judge of their task, where no run is left under that of their time.

    Otherwise they would stand in a table of their own, and a model that often fails would look as if it never did.
    """
    records = store.records()
    used = {(record.spec.task, record.judge) for record in records.values() if record.status == "ok"}
    for path, record in records.items():
        plan, spec = plans.get(record.spec.task), record.spec
        if record.status == "ok" or not plan or plan.task_version != spec.task_version or record.judge == plan.judge:
            continue
        if (spec.task, record.judge) not in used:
            store.update(read_record(path).model_copy(update={"judge": plan.judge}))  # with its history


def score_stored(
    store: Store,
    metrics: str,
    options: Options,
    *,
    force: bool,
    judge_seed: int | None = None,
    log: Callable[[str], None] = lambda sentence: None,
) -> bool:
    """Score the runs in a folder of results with the metrics that they lack, and write its tables.

    Args:
        store: The folder.
        metrics: Names of metrics with commas, or "all".
        options: Workers and timeout.
        force: Whether scores that are there are computed again.
        judge_seed: Seed of the second judge of each task; None: that of the folder, or a new one at random.
        log: Called with a sentence for every run that was scored, or could not be.

    Returns:
        Whether every finished run has been scored.

    Raises:
        ZooError: If a metric is unknown, or the folder has no finished run.
    """
    wanted = installed().metrics.select(metrics)
    finished = [record for record in store.records().values() if record.status == "ok"]
    for problem in store.problems:
        log(f"zoo: warning: {problem}")
    if not finished:
        raise ZooError(f"no finished run in {str(store.root)!r}")
    panel = Panel.of(store.root, judge_seed) if has_panel(wanted) else None
    options = replace(options, scoring=Scoring(panel=panel))
    plans: dict[str, ScorePlan] = {}
    for task in dict.fromkeys(record.spec.task for record in finished):
        try:
            plans[task] = _plan(task, wanted, panel, log)
        except ZooError as error:
            log(f"left out: {error}")
    scorable = [record for record in finished if record.spec.task in plans]
    outdated, notes = outdated_scores(scorable, plans, store, failed=True, force=force)
    for sentence in notes:
        log(f"zoo: {sentence}")
    complete = len(scorable) == len(finished) and not notes
    if complete and not outdated:
        log("every score is there")
    try:
        for event in rescored(store, outdated, options):
            if isinstance(event, Rescored):
                complete &= event.record.status == "ok"
                log(event.sentence())
    finally:
        write_tables(store)
    move_failed(store, plans)
    _write(store, plans, options)
    return complete


def score_outside(
    path: Path,
    store: Store,
    task_name: str,
    metrics: str,
    options: Options,
    *,
    name: str = "",
    seed: int | None = None,
    value_range: str = "",
    judge_seed: int | None = None,
    log: Callable[[str], None] = lambda sentence: None,
) -> RunRecord:
    """Score samples that were made elsewhere, store them as a row in a folder of results, and write its tables.

    Other scores of the same samples that the folder has stay.

    Args:
        path: An ``.npz``, an ``.npy`` or a folder of images, see :func:`zoo_bench.data.outside.read_samples`.
        store: The folder of results.
        task_name: The task that they are scored on.
        metrics: Names of metrics with commas, or "all".
        options: Workers and timeout.
        name: Name of the row; that of the file if it is empty.
        seed: The training seed, if it is known.
        value_range: Of floats, "0,1" or "-1,1".
        judge_seed: As in :func:`score_stored`.
        log: Called with sentences for the user.

    Raises:
        ZooError: If the samples are unusable, in one sentence; nothing is written then.
    """
    if Path(os.path.realpath(store.root)).is_relative_to(os.path.realpath(path)):
        raise ZooError(f"--out {str(store.root)!r} is in the folder of samples: its sheets would be read as samples")
    registry = installed()
    name = _checked_name(name or sample_name(path), registry)
    wanted = registry.metrics.select(metrics)
    entry = registry.tasks.get(task_name)
    task = load_task(entry)
    samples, left_out = read_samples(path, task, value_range)
    panel = Panel.of(store.root, judge_seed) if has_panel(wanted) else None
    options = replace(options, scoring=Scoring(panel=panel))
    plan = score_plan(entry.spec, task, wanted, registry.metrics, panel, log)
    spec = RunSpec(
        model=name,
        plugin="",
        plugin_version="",
        config={},
        task=entry.spec.name,
        task_version=entry.spec.version,
        seed=seed,
        budget="",
        precision_mode="",
        device="",
        threads=None,
        samples=digest(samples),
    )
    record = RunRecord.begun(spec, Resources(threads=0, contended=False))
    earlier = store.find(spec) or record
    known = {"judge": earlier.judge or plan.judge, "scores": earlier.scores}
    record = record.model_copy(update={"threads": None, "contended": None, "shape": task.shape, **known})
    record.notes += [sentence for sentence in (left_out, range_fault(samples, task.train.data)) if sentence]
    outcome = Outcome(record, {SAMPLES: packed(samples), **sheets(samples, task)})
    with tempfile.TemporaryDirectory(prefix="zoo-score-") as folder:
        apart = Store(Path(folder))
        apart.save(outcome)
        for event in rescored(apart, {spec: sorted({*plan.wanted, *plan.outdated(record)})}, options):
            if isinstance(event, Rescored):
                log(event.sentence())
                outcome.record = event.record
    if outcome.record.status != "ok":
        raise ZooError(f"{str(path)!r} could not be scored: {outcome.record.error}")
    store.create()
    if panel:
        panel.write(store.root)
    store.save(outcome)
    _write(store, {entry.spec.name: plan}, options)
    return outcome.record


def _checked_name(name: str, registry: Registry) -> str:
    if not NAME.fullmatch(name):
        raise ZooError(f"--name {name!r} must be lower-case letters, digits, '.', '_' or '-'")
    if name in {entry.spec.name for entry in registry.models.all()}:
        raise ZooError(f"{name!r} is the name of an installed model: give the samples another with --name")
    return name


def _plan(
    task_name: str, wanted: Sequence[Entry[MetricSpec]], panel: Panel | None, log: Callable[[str], None]
) -> ScorePlan:
    entry = installed().tasks.get(task_name)
    return score_plan(entry.spec, load_task(entry), wanted, installed().metrics, panel, log)


def _write(store: Store, plans: Mapping[str, ScorePlan], options: Options) -> None:
    write_tables(store)
    score_controls(store.root, plans, options.scoring.panel, options.timeout)
    write_report(store)


def changed_code(records: Iterable[RunRecord], plans: Mapping[str, ScorePlan]) -> list[str]:
    """Return a sentence for every model, task and metric whose code has changed since stored runs, without a version.

    Records of runs before fingerprints were kept have none, and are not mentioned.
    """
    registry = installed()
    changed: Counter[tuple[str, str]] = Counter()
    for record in records:
        spec = record.spec
        used: list[tuple[str, Entry[Any], str]] = [("model", registry.models.get(spec.model), record.code)]
        used += [("task", registry.tasks.get(spec.task), record.task_code)]
        for name, key in plans[spec.task].keys.items():
            if (score := record.scores.get(name)) and score.has_key_of(key):
                used += [("metric", registry.metrics.get(name), score.code)]
        changed.update((kind, entry.spec.name) for kind, entry, code in used if is_changed(entry, code))
    return [
        f"the code of {kind} {name!r} has changed since {plural(n, 'stored run')}, its version has not: "
        + ("`zoo score --force` scores them again" if kind == "metric" else "--force trains them again")
        for (kind, name), n in sorted(changed.items())
    ]

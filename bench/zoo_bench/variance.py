"""Where the spread of FID comes from: around several base seeds, one axis of randomness varies at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from zoo.errors import ZooError
from zoo.files import is_regular
from zoo.registry import installed
from zoo_bench.core.seeds import Axis
from zoo_bench.executors import Event, Finished, Options
from zoo_bench.executors.local import run_here
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.scoring import ScorePlan, Scoring
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.read.variance import AXES, Components
from zoo_bench.run.rescore import rescore
from zoo_bench.score.stored import WEIGHTS
from zoo_bench.store.records import Store

METRIC = "fid"

FINAL_STATUSES = ("ok", "diverged")
"""Runs that ended otherwise are done again."""

SEED_STEP = 1000
"""Around base seed b, repeat r has the seed b + 1000 r on its axis: runs that are to be independent share no seed."""


@dataclass(frozen=True)
class Design:
    """The runs of a study.

    Attributes:
        bases: The base runs, one for each base seed; they differ in all axes.
        repeats: Runs around each of them that differ in one axis, the base among them.
        scores: How runs are scored.
    """

    bases: list[RunSpec]
    repeats: int
    scores: ScorePlan

    def around(self, axis: Axis) -> list[list[RunSpec]]:
        """Return for each base the runs that differ from it in one axis alone, itself first."""
        further = range(1, self.repeats)
        return [
            [base, *(base.with_changes(seeds={axis: (base.seed or 0) + r * SEED_STEP}) for r in further)]
            for base in self.bases
        ]

    def further(self, axes: Iterable[Axis]) -> list[RunSpec]:
        """Return the runs of some axes without the bases."""
        return [spec for axis in axes for group in self.around(axis) for spec in group[1:]]


def design(options: BenchOptions, bases: int, repeats: int) -> Design:
    """Plan the runs of a study; nothing is written.

    Args:
        options: Model, task, budget, settings, workers and threads; the others do not matter.
        bases: Base seeds, 2 to 1,000.
        repeats: Runs around each of them that differ in one axis, the base among them; 2 to 1,000.

    Raises:
        ZooError: If an argument is unusable, or names more than one model on one task.
    """
    for name, number in {"bases": bases, "repeats": repeats}.items():
        if not 2 <= number <= SEED_STEP:
            raise ZooError(f"--{name} must be 2 to {SEED_STEP:,}, got {number}")
    planned = plan(replace(options, seeds=bases, metrics=METRIC))
    subjects = list(dict.fromkeys(f"{spec.label} on {spec.task}" for spec in planned.runs))
    if len(subjects) != 1:
        found = ", ".join(subjects) or "; ".join(planned.left_out)
        raise ZooError(f"a study is of one model on one task, and here are {len(subjects)}: {found}")
    return Design(planned.runs, repeats, planned.scores[planned.runs[0].task])


@dataclass(frozen=True)
class Study:
    """What a study found.

    Attributes:
        label: The model, with settings that are not its defaults.
        task: The task.
        judge: The task's judge.
        budget: Of every run.
        components: What the axes contribute.
        failed: A sentence for every run without an FID.
    """

    label: str
    task: str
    judge: str
    budget: str
    components: Components
    failed: list[str]


def study(
    design: Design, store: Store, options: Options, on_event: Callable[[Event], None] = lambda event: None
) -> Study:
    """Train and sample what is not stored, and return what each axis contributes.

    Nothing is trained for the axis of sampling, on which weights do not depend: those of the bases are sampled again.
    These scores are kept in the folder ``resampled`` of the store, apart from the records of runs, so that no table
    takes two samplings of one training for two trainings.

    Args:
        design: The runs.
        store: Where the records of runs are, and the weights of bases.
        options: Options of the executor.
        on_event: Called with every event.
    """
    resampled = Store(store.root / "resampled")
    _train(design, store, options, on_event)
    _resample(design, store, resampled, options, on_event)

    def find(spec: RunSpec) -> RunRecord | None:
        return (resampled if "sampling" in spec.seeds else store).find(spec)

    groups = {axis: design.around(axis) for axis in AXES}
    fids = {axis: [[_fid(find(spec)) for spec in group] for group in groups[axis]] for axis in AXES}
    runs = dict.fromkeys([*design.bases, *design.further(AXES)])
    failed = [f"{described(spec)}: {_reason(record)}" for spec in runs if math.isnan(_fid(record := find(spec)))]
    first = design.bases[0]
    return Study(first.label, first.task, design.scores.judge, first.budget, Components.of(fids), failed)


def described(spec: RunSpec) -> str:
    """Return the name of a run of a study, with the axis in which it differs from its base."""
    return ", ".join([str(spec), *(f"{AXES[axis]} {seed}" for axis, seed in spec.seeds.items())])


def _train(design: Design, store: Store, options: Options, on_event: Callable[[Event], None]) -> None:
    """Train the bases, whose weights are kept, and the runs that differ from them in another axis than sampling."""
    others = design.further(axis for axis in AXES if axis != "sampling")
    missing = [spec for spec in design.bases if _is_missing(spec, store, design.scores, weights=True)]
    missing += [spec for spec in others if _is_missing(spec, store, design.scores)]
    if not missing:
        return
    store.create()
    execute = installed().executors.get("local").spec.load()
    for event in execute(missing, replace(options, scoring=Scoring((METRIC,)))):
        if isinstance(event, Finished):
            kept = {} if event.spec.seeds else event.outcome.files
            store.save(Outcome(event.outcome.record, {name: kept[name] for name in kept if name == WEIGHTS}))
        on_event(event)


def _resample(
    design: Design, store: Store, resampled: Store, options: Options, on_event: Callable[[Event], None]
) -> None:
    """Score samples that the bases' weights give under other seeds of sampling."""
    base_of = {spec: group[0] for group in design.around("sampling") for spec in group[1:]}
    missing = [
        spec
        for spec, base in base_of.items()
        if not math.isnan(_fid(store.find(base))) and _is_missing(spec, resampled, design.scores)
    ]
    places = {spec.run_id: (store.path(base_of[spec]), [METRIC]) for spec in missing}
    for event in run_here(missing, options, partial(rescore, outdated=places)):
        if isinstance(event, Finished):
            resampled.save(Outcome(event.outcome.record))
        on_event(event)


def _is_missing(spec: RunSpec, store: Store, scores: ScorePlan, *, weights: bool = False) -> bool:
    """Return whether a run is to be done: it did not end by itself, was judged otherwise, or lost its weights."""
    record = store.find(spec)
    if record is None or record.status not in FINAL_STATUSES or scores.outdated(record):
        return True
    return weights and record.status == "ok" and not is_regular(store.path(spec).with_suffix(WEIGHTS))


def _fid(record: RunRecord | None) -> float:
    """Return the FID of a run; NaN if it has none whose logarithm exists."""
    fid = record.metrics.get(METRIC, math.nan) if record and record.status == "ok" else math.nan
    return fid if 0 < fid < math.inf else math.nan


def _reason(record: RunRecord | None) -> str:
    """Return why a run has no FID."""
    if record is None:
        return "not done, because its base failed"
    if record.status != "ok":
        return f"{record.status}: {record.error}"
    return record.metric_errors.get(METRIC) or f"FID {record.metrics.get(METRIC)} has no logarithm"

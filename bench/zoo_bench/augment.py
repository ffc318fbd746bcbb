"""Whether generated images help where real ones are few: models trained on shares of a task, and their worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.executors import Event, Finished, Options
from zoo_bench.plan.labels import changed, describe
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.record import RunRecord
from zoo_bench.plan.scoring import ScorePlan, Scoring
from zoo_bench.plan.spec import RunSpec
from zoo_bench.plan.variants import select
from zoo_bench.report.read.augmentation import Measured
from zoo_bench.score.metrics.label_specs import AUGMENTING, TRAINED_ON
from zoo_bench.store.records import Store

METRIC = AUGMENTING.name

FINAL_STATUSES = ("ok", "diverged")
"""Runs that ended otherwise are done again."""


@dataclass(frozen=True)
class Design:
    """The runs of a study.

    Attributes:
        runs: Every run with the share of real images that it is trained on.
        scores: By task, how its runs are scored.
    """

    runs: dict[RunSpec, float]
    scores: dict[str, ScorePlan]


def design(options: BenchOptions, fractions: Sequence[str]) -> Design:
    """Plan the runs of a study; nothing is written.

    At every fraction and seed, each model is trained with this seed on the share of the task's training split that this
    seed draws, and is given labels.

    Args:
        options: Models, task, budget, seeds, settings, workers and threads; the others do not matter.
        fractions: Shares of the training split, a millionth to 1.

    Raises:
        ZooError: If an argument is unusable, or a model or the task has no labels.
    """
    registry, settings = installed(), {name: dict(given) for name, given in options.settings.items()}
    for variant in select(options.models, registry.models):
        spec = variant.entry.spec
        if not spec.conditional:
            raise ZooError(f"model {spec.name!r} cannot be given labels: its images have no class to learn")
        settings.setdefault(spec.name, {})["conditional"] = True
    draws: dict[str, tuple[float, int]] = {}
    for fraction in fractions:
        for seed in options.training_seeds:
            name = registry.tasks.get(f"few:{options.task}?fraction={fraction}&draw={seed}").spec.name
            draws[name] = float(fraction), seed
    planned = plan(replace(options, task=",".join(draws), settings=settings, metrics=METRIC))
    if not all(scores.wanted for scores in planned.scores.values()):
        raise ZooError(f"task {options.task!r} has no classes of images, which a classifier could learn")
    return Design({run: draws[run.task][0] for run in planned.runs if draws[run.task][1] == run.seed}, planned.scores)


def study(
    design: Design, store: Store, options: Options, on_event: Callable[[Event], None] = lambda event: None
) -> tuple[list[Measured], list[str]]:
    """Train what is not stored, and return what every run is worth, and a sentence for every run without a result.

    Args:
        design: The runs.
        store: Where the records of runs are, with weights and sheets.
        options: Options of the executor.
        on_event: Called with every event.
    """
    missing = [run for run in design.runs if _is_missing(store.find(run), design.scores[run.task])]
    if missing:
        store.create()
        execute = installed().executors.get("local").spec.load()
        for event in execute(missing, replace(options, scoring=Scoring((METRIC,)))):
            if isinstance(event, Finished):
                store.save(event.outcome)
            on_event(event)
    measured, failed = [], []
    for run, fraction in design.runs.items():
        record = store.find(run)
        found = record.metrics if record and record.status == "ok" else {}
        accuracies = [found[f"accuracy_{name}"] for name in TRAINED_ON if f"accuracy_{name}" in found]
        if len(accuracies) == len(TRAINED_ON):
            measured.append(Measured(_label(run), fraction, run.seed or 0, *accuracies))
        else:
            failed.append(f"{run}: {_reason(record)}")
    return measured, failed


def _label(run: RunSpec) -> str:
    """Return a run's label without what all runs of a study have in common, that they are given labels."""
    settings = changed(run.model, run.task, run.config)
    return describe(run.model, {name: value for name, value in settings.items() if name != "conditional"})


def _is_missing(record: RunRecord | None, scores: ScorePlan) -> bool:
    """Return whether a run is to be done: it did not end by itself, or was scored otherwise."""
    return record is None or record.status not in FINAL_STATUSES or bool(scores.outdated(record))


def _reason(record: RunRecord | None) -> str:
    """Return why a run has no result."""
    if record is None:
        return "not done"
    return f"{record.status}: {record.error or record.metric_errors.get(METRIC, '')}"

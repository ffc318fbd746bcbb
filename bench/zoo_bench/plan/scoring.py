"""What is computed of a run's samples, and which of its scores are missing or outdated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.catalogue import HOST, Entry
from zoo.specs import MetricSpec, TaskSpec
from zoo_bench.judges import PANEL
from zoo_bench.plan.code import fingerprint
from zoo_bench.plan.record import LEARNING_CURVE, RunRecord, Score

if TYPE_CHECKING:
    from zoo.task import Task
    from zoo_bench.judges.panel import Panel

CURVE_SCORE_VERSION = "1"
"""Changes whenever the values of learning curves do."""


@dataclass(frozen=True)
class Scoring:
    """What is computed and kept of a run beside its weights. It is not part of the run's key.

    Attributes:
        metrics: Names of metrics; those that do not apply to a task are left out there.
        keep_samples: Whether the scored samples are stored.
        panel: The judges beside the tasks' own; None: there are none.
    """

    metrics: tuple[str, ...] = ()
    keep_samples: bool = False
    panel: Panel | None = None


@dataclass(frozen=True)
class ScorePlan:
    """How the runs of a task are to be scored.

    Attributes:
        task_version: The task's version.
        judge: The task's judge: name and first 8 hex digits of its hash.
        wanted: Names of the metrics that are asked for and apply to the task, sorted.
        keys: By metric, a score with its key and no values: of those wanted, and of others under the task's judge.
    """

    task_version: str
    judge: str
    wanted: tuple[str, ...]
    keys: dict[str, Score]

    def outdated(self, record: RunRecord, *, failed: bool = False, force: bool = False) -> list[str]:
        """Return the names of the scores of a run that must be computed, so that all are there under one judge.

        Args:
            record: The run.
            failed: Whether scores that could not be computed count as missing.
            force: Whether all scores count as outdated.
        """
        if record.status != "ok":
            return []
        names = set(self.wanted) | (record.scores.keys() & self.keys.keys() if record.judge != self.judge else set())
        keys = {name: self.keys[name] for name in sorted(names)}
        if record.curve:
            keys[LEARNING_CURVE] = curve_key(self.judge)
        scores = record.scores
        return [
            name
            for name, key in keys.items()
            if force or name not in scores or not scores[name].has_key_of(key) or (failed and scores[name].error)
        ]


def score_plan(
    spec: TaskSpec,
    task: Task,
    wanted: Iterable[Entry[MetricSpec]],
    installed: Iterable[Entry[MetricSpec]],
    panel: Panel | None = None,
    log: Callable[[str], None] | None = None,
) -> ScorePlan:
    """Return how runs of a task are scored with the metrics that are asked for.

    Args:
        spec: The task's spec.
        task: The task.
        wanted: The metrics that are asked for; those that do not apply are left out.
        installed: All metrics.
        panel: The judges beside the task's own.
        log: Called with a sentence before one of these is trained; None: none is.
    """
    from zoo_bench.judges.named import judge_name

    chosen = applicable(wanted, task)
    if panel and has_panel(chosen):
        if log:
            panel.train(spec, task, log)
        task = panel.seated(spec, task)
    names = tuple(entry.spec.name for entry in chosen)
    entries = [e for e in applicable(installed, task) if e.spec.name in names or not e.spec.judge]
    keys = {entry.spec.name: score_key(entry, task) for entry in entries}
    return ScorePlan(spec.version, judge_name("", task), names, keys)


def has_panel(metrics: Iterable[Entry[MetricSpec]]) -> bool:
    """Return whether any metric is computed under a panel of judges."""
    return any(entry.spec.judge == PANEL for entry in metrics)


def applicable(metrics: Iterable[Entry[MetricSpec]], task: Task) -> list[Entry[MetricSpec]]:
    """Return the metrics for which the task offers what they need, sorted by name."""
    return sorted((m for m in metrics if set(m.spec.needs) <= task.offers), key=lambda entry: entry.spec.name)


def score_key(entry: Entry[MetricSpec], task: Task) -> Score:
    """Return a score of a metric on a task with its key and no values."""
    from zoo_bench.judges.named import judge_name

    return Score(
        plugin=entry.plugin.distribution,
        version=entry.spec.version or entry.plugin.version,
        judge=judge_name(entry.spec.judge, task),
        code=fingerprint(entry),
    )


def curve_key(judge: str) -> Score:
    """Return the score of a learning curve with its key and no values."""
    return Score(plugin=HOST, version=CURVE_SCORE_VERSION, judge=judge)

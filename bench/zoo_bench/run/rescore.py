"""Scores of a stored run, computed again from its samples or weights. Nothing is trained, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from zoo.errors import FAILURES, ZooError, error_sentence
from zoo.evaluation import Evaluation
from zoo.files import is_regular
from zoo.model import GenerativeModel
from zoo.registry import installed
from zoo.task import Task
from zoo_bench.core.processes import keep_freed_memory
from zoo_bench.data.loading import load_task
from zoo_bench.judges.named import judge_name
from zoo_bench.judges.panel import Panel
from zoo_bench.plan.planning import resolve_device
from zoo_bench.plan.record import LEARNING_CURVE, Outcome, Progress, RunRecord, Score
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import curve_key
from zoo_bench.plan.spec import RunSpec
from zoo_bench.run.execute import best_fid
from zoo_bench.score.curve import curve_values, last_is_best, target_of
from zoo_bench.score.drawing import draw, labels_to_draw
from zoo_bench.score.scoring import count_modes, note_constants, score
from zoo_bench.score.stored import BEST_WEIGHTS, SAMPLES, WEIGHTS, load_run, unpacked
from zoo_bench.store.records import read_record


def is_kept(path: Path) -> bool:
    """Return whether a run has what scoring needs, its samples or its weights, beside its record."""
    return any(is_regular(path.with_suffix(suffix)) for suffix in (SAMPLES, WEIGHTS))


def rescore(
    spec: RunSpec,
    resources: Resources,
    on_progress: Callable[[Progress], None],
    *,
    outdated: Mapping[str, tuple[Path, list[str]]],
    panel: Panel | None = None,
) -> Outcome:
    """Compute scores of a stored run, and return its record with them; if that fails, a record with status "error".

    Args:
        spec: The run, or one that differs from it in the seed of sampling alone, whose samples are drawn then.
        resources: What it may use. It has the threads of its spec, so that its samples are drawn as they were then.
        on_progress: Not called: scoring takes seconds.
        outdated: By ``run_id``, the path of the record, and the names of the scores to compute.
        panel: The judges beside the tasks' own.
    """
    keep_freed_memory()
    torch.set_num_threads(spec.threads or resources.threads)
    path, names = outdated[spec.run_id]
    try:
        return Outcome(_rescored(path, spec, names, panel))
    except FAILURES as error:
        sentence = str(error) if isinstance(error, ZooError) else error_sentence(error)
        return Outcome(RunRecord.failed(spec, resources, "error", sentence))


def _rescored(path: Path, spec: RunSpec, names: list[str], panel: Panel | None) -> RunRecord:
    record, registry = read_record(path), installed()
    is_own = record.run_id == spec.run_id
    if not is_own:  # what the other samples have no part in stays
        none = {"scores": {}, "diagnostics": {}, "curve": [], "curve_judge": ""}
        record = record.model_copy(update={"run_id": spec.run_id, "spec": spec, **none})
    load = partial(_task, spec, panel)
    task = load()
    labels = labels_to_draw(task, task.samples, spec.seed_of("sampling")) if spec.conditional else None
    model, generated = _model_and_samples(path, spec, task, labels, kept=is_own)
    evaluation = Evaluation(task, generated, labels=labels)
    before, record.judge = record.judge, judge_name("", task)
    if before != record.judge:
        record.scores |= {name: _emptied(old) for name, old in record.scores.items() if old.judge == before}
    scored = score(evaluation, [registry.metrics.get(name) for name in names if name != LEARNING_CURVE], load)
    record.scores |= {name: _kept(record.scores.get(name), new) for name, new in scored.scores.items()}
    record.traceback += scored.traceback
    note_constants(record, evaluation.reference)
    count_modes(record, evaluation)
    if LEARNING_CURVE in names:
        curve = record.scores[LEARNING_CURVE] = curve_key(record.judge)
        if record.curve_judge == record.judge:
            curve.values |= curve_values(record.curve, target_of(task))
        best = path.with_suffix(BEST_WEIGHTS)
        if last_is_best(record.curve):
            curve.values |= best_fid(record, evaluation, model, None)
        elif model and is_regular(best):
            curve.values |= best_fid(record, evaluation, model, load_file(best))
    return record


def _emptied(old: Score) -> Score:
    """Return a score under an earlier judge without its values, which are not to stand beside those under another."""
    return old.model_copy(update={"values": {}, "error": f"it was computed under {old.judge}, and has not been since"})


def _kept(old: Score | None, new: Score) -> Score:
    """Return a new score, or, if that could not be computed, the old one's values with the reason."""
    return old.model_copy(update={"error": new.error}) if new.error and not new.values and old and old.values else new


def _task(spec: RunSpec, panel: Panel | None) -> Task:
    entry = installed().tasks.get(spec.task)
    if entry.spec.version != spec.task_version:
        raise ZooError(f"it is of version {spec.task_version} of task {spec.task!r}, not {entry.spec.version}")
    task = load_task(entry)
    return panel.seated(entry.spec, task) if panel else task


def _model_and_samples(
    path: Path, spec: RunSpec, task: Task, labels: Tensor | None, *, kept: bool
) -> tuple[GenerativeModel | None, Tensor]:
    """Return a run's model, if its weights are there, and its samples: drawn as it did, or those that it kept.

    Args:
        path: Of its record.
        spec: The run.
        task: Its task.
        labels: The classes of its samples, if it is given labels.
        kept: Whether samples beside the record are its own.
    """
    device = torch.device(_available(spec.device))
    for judge in (task.judge, *task.panel):
        judge.to(device)
    samples = path.with_suffix(SAMPLES)
    kept = kept and is_regular(samples)
    model = None
    if is_regular(path.with_suffix(WEIGHTS)):
        plugin = installed().models.get(spec.model).plugin
        if (plugin.distribution, plugin.version) == (spec.plugin, spec.plugin_version):
            model = load_run(path).to(device).to(memory_format=torch.channels_last)  # as it was built, to draw the same
        elif not kept:
            raise ZooError(f"it was trained with {spec.plugin} {spec.plugin_version}, and {plugin} is installed")
    if kept:
        return model, unpacked(samples)
    if model is None:
        raise ZooError("neither its weights nor its samples were kept")
    torch.manual_seed(spec.seed_of("sampling"))
    generated = draw(model, task.samples, labels)
    if generated is None:
        raise ZooError("its weights give samples that are infinite or NaN")
    return model, generated


def _available(device: str) -> str:
    """Return a run's device, or the CPU where this machine has no such device: samples are then others, as good."""
    try:
        return resolve_device(device or "cpu")
    except ZooError:
        return "cpu"

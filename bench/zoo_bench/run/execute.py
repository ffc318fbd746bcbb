"""One run, from its spec to its record. It runs in a process of its own, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

import torch
from safetensors.torch import save

from zoo.errors import error_details, error_sentence, reraise_ctrl_c
from zoo.evaluation import Evaluation
from zoo.model import GenerativeModel
from zoo.registry import installed
from zoo.task import Task
from zoo_bench.core.budget import Budget
from zoo_bench.core.children import tell
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.core.processes import keep_freed_memory
from zoo_bench.data.loading import load_task
from zoo_bench.data.ranges import range_fault
from zoo_bench.data.stream import Stream
from zoo_bench.judges.named import judge_name
from zoo_bench.plan.code import fingerprint
from zoo_bench.plan.record import LEARNING_CURVE, Outcome, Progress, RunRecord, Score
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring, applicable, curve_key
from zoo_bench.plan.spec import RunSpec
from zoo_bench.run.speed import peak_memory_mb, sampling
from zoo_bench.run.watch import Watch
from zoo_bench.score.curve import CURVE_SHARES, Curve
from zoo_bench.score.drawing import draw, labels_to_draw
from zoo_bench.score.metrics.frechet import torch_fidelity_distance
from zoo_bench.score.scoring import Scored, count_modes, diagnose, note_constants, score
from zoo_bench.score.sheets import COLUMNS, PROGRESS, image_grid, sheets
from zoo_bench.score.stored import BEST_WEIGHTS, SAMPLES, WEIGHTS, packed
from zoo_bench.store.records import checkpoint_path
from zoo_bench.train.checkpoint import Checkpoint
from zoo_bench.train.game import build_on
from zoo_bench.train.loop import Training, train

MIN_CPU_SHARE = 0.8
"""A run whose training has less CPU time than this share of its wall-clock is contended; alone it has 0.98 to 1."""

MIN_SECONDS_JUDGED = 1.0
"""Of shorter training such a share says nothing."""

DIAGNOSTIC_ITEMS = 2000
"""Items of the validation split on which a model computes its diagnostics."""

CHECKPOINT_KEY = {"run_id", "code", "task_code", "judge", "zoo_version"}
"""Fields of a record that must be the same for a run to go on from a checkpoint; the judge scored the curve so far."""


def execute(
    spec: RunSpec,
    resources: Resources,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    *,
    scoring: Scoring,
    checkpoints: Path | None = None,
    checkpoint_seconds: float | None = None,
) -> Outcome:
    """Train, sample and score one model.

    An error in a plugin is never raised: the record then has status "error" and describes it. SIGTERM ends training:
    the record then has status "interrupted" and says what was spent so far. Whoever waits for this process is told what
    there is before scoring and after each metric, so that one that hangs costs neither weights nor other scores.

    Args:
        spec: The run.
        resources: What it has of the machine.
        on_progress: Called every few rounds.
        scoring: With which metrics it is scored.
        checkpoints: Folder of checkpoints; if it has one of this run, training goes on from there. None: none are kept.
        checkpoint_seconds: Time from one checkpoint to the next; None: none are kept.
    """
    keep_freed_memory()
    torch.set_num_threads(resources.threads)
    record = RunRecord.begun(spec, resources)
    outcome = Outcome(record)
    checkpoint = None
    if checkpoints and checkpoint_seconds and checkpoints.parent.is_dir():  # else the bench's folder is elsewhere
        checkpoint = Checkpoint(checkpoint_path(checkpoints, spec), checkpoint_seconds)
    try:
        with Watch() as watch:
            _execute(spec, resources, scoring, outcome, on_progress, watch, checkpoint)
        record.marks = watch.marks(record)
    except BaseException as error:
        reraise_ctrl_c(error)
        record.status = "error"
        record.error = error_sentence(error)
        record.traceback = error_details(error)
    if checkpoint and checkpoint.note:
        record.notes.append(checkpoint.note)
    return outcome


def _execute(
    spec: RunSpec,
    resources: Resources,
    scoring: Scoring,
    outcome: Outcome,
    on_progress: Callable[[Progress], None],
    watch: Watch,
    checkpoint: Checkpoint | None,
) -> None:
    record = outcome.record
    registry = installed()
    device = torch.device(spec.device)
    task_entry, entry = registry.tasks.get(spec.task), registry.models.get(spec.model)
    record.code, record.task_code = fingerprint(entry), fingerprint(task_entry)

    def load() -> Task:
        task = load_task(task_entry)
        return scoring.panel.seated(task_entry.spec, task) if scoring.panel else task

    task = load()
    record.shape, record.judge = task.shape, judge_name("", task)
    for judge in (task.judge, *task.panel):
        judge.to(device)

    watch.begin(entry)
    torch.manual_seed(spec.seed_of("initialisation"))
    model = build_on(device, entry, task.shape, spec.config)
    record.params = sum(w.numel() for w in model.parameters() if w.requires_grad)

    def report(share: float, training: Training) -> None:
        speed = training.meter.images / training.meter.seconds
        on_progress(Progress(share, training.meter.images, speed, training.losses))

    curve = Curve(model, task, spec.seed_of("sampling"))
    torch.manual_seed(spec.seed_of("training"))
    seen = task.train.modes if spec.conditional else None
    stream = Stream(task.train.data, spec.seed_of("data"), device, resources.memory, resources.gpu_share, seen)
    if checkpoint:
        checkpoint.key = record.model_dump(include=CHECKPOINT_KEY)
        checkpoint.parts = {"curve": curve, "watch": watch}
    training = train(
        model,
        stream,
        Budget.parse(spec.budget),
        precision=spec.precision_mode or "fp32",
        on_progress=report,
        marks=CURVE_SHARES,
        on_mark=curve.add,
        checkpoint=checkpoint,
    )
    _note_training(record, training)
    _note_others(record)
    record.curve = curve.points
    record.curve_judge = record.judge if curve.points else ""
    if training.interrupted:
        record.status, record.error = "interrupted", "ended by SIGTERM before its budget was spent"
        return
    outcome.files[WEIGHTS] = save(_copies(model.state_dict()))
    if training.diverged:
        record.status, record.error = "diverged", training.diverged
        return

    start = perf_counter()
    torch.manual_seed(spec.seed_of("sampling"))
    labels = labels_to_draw(task, task.samples, spec.seed_of("sampling")) if spec.conditional else None
    generated = draw(model, task.samples, labels)
    watch.end()
    if generated is None:
        record.status, record.error = "diverged", "samples are infinite or NaN"
        return
    outcome.files |= sheets(generated, task, labels)
    if len(task.shape) == 3 and curve.first:
        outcome.files[PROGRESS] = image_grid(torch.cat(curve.first), columns=COLUMNS)
    if fault := range_fault(generated, task.train.data):
        record.notes.append(fault)
    if scoring.keep_samples:
        outcome.files[SAMPLES] = packed(generated, labels)
    tell(outcome)
    evaluation = Evaluation(task, generated, labels=labels)
    metrics = [registry.metrics.get(name) for name in scoring.metrics]

    def keep(scored: Scored) -> None:
        record.scores = scored.scores
        tell(Outcome(record))

    scored = score(evaluation, applicable(metrics, task), load, keep)
    record.traceback += scored.traceback
    note_constants(record, evaluation.reference)
    count_modes(record, evaluation)
    who = f"{type(model).__name__}.diagnostics()"
    held_out = task.validation.at(slice(DIAGNOSTIC_ITEMS))
    diagnose(record, model, held_out, lambda name: registry.columns.check_own(name, entry.plugin, who))
    record.throughput |= sampling(model)
    if curve.points:
        if not curve.best_is_last:
            outcome.files[BEST_WEIGHTS] = save(_copies(curve.best))
        record.scores[LEARNING_CURVE] = score_curve(record, evaluation, model, curve)
    record.evaluate_seconds = curve.seconds + perf_counter() - start
    record.throughput["peak_memory_mb"] = peak_memory_mb(device)


def _copies(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return copies that share no memory, as safetensors requires; tied weights are stored under each name."""
    return {name: weight.clone(memory_format=torch.contiguous_format) for name, weight in weights.items()}


def _note_training(record: RunRecord, training: Training) -> None:
    meter = training.meter
    record.images, record.rounds, record.updates = meter.images, meter.rounds, meter.updates
    record.train_seconds, record.cpu_seconds, record.flops = meter.seconds, meter.cpu_seconds, meter.flops
    if record.spec.device == "cpu" and meter.seconds:
        record.cpu_share = min(1.0, meter.thread_seconds / meter.seconds)
    record.losses, record.history = training.losses, training.history
    record.throughput["train_images_per_s"] = training.images_per_s


def _note_others(record: RunRecord) -> None:
    """Note it if something else took time from the thread that trains; on a GPU that waits for the device as well."""
    long_enough = (record.train_seconds or 0.0) >= MIN_SECONDS_JUDGED
    if record.cpu_share is None or record.cpu_share >= MIN_CPU_SHARE or not long_enough:
        return
    record.contended = True
    effect = "its speeds are too low"
    if Budget.parse(record.spec.budget).seconds:
        effect += ", and it saw fewer items than its seconds allow"
    record.notes.append(f"training waited for more than a fifth of its time, perhaps for other programs: {effect}")


def score_curve(record: RunRecord, evaluation: Evaluation, model: GenerativeModel, curve: Curve) -> Score:
    """Score the area under the curve, and the best checkpoint, chosen on validation, against the test split."""
    best = None if curve.best_is_last else curve.best
    values = {**curve.values(), **best_fid(record, evaluation, model, best)}
    return curve_key(record.judge).model_copy(update={"values": values})


def best_fid(
    record: RunRecord, evaluation: Evaluation, model: GenerativeModel | None, best: Mapping[str, torch.Tensor] | None
) -> dict[str, float]:
    """Return ``fid_best``, the FID of the best checkpoint's samples; nothing if these are infinite or NaN.

    Args:
        record: The run's record.
        evaluation: That of the last checkpoint's samples.
        model: The model, which is left with the best weights; not needed if the last are the best.
        best: The weights of the best checkpoint; None if the last are the best.
    """
    if best is None or model is None:
        if "fid" in record.metrics:
            return {"fid_best": record.metrics["fid"]}
        return {"fid_best": torch_fidelity_distance(evaluation.features_generated, evaluation.features_real)}
    model.load_state_dict(best)
    torch.manual_seed(record.spec.seed_of("sampling"))
    generated = draw(model, evaluation.task.samples, evaluation.labels)
    if generated is None:
        return {}
    scored = Evaluation(evaluation.task, generated, evaluation.reference)
    return {"fid_best": frechet_distance(scored.features_generated, scored.features_real)}

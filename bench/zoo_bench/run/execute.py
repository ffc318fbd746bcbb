"""One run, from its spec to its record. It runs in a process of its own, and writes nothing."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

import torch
from safetensors.torch import save

from zoo.errors import FAILURES, error_sentence
from zoo.evaluation import Evaluation, Reference
from zoo.model import GenerativeModel
from zoo.registry import installed
from zoo_bench.core.budget import Budget
from zoo_bench.core.processes import keep_freed_memory
from zoo_bench.core.seeds import derive
from zoo_bench.data.loading import load_task
from zoo_bench.data.stream import Stream
from zoo_bench.plan.record import Outcome, Progress, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.spec import RunSpec
from zoo_bench.run.speed import peak_memory_mb, sampling
from zoo_bench.score.curve import CURVE_SHARES, Curve
from zoo_bench.score.drawing import draw
from zoo_bench.score.metrics.frechet import frechet_distance
from zoo_bench.score.scoring import model_diagnostics, score
from zoo_bench.score.sheets import image_grid, neighbours, scatter
from zoo_bench.train.game import build_on
from zoo_bench.train.loop import Training, train

DIAGNOSTIC_ITEMS = 2000
"""Items of the validation split on which a model computes its diagnostics."""


def execute(
    spec: RunSpec, resources: Resources, on_progress: Callable[[Progress], None] = lambda progress: None
) -> Outcome:
    """Train, sample and score one model.

    An error in a plugin is never raised: the record then has status "error" and describes it.
    """
    keep_freed_memory()
    torch.set_num_threads(resources.threads)
    record = RunRecord.begun(spec, resources)
    outcome = Outcome(record)
    try:
        _execute(spec, resources, outcome, on_progress)
    except FAILURES as error:
        record.status = "error"
        record.error = error_sentence(error)
        record.traceback = traceback.format_exc()
    return outcome


def _execute(spec: RunSpec, resources: Resources, outcome: Outcome, on_progress: Callable[[Progress], None]) -> None:
    record = outcome.record
    registry = installed()
    device = torch.device(spec.device)
    task = load_task(registry.tasks.get(spec.task))
    entry = registry.models.get(spec.model)

    torch.manual_seed(derive(spec.seed, "initialisation"))
    model = build_on(device, entry, task.shape, spec.config)
    record.params = sum(w.numel() for w in model.parameters() if w.requires_grad)

    def report(share: float, training: Training) -> None:
        speed = training.meter.images / training.meter.seconds
        on_progress(Progress(share, training.meter.images, speed, training.losses))

    task.judge.to(device)
    curve = Curve(model, task, spec.seed)
    torch.manual_seed(derive(spec.seed, "training"))
    stream = Stream(task.train.data, spec.seed, device, resources.memory)
    marks = CURVE_SHARES if "fid" in spec.metrics else ()
    budget = Budget.parse(spec.budget)
    training = train(
        model, stream, budget, precision=spec.precision_mode, on_progress=report, marks=marks, on_mark=curve.add
    )
    _note_training(record, training)
    record.curve = curve.points
    outcome.files[".safetensors"] = save(_copies(model))
    if training.diverged:
        record.status, record.error = "diverged", training.diverged
        return

    start = time.perf_counter()
    torch.manual_seed(derive(spec.seed, "sampling"))
    generated = draw(model, task.samples)
    if generated is None:
        record.status, record.error = "diverged", "samples are infinite or NaN"
        return
    if len(task.shape) == 3:
        outcome.files[".png"] = image_grid(generated[:64])
        outcome.files[".neighbours.png"] = neighbours(generated[:32], task.train.data)
    else:
        outcome.files[".png"] = scatter(generated, task)
    metrics = [registry.metrics.get(name).spec for name in spec.metrics]
    evaluation = Evaluation(task, generated)
    scored = score(evaluation, metrics)
    who = f"{type(model).__name__}.diagnostics()"
    diagnostics = model_diagnostics(
        model, task.validation.data[:DIAGNOSTIC_ITEMS], lambda name: registry.columns.check_own(name, entry.plugin, who)
    )
    for result in (scored, diagnostics):
        record.metrics |= result.values
        record.metric_errors |= result.errors
        record.traceback += result.traceback
    record.throughput |= sampling(model)
    if curve.points:
        score_curve(record, evaluation.reference, model, curve)
    record.evaluate_seconds = curve.seconds + time.perf_counter() - start
    record.throughput["peak_memory_mb"] = peak_memory_mb(device)


def _copies(model: GenerativeModel) -> dict[str, torch.Tensor]:
    """Return copies that share no memory, as safetensors requires; tied weights are stored under each name."""
    return {k: v.clone(memory_format=torch.contiguous_format) for k, v in model.state_dict().items()}


def _note_training(record: RunRecord, training: Training) -> None:
    meter = training.meter
    record.images, record.rounds, record.updates = meter.images, meter.rounds, meter.updates
    record.train_seconds, record.flops = meter.seconds, meter.flops
    record.losses, record.history = training.losses, training.history
    record.throughput["train_images_per_s"] = training.images_per_s


def score_curve(record: RunRecord, reference: Reference, model: GenerativeModel, curve: Curve) -> None:
    """Record the area under the curve, and score the best checkpoint, chosen on validation, against the test split."""
    record.metrics |= {"fid_auc": curve.area(), **curve.to_target()}
    if not curve.best_is_last:
        model.load_state_dict(curve.best)
        torch.manual_seed(derive(record.spec.seed, "sampling"))
        generated = draw(model, reference.task.samples)
        if generated is not None:
            best = Evaluation(reference.task, generated, reference)
            record.metrics["fid_best"] = frechet_distance(best.features_generated, best.features_real)
    elif "fid" in record.metrics:
        record.metrics["fid_best"] = record.metrics["fid"]

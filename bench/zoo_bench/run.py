"""One run, from its spec to its record. It runs in a process of its own, and writes nothing."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from zoo.errors import PluginError
from zoo.evaluation import Evaluation
from zoo.model import GenerativeModel, build
from zoo.registry import installed
from zoo.specs import MetricSpec
from zoo.task import Task
from zoo_bench.budget import Budget
from zoo_bench.curve import MARKS, Curve
from zoo_bench.draw import draw_stored
from zoo_bench.environment import environment
from zoo_bench.metrics.fid import frechet_distance
from zoo_bench.record import Outcome, RunRecord
from zoo_bench.report.sheet import sheet
from zoo_bench.seeds import derive
from zoo_bench.spec import RunSpec, load_task
from zoo_bench.stream import Stream
from zoo_bench.throughput import peak_memory_mb, sampling
from zoo_bench.train import Training, train


@dataclass(frozen=True)
class Resources:
    """What a run is given.

    Attributes:
        threads: CPU threads.
        contended: Whether other runs share the machine.
    """

    threads: int
    contended: bool


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        share: Share of the budget spent, 0 to 1.
        images_per_s: Real images per second so far.
        losses: Last loss of each player.
    """

    share: float
    images_per_s: float
    losses: dict[str, float]


def execute(
    spec: RunSpec, resources: Resources, on_progress: Callable[[Progress], None] = lambda progress: None
) -> Outcome:
    """Train, sample and score one model.

    Never raises for what a plugin does: the record then has status "error" and says what happened.
    """
    torch.set_num_threads(resources.threads)
    record = RunRecord(
        run_id=spec.run_id,
        spec=spec,
        status="ok",
        threads=resources.threads,
        contended=resources.contended,
        started_at=datetime.now(UTC),
        environment=environment(),
    )
    outcome = Outcome(record)
    try:
        _execute(spec, outcome, on_progress)
    except Exception as error:
        record.status = "error"
        record.error = f"{type(error).__name__}: {error}"
        record.traceback = traceback.format_exc()
    return outcome


def _execute(spec: RunSpec, outcome: Outcome, on_progress: Callable[[Progress], None]) -> None:
    record = outcome.record
    registry = installed()
    device = torch.device(spec.device)
    task = load_task(registry.tasks.get(spec.task))
    entry = registry.models.get(spec.model)

    torch.manual_seed(derive(spec.seed, "initialisation"))
    model = build(entry, task.shape, spec.config).to(device).to(memory_format=torch.channels_last)
    record.params = sum(w.numel() for w in model.parameters() if w.requires_grad)

    def report(share: float, training: Training) -> None:
        speed = training.meter.images / training.meter.seconds
        on_progress(Progress(share, speed, training.losses))

    task.judge.to(device)
    curve = Curve(model, task, spec.seed)
    torch.manual_seed(derive(spec.seed, "training"))
    stream = Stream(task.train.data, spec.seed, device)
    marks = MARKS if "fid" in spec.metrics else ()
    budget = Budget.parse(spec.budget)
    training = train(
        model, stream, budget, precision=spec.precision_mode, on_progress=report, marks=marks, on_mark=curve.add
    )
    _note_training(record, training)
    record.curve = curve.points
    outcome.files[".safetensors"] = save({k: v.contiguous() for k, v in model.state_dict().items()})
    if training.diverged:
        record.status, record.error = "diverged", training.diverged
        return

    start = time.perf_counter()
    torch.manual_seed(derive(spec.seed, "sampling"))
    generated = draw_stored(model, task.samples)
    if generated is None:
        record.status, record.error = "diverged", "samples are infinite or NaN"
        return
    outcome.files[".png"] = sheet(generated[:64] if len(task.shape) == 3 else generated, task)
    _score(record, task, generated, [registry.metrics.get(name).spec for name in spec.metrics])
    record.throughput |= sampling(model)
    if curve.points:
        _score_curve(record, task, model, curve)
    record.evaluate_seconds = curve.seconds + time.perf_counter() - start
    record.throughput["peak_memory_mb"] = peak_memory_mb(device)


def _note_training(record: RunRecord, training: Training) -> None:
    meter = training.meter
    record.images, record.steps, record.updates = meter.images, meter.steps, meter.updates
    record.train_seconds, record.flops = meter.seconds, meter.flops
    record.losses, record.history = training.losses, training.history
    record.throughput["train_images_per_s"] = training.images_per_s


def _score(record: RunRecord, task: Task, generated: Tensor, metrics: list[MetricSpec]) -> None:
    evaluation = Evaluation(task, generated)
    for metric in metrics:
        try:
            record.metrics |= _checked(metric, metric.load()(evaluation))
        except Exception as error:
            record.metric_errors[metric.name] = f"{type(error).__name__}: {error}"
            print(f"metric {metric.name!r} failed:\n{traceback.format_exc()}", file=sys.stderr)


def _checked(metric: MetricSpec, result: Any) -> dict[str, float]:
    known = {column.name for column in metric.columns}
    if not isinstance(result, dict) or not result.keys() <= known:
        raise PluginError(f"metric {metric.name!r} must return a dict with keys among {', '.join(sorted(known))}")
    return {name: float(value) for name, value in result.items()}


def _score_curve(record: RunRecord, task: Task, model: GenerativeModel, curve: Curve) -> None:
    """Note the area under the curve, and score the best checkpoint, chosen on validation, against the test split."""
    record.metrics["fid_auc"] = curve.area()
    if not curve.best_is_last:
        model.load_state_dict(curve.best)
        torch.manual_seed(derive(record.spec.seed, "sampling"))
        generated = draw_stored(model, task.samples)
        if generated is not None:
            best = Evaluation(task, generated)
            record.metrics["fid_best"] = frechet_distance(best.features_generated, best.features_real)
    elif "fid" in record.metrics:
        record.metrics["fid_best"] = record.metrics["fid"]

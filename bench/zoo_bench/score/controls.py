"""Controls: sets of items of known quality, scored by the same judge and metrics as the models.

A metric that ranks them wrongly does not measure what it claims; a model that scores like one of them behaves like it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo.registry import installed
from zoo.task import Task
from zoo.version import __version__
from zoo_bench.core.keyed import read_keyed, write_keyed
from zoo_bench.core.names import file_name
from zoo_bench.core.processes import run_in_subprocess
from zoo_bench.data.loading import load_task
from zoo_bench.plan.spec import RunSpec
from zoo_bench.score.scoring import score

SEED = 0
Scores = dict[str, dict[str, float]]


def samples(task: Task) -> dict[str, Tensor]:
    """Return the controls as a model's samples would be, up to ``task.samples`` items each, drawn with a fixed seed.

    ``real``: the validation split, which nothing was trained on. ``copy``: training items. ``half-modes`` and
    ``one-mode``: training items of the first modes only, where modes are known. ``noise``: uniform over the range of
    the training data.
    """
    generator = torch.Generator().manual_seed(SEED)

    def subset(data: Tensor) -> Tensor:
        return data[torch.randperm(len(data), generator=generator)[: task.samples]]

    train, modes = task.train.data, task.train.modes
    controls = {"real": subset(task.validation.data), "copy": subset(train)}
    if modes is not None and task.modes:
        controls["half-modes"] = subset(train[modes < task.modes // 2])
        controls["one-mode"] = subset(train[modes == 0])
    return {**controls, "noise": _noise(task, generator)}


def _noise(task: Task, generator: torch.Generator) -> Tensor:
    size = (task.samples, *task.shape)
    if task.train.data.dtype == torch.uint8:
        return torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    low, high = torch.aminmax(task.train.data, dim=0)
    return low + (high - low) * torch.rand(size, generator=generator)


def compute(spec: RunSpec) -> Scores:
    """Score every control of a run's task with the run's metrics: ``{control: {column: value}}``."""
    registry = installed()
    task = load_task(registry.tasks.get(spec.task))
    metrics = [registry.metrics.get(name).spec for name in spec.metrics]
    reference = Reference(task)
    return {name: score(Evaluation(task, data, reference), metrics).values for name, data in samples(task).items()}


def score_controls(root: Path, specs: Iterable[RunSpec], timeout: float | None) -> dict[str, Scores]:
    """Return the controls of every task among the runs, scored once per folder and kept in ``controls/<task>.json``.

    Scoring happens in a process of its own, ended as hung after ``timeout`` seconds. A task whose controls cannot be
    scored is named on stderr and left out.
    """
    scores_by_task: dict[str, Scores] = {}
    for task, spec in {spec.task: spec for spec in specs}.items():
        key = {
            "task": task,
            "task_version": spec.task_version,
            "judge": spec.judge,
            "metrics": spec.metrics,
            "zoo_version": __version__,
        }
        path = root / "controls" / f"{file_name(task)}.json"
        stored = read_keyed(path, key)
        scores = stored["controls"] if stored else None
        if scores is None:
            try:
                scores = run_in_subprocess(compute, spec, timeout=timeout)
            except ZooError as error:
                print(f"controls of {task} could not be scored: {error}", file=sys.stderr)
                continue
            write_keyed(path, key, {"controls": scores})
        scores_by_task[task] = scores
    return scores_by_task

"""Controls: sets of items of known quality, scored by the same judge and metrics as the models.

A metric that ranks them wrongly does not measure what it claims; a model that scores like one of them behaves like it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo.files import write_atomically
from zoo.registry import installed
from zoo.task import Split, Task
from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.keyed import read_keyed, write_keyed
from zoo_bench.core.names import file_name, real_sheet_path
from zoo_bench.data.loading import load_task
from zoo_bench.judges.panel import Panel
from zoo_bench.plan.record import SCORES, Score, stored_scores
from zoo_bench.plan.scoring import ScorePlan
from zoo_bench.score.scoring import score
from zoo_bench.score.sheets import real_sheet

SEED = 0
VERSION = "1"
"""Changes whenever the controls do."""


def samples(task: Task) -> dict[str, Split]:
    """Return the controls as a model's samples would be, up to ``task.samples`` items each, drawn with a fixed seed.

    They have the classes of their items; noise has none.

    ``real``: the validation split, which nothing was trained on. ``copy``: training items. ``half-modes`` and
    ``one-mode``: training items of the first modes only, where modes are known. ``noise``: uniform over the range of
    the training data.
    """
    generator = torch.Generator().manual_seed(SEED)

    def subset(split: Split) -> Split:
        return split.at(torch.randperm(len(split), generator=generator)[: task.samples])

    modes = task.train.modes
    controls = {"real": subset(task.validation), "copy": subset(task.train)}
    if modes is not None and task.modes:
        controls["half-modes"] = subset(task.train.at(modes < task.modes // 2))
        controls["one-mode"] = subset(task.train.at(modes == 0))
    return {**controls, "noise": Split(_noise(task, generator))}


def _noise(task: Task, generator: torch.Generator) -> Tensor:
    size = (task.samples, *task.shape)
    if task.train.data.dtype == torch.uint8:
        return torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    low, high = torch.aminmax(task.train.data, dim=0)
    return low + (high - low) * torch.rand(size, generator=generator)


class Scores(NamedTuple):
    """Scores of the controls of a task.

    Attributes:
        scores: By control and metric.
        few: Number of items of every control that has fewer than a model has samples.
        sheet: The sheet of real items, to be seen beside those of models.
    """

    scores: dict[str, dict[str, Score]]
    few: dict[str, int]
    sheet: bytes


def compute(task_name: str, names: Sequence[str], panel: Panel | None) -> Scores:
    """Score every control of a task with some metrics."""
    registry = installed()
    entry = registry.tasks.get(task_name)

    def load() -> Task:
        task = load_task(entry)
        return panel.seated(entry.spec, task) if panel else task

    task = load()
    metrics = [registry.metrics.get(name) for name in names]
    reference = Reference(task)
    controls = samples(task)
    return Scores(
        {
            name: score(Evaluation(task, items.data, reference, items.modes), metrics, load).scores
            for name, items in controls.items()
        },
        {name: len(items) for name, items in controls.items() if len(items) < task.samples},
        real_sheet(task),
    )


def score_controls(root: Path, plans: Mapping[str, ScorePlan], panel: Panel | None, timeout: float | None) -> None:
    """Score the controls of some tasks, and keep them in ``controls/<task>.json``; what is there is not scored again.

    Beside them is ``<task>.png``, the sheet of real items.

    Metrics on request, which may take as long for each control as for a model, are not computed. Scoring happens in a
    process of its own. A task whose controls cannot be scored is named on stderr and left out.

    Args:
        root: The bench's folder.
        plans: By task, how its runs are scored.
        panel: The judges beside the tasks' own.
        timeout: Seconds without a sign of progress after which scoring a task counts as hung; None: never.
    """
    for task, plan in plans.items():
        key = {"task": task, "task_version": plan.task_version, "judge": plan.judge, "version": VERSION}
        path = root / "controls" / f"{file_name(task)}.json"
        try:
            scores = stored_scores(read_keyed(path, key) or {})
        except ValueError:
            scores = {}
        known = next(iter(scores.values()), {})
        metrics = [name for name in plan.wanted if not installed().metrics.get(name).spec.on_request]
        missing = [name for name in metrics if name not in known or not known[name].has_key_of(plan.keys[name])]
        if not missing:
            continue
        try:
            computed = run_in_subprocess(compute, task, missing, panel, timeout=timeout)
        except ZooError as error:
            print(f"controls of {task} could not be scored: {error}", file=sys.stderr)
            continue
        merged = {name: {**scores.get(name, {}), **found} for name, found in computed.scores.items()}
        write_atomically(real_sheet_path(root, task), computed.sheet)
        write_keyed(path, key, {"scores": json.loads(SCORES.dump_json(merged)), "few": computed.few})

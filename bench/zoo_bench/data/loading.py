"""A task's data and judge, loaded and checked against its spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.catalogue import Entry
from zoo.errors import PluginError, UnknownNameError, ZooError, error_sentence, reraise_ctrl_c
from zoo.specs import TaskSpec

if TYPE_CHECKING:
    from zoo.task import Split, Task


def load_task(entry: Entry[TaskSpec]) -> Task:
    """Load a task's data and judge.

    Raises:
        DataError: If files are absent; the message says which file goes where.
        PluginError: If the loader fails otherwise, or what it returns contradicts its spec.
    """
    from torch import Tensor

    from zoo.task import Split, Task

    spec = entry.spec
    try:
        task = entry.load()()
    except UnknownNameError as error:
        raise PluginError(f"task {spec.name!r} of {entry.plugin} cannot be loaded: {error}") from error
    except ZooError:
        raise
    except BaseException as error:
        reraise_ctrl_c(error)
        message = f"task {spec.name!r} of {entry.plugin} cannot be loaded: {error_sentence(error)}"
        raise PluginError(message) from error
    if not isinstance(task, Task):
        raise PluginError(f"target of task {spec.name!r} of {entry.plugin} must return a zoo.Task, got {task!r}")
    for name, split in _splits(task).items():
        if not isinstance(split, Split) or not isinstance(split.data, Tensor):
            raise PluginError(f"task {spec.name!r} of {entry.plugin} must have a zoo.Split with a tensor for {name}")
    if task.shape != spec.shape or task.modes != spec.modes:
        raise PluginError(
            f"task {spec.name!r} of {entry.plugin} says shape {spec.shape} with {spec.modes} modes, "
            f"but loads shape {task.shape} with {task.modes} modes"
        )
    return task


STORED = {"images": "(N, C, H, W) uint8 from 0 to 255", "points": "(N, D) float32"}
"""How items are stored, by their kind."""
JUDGED_ITEMS = 64
"""Test items on which a judge is tried before anything is trained."""


def check_task(entry: Entry[TaskSpec], task: Task) -> None:
    """Check that a task can score anything, before a model is trained on it.

    Raises:
        PluginError: If a split is empty or not in the form in which items are stored, the test split is the training
            split, or the judge does not return one row of finite features for each item.
    """
    import torch

    whose = f"task {entry.spec.name!r} of {entry.plugin}"
    for name, split in _splits(task).items():
        if not len(split):
            raise PluginError(f"{whose} has an empty {name} split")
        if fault := _fault(split, entry.spec):
            raise PluginError(f"the {name} split of {whose} has {fault}")
    if torch.equal(task.test.data, task.train.data):
        raise PluginError(f"{whose} has the same items for training and test: a model that copies them would be best")
    try:
        features = task.judge.features(task.test.data[:JUDGED_ITEMS])
    except BaseException as error:
        reraise_ctrl_c(error)
        raise PluginError(f"{whose} has a judge that fails: {error_sentence(error)}") from error
    judged = min(JUDGED_ITEMS, len(task.test))
    if not isinstance(features, torch.Tensor) or features.dim() != 2 or len(features) != judged:
        got = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features).__name__
        raise PluginError(f"{whose} has a judge that returns {got} for {judged} items, not ({judged}, F) features")
    if not torch.isfinite(features).all():
        raise PluginError(f"{whose} has a judge whose features of real items are infinite or NaN")


def _splits(task: Task) -> dict[str, Split]:
    return {"training": task.train, "validation": task.validation, "test": task.test}


def _fault(split: Split, spec: TaskSpec) -> str:
    """Say what a split has instead of items and modes in the form in which they are stored, or return ""."""
    import torch

    data, modes = split.data, split.modes
    dtype, dimensions = (torch.uint8, 4) if spec.data == "images" else (torch.float32, 2)
    if data.dtype != dtype or data.dim() != dimensions or data.shape[1:] != spec.shape:
        return f"{data.dtype} of shape {tuple(data.shape)}, but {spec.data} are stored as {STORED[spec.data]}"
    if data.is_floating_point() and not torch.isfinite(data).all():
        return "items that are infinite or NaN"
    if modes is None:
        return ""
    if not isinstance(modes, torch.Tensor) or modes.dtype != torch.int64 or modes.shape != (len(data),):
        return f"modes that are not a tensor of shape ({len(data)},) int64"
    if spec.modes and not 0 <= modes.min() <= modes.max() < spec.modes:
        return f"modes from {modes.min()} to {modes.max()}, but the {spec.modes} modes are 0 to {spec.modes - 1}"
    return ""

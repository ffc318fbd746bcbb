"""A task's data and judge, loaded and checked against its spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.catalogue import Entry
from zoo.errors import PluginError, UnknownNameError, ZooError, error_sentence, reraise_ctrl_c
from zoo.specs import TaskSpec

if TYPE_CHECKING:
    from zoo.task import Task


def load_task(entry: Entry[TaskSpec]) -> Task:
    """Load a task's data and judge.

    Raises:
        DataError: If files are absent; the message says which file goes where.
        PluginError: If the loader fails otherwise, or what it returns contradicts its spec.
    """
    from zoo.task import Task

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
    if task.shape != spec.shape or task.modes != spec.modes:
        raise PluginError(
            f"task {spec.name!r} of {entry.plugin} says shape {spec.shape} with {spec.modes} modes, "
            f"but loads shape {task.shape} with {task.modes} modes"
        )
    return task


JUDGED_ITEMS = 64
"""Test items on which a judge is tried before anything is trained."""


def check_task(entry: Entry[TaskSpec], task: Task) -> None:
    """Check that a task can score anything, before a model is trained on it.

    Raises:
        PluginError: If a split is empty, the test split is the training split, or the judge has no finite features.
    """
    import torch

    whose = f"task {entry.spec.name!r} of {entry.plugin}"
    for name, split in {"training": task.train, "validation": task.validation, "test": task.test}.items():
        if not len(split):
            raise PluginError(f"{whose} has an empty {name} split")
    if torch.equal(task.test.data, task.train.data):
        raise PluginError(f"{whose} has the same items for training and test: a model that copies them would be best")
    try:
        features = task.judge.features(task.test.data[:JUDGED_ITEMS])
    except BaseException as error:
        reraise_ctrl_c(error)
        raise PluginError(f"{whose} has a judge that fails: {error_sentence(error)}") from error
    if not torch.isfinite(features).all():
        raise PluginError(f"{whose} has a judge whose features of real items are infinite or NaN")

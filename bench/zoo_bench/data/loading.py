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

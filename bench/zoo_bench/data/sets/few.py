"""Few items of another task, as where data are scarce: ``few:mnist?fraction=0.05&draw=3``."""

from __future__ import annotations

import dataclasses
import math
import re

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.registry import installed
from zoo.specs import TaskSpec
from zoo.task import Split, Task
from zoo_bench.data.loading import load_task
from zoo_bench.data.options import parse_options

USAGE = "write few:TASK?fraction=0.05&draw=3"
_RESULT_NAME = re.compile(r"@(?P<task>.+)-(?P<fraction>[0-9.]+)-(?P<draw>\d+)")
MAX_DRAW = 2**63 - 1


def variant(spec: TaskSpec, text: str) -> TaskSpec:
    """Return the spec of few items of a task: ``:TASK?fraction=F&draw=D`` in commands, ``@TASK-F-D`` in results.

    Raises:
        ZooError: If the text is not understood, there is no such task, it has parameters of its own, or the
            fraction is below a millionth or above 1.
    """
    match = _RESULT_NAME.fullmatch(text)
    if match:
        name, options = match["task"], {"fraction": match["fraction"], "draw": match["draw"]}
    else:
        name, _, option_text = text.removeprefix(":").partition("?")
        options = parse_options(option_text, ["fraction", "draw"])
    if not (match or text.startswith(":")) or not name or "fraction" not in options:
        raise ZooError(f"task {spec.name + text!r} does not say how few items of which task: {USAGE}")
    fraction, draw = _fraction(options["fraction"]), options.get("draw", "0")
    if not draw.isdecimal() or int(draw) > MAX_DRAW:
        raise ZooError(f"draw={draw} of task {spec.name!r} must be a whole number from 0 to 2^63 - 1")
    whole = installed().tasks.get(name).spec
    if not whole.shape or whole.argument:
        raise ZooError(f"task {spec.name + text!r} must be of a task without parameters: {USAGE}")
    argument = f"{whole.name}-{fraction}-{int(draw)}"
    return dataclasses.replace(
        whole,
        name=f"{spec.name}@{argument}",
        target=spec.target,
        summary=f"A share of {fraction} of the training split of {whole.name}.",
        version=f"{spec.version}-{whole.version}",
        takes=spec.takes,
        variants=spec.variants,
        argument=argument,
    )


def few(argument: str = "") -> Task:
    """Load a task with a share of its training split; its other splits, its judge and its modes are the whole task's.

    Args:
        argument: Name of the task, fraction and draw, as in "mnist-0.05-3".

    Raises:
        ZooError: If it names none; else as :func:`zoo_bench.data.loading.load_task`.
    """
    if not argument:
        raise ZooError(f"task 'few' names no task: {USAGE}")
    name, fraction, draw = argument.rsplit("-", 2)
    task = load_task(installed().tasks.get(name))
    return dataclasses.replace(task, train=task.train.at(chosen(task.train, float(fraction), int(draw))))


def chosen(split: Split, fraction: float, draw: int) -> Tensor:
    """Draw a share of every class, rounded, at least one item of each; of all items where classes are unknown.

    Args:
        split: N items.
        fraction: The share, above 0 to 1. Of two of one draw, the smaller is part of the larger.
        draw: The seed.

    Returns:
        Indices, ascending, (n,) int64.
    """
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(draw))
    classes = torch.zeros(len(split), dtype=torch.int64) if split.modes is None else split.modes
    groups = [order[classes[order] == k] for k in classes.unique()]
    return torch.cat([group[: max(1, round(fraction * len(group)))] for group in groups]).sort().values


def _fraction(text: str) -> str:
    """Return a fraction as names have it: decimal, without needless digits."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1e-6 <= value <= 1:
        raise ZooError(f"a fraction must be a number from 0.000001 to 1, got {text!r}")
    return f"{value:.6f}".rstrip("0").rstrip(".")

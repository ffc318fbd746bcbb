"""Judges that are selected by name, for tasks that have no judge with classes."""

from __future__ import annotations

from collections.abc import Callable

from zoo.errors import UnknownNameError
from zoo.task import Judge, Task
from zoo_bench.judges.inception import InceptionJudge
from zoo_bench.judges.pretrained import PretrainedJudge
from zoo_bench.judges.random_conv import RandomJudge

JUDGES: dict[str, Callable[[int], Judge]] = {
    RandomJudge.NAME: RandomJudge,
    PretrainedJudge.NAME: lambda channels: PretrainedJudge(),
    InceptionJudge.NAME: lambda channels: InceptionJudge(),
}
"""By name, a function from the number of image channels to a judge."""


def check_judge(name: str) -> None:
    """Raise for a name that :func:`named_judge` does not know; "" means the default.

    Raises:
        UnknownNameError: If there is no such judge.
    """
    if name and name not in JUDGES:
        raise UnknownNameError("judge", name, JUDGES)


def named_judge(name: str, channels: int) -> Judge:
    """Return a judge without modes: "random-conv", the default, "efficientnet-lite0" or "inception-v3-compat".

    Raises:
        ZooError: If there is no such judge, or its packages or weights are absent.
    """
    check_judge(name)
    return JUDGES[name or RandomJudge.NAME](channels)


def judge_name(name: str, task: Task) -> str:
    """Return "NAME@first 8 hex digits of its hash" of the task's judge."""
    return f"{task.judge.name}@{task.judge.sha256[:8]}"

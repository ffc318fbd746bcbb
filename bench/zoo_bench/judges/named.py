"""Judges that are selected by name: by tasks without a judge of classes, and by metrics with a judge of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable

from zoo.errors import UnknownNameError, ZooError
from zoo.task import Judge, Task
from zoo_bench.judges import PANEL
from zoo_bench.judges.inception import InceptionJudge, inception_sha256
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
    """Return the judge that results of a task name: its name and the first 8 hex digits of its hash.

    Args:
        name: ``MetricSpec.judge``: "" is the task's judge, "panel" that and those beside it; one that :data:`JUDGES`
            does not know is a plugin's own.
        task: The task.

    Returns:
        ``"NAME@HASH"``, several with " and ", or only the name where its hash is not known: the judge is a plugin's
        own, or its packages or weights are not on this machine.
    """
    if name == PANEL:
        return " and ".join(f"{judge.name}@{judge.sha256[:8]}" for judge in (task.judge, *task.panel))
    sha256 = _sha256(name, task.shape[0]) if name else task.judge.sha256
    name = name or task.judge.name
    return f"{name}@{sha256[:8]}" if sha256 else name


def _sha256(name: str, channels: int) -> str:
    return inception_sha256() if name == InceptionJudge.NAME else _built_sha256(name, channels)


@functools.cache
def _built_sha256(name: str, channels: int) -> str:
    try:
        return JUDGES[name](channels).sha256 if name in JUDGES else ""
    except ZooError:
        return ""

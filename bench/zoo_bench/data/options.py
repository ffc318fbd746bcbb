"""Options that may follow a task's name: ``cifar10?judge=efficientnet-lite0``, ``folder:PATH?size=32&grey=1``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from urllib.parse import unquote

from zoo.errors import UnknownNameError, ZooError
from zoo.specs import TaskSpec


def parse_options(text: str, names: Iterable[str]) -> dict[str, str]:
    """Read ``size=32&grey=1``.

    Raises:
        ZooError: If it has another form, or has an option twice or one that is not in ``names``.
    """
    options: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, equals, value = part.partition("=")
        if not equals or name in options:
            raise ZooError(f"options {text!r} of a task must have the form NAME=VALUE&NAME=VALUE, each name once")
        if name not in names:
            raise UnknownNameError("option of a task", name, names)
        options[name] = unquote(value)
    return options


def with_judge(spec: TaskSpec, text: str) -> TaskSpec:
    """Return the spec of a task with another judge: ``?judge=NAME`` in commands, ``@NAME`` in results.

    Raises:
        ZooError: If there is no such judge.
    """
    from zoo_bench.judges.named import check_judge

    judge = text[1:] if text.startswith("@") else parse_options(text[1:], ["judge"]).get("judge", "")
    check_judge(judge)
    return dataclasses.replace(spec, name=f"{spec.name}@{judge}", argument=judge) if judge else spec

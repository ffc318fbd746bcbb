"""The conformance kit: what every model, task and metric must do, as checks that say what to change.

In a plugin's tests::

    import zoo.testing

    @zoo.testing.parametrize_with_checks(["my-model"])
    def test_conforms(check):
        check()

On the command line: ``zoo check my-model``. The checks play the game with a loop of their own, so that they examine the
contract and not a harness.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zoo.registry import installed
from zoo.specs import MetricSpec, TaskSpec
from zoo.testing import description, players, sampling, surroundings  # noqa: F401 - their rules register themselves
from zoo.testing.check import RULES, Check, CheckFailed, Examined, NotExamined, Rule, Subjects, general
from zoo.testing.metrics import METRIC_RULES, MetricSubject
from zoo.testing.tasks import TASK_RULES, TaskSubject

if TYPE_CHECKING:
    import pytest

__all__ = [
    "METRIC_RULES",
    "RULES",
    "TASK_RULES",
    "Check",
    "CheckFailed",
    "NotExamined",
    "Rule",
    "checks_for",
    "parametrize_with_checks",
]


def checks_for(name: str) -> list[Check]:
    """Return all checks of an installed model, task or metric; each is a function without arguments.

    Raises:
        UnknownNameError: If no plugin provides it.
    """
    entry = installed().find(name)
    subjects: Examined
    if isinstance(entry.spec, TaskSpec):
        rules, subjects = general() + TASK_RULES, TaskSubject(entry)
    elif isinstance(entry.spec, MetricSpec):
        rules, subjects = general() + METRIC_RULES, MetricSubject(entry)
    else:
        rules, subjects = RULES, Subjects(entry)
    return [Check(rule, subjects) for rule in rules]


def parametrize_with_checks(names: Iterable[str]) -> pytest.MarkDecorator:
    """Run a pytest function with an argument ``check`` once per check and name.

    Args:
        names: Names of installed models, tasks and metrics.
    """
    import pytest

    checks = [check for name in names for check in checks_for(name)]
    return pytest.mark.parametrize("check", checks, ids=str)

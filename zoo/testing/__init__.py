"""The conformance kit: what every model must do, as checks that say what to change.

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
from zoo.testing import description, players, sampling, surroundings  # noqa: F401 - their rules register themselves
from zoo.testing.check import RULES, Check, CheckFailed, Rule, Subjects

if TYPE_CHECKING:
    import pytest

__all__ = ["RULES", "Check", "CheckFailed", "Rule", "checks_for", "parametrize_with_checks"]


def checks_for(name: str) -> list[Check]:
    """Return all checks of an installed model; each is a function without arguments that raises if it fails.

    Raises:
        UnknownNameError: If no plugin provides such a model.
    """
    subjects = Subjects(installed().models.get(name))
    return [Check(rule, subjects) for rule in RULES]


def parametrize_with_checks(models: Iterable[str]) -> pytest.MarkDecorator:
    """Run a pytest function with an argument ``check`` once per check and model.

    Args:
        models: Names of installed models.
    """
    import pytest

    checks = [check for name in models for check in checks_for(name)]
    return pytest.mark.parametrize("check", checks, ids=str)

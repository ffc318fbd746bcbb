"""Rules of the contract, and checks: rules applied to one model, task or metric."""

from __future__ import annotations

import traceback
import unittest
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import torch

from zoo.catalogue import Entry
from zoo.errors import DataError, error_sentence, reraise_ctrl_c
from zoo.settings import restored
from zoo.specs import ModelSpec
from zoo.testing.subject import CANDIDATES, Failure, Subject, accepted

LIBRARY_PATHS = (
    "/zoo/testing/", "/zoo/model.py", "/torch/", "/pydantic/", "/safetensors/", "/copy.py", "<frozen", "<string>",
)  # fmt: skip
"""Parts of file names that are not the plugin's: errors are located outside of them."""


class NotExamined(unittest.SkipTest):
    """A check that another one's failure decides already; pytest shows it as skipped."""


class CheckFailed(AssertionError):  # noqa: N818 - as pytest's own
    """A check's failure: what was found, and what to do about it, in one sentence."""


@dataclass(frozen=True)
class Rule:
    """One claim about every model, every task or every metric.

    Attributes:
        name: A few words with hyphens.
        claim: What holds for everything that passes.
        advice: What to do if it does not hold.
        examine: Raises if the claim does not hold for the subject.
        once: Whether the claim is about the plugin, and not about items of one shape.
        of: All rules of its kind.
    """

    name: str
    claim: str
    advice: str
    examine: Callable[[Any], None]
    once: bool
    of: list[Rule] = field(repr=False, compare=False)

    @property
    def foundations(self) -> list[Rule]:
        """Those of its kind that have to hold for this one to mean anything."""
        if self.once or self.name in INDEPENDENT:
            return []
        found = [rule for rule in self.of if rule.name in FOUNDATIONS]
        return found[: found.index(self)] if self in found else found


FOUNDATIONS = ("players-named", "losses-scalar", "sample-shape", "as-declared", "columns-as-declared")
"""Rules without which no other has a meaning: one cause is then one failure, and not thirty."""

INDEPENDENT = ("version", "columns-described", "needs-known")
"""Rules about a spec alone."""

RULES: list[Rule] = []


def rule(
    advice: str, *, once: bool = False, of: list[Rule] = RULES
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Make a rule of a function: its name is the rule's and its docstring the claim."""

    def add(function: Callable[[Any], None]) -> Callable[[Any], None]:
        name, claim = function.__name__.replace("_", "-"), (function.__doc__ or "").rstrip(".")
        of.append(Rule(name, claim, advice, function, once, of))
        return function

    return add


def general() -> list[Rule]:
    """Return those of the rules for models that hold for tasks and metrics as well."""
    names = ("summary", "spec-pickles", "lazy-import", "import-changes-no-settings", "import-prints-nothing")
    return [rule for rule in RULES if rule.name in names]


class Examined(Protocol):
    """The model, task or metric that checks examine, one subject at a time."""

    @property
    def name(self) -> str:
        """The name of the model, task or metric."""
        ...

    def subjects(self, rule: Rule) -> list[tuple[Any, str]]:
        """Return what the rule examines, each with a phrase for messages that says on which items."""
        ...


class Subjects:
    """The subjects of one model, built when a check first needs them."""

    def __init__(self, entry: Entry[ModelSpec]) -> None:
        self.entry = entry

    @property
    def name(self) -> str:
        """The model's name."""
        return self.entry.spec.name

    def subjects(self, rule: Rule) -> list[tuple[Subject, str]]:
        """See :class:`Examined`."""
        return [(self.one, "")] if rule.once else [(each, f" (items of shape {each.shape})") for each in self.each]

    @cached_property
    def one(self) -> Subject:
        """The model, whatever the shape."""
        return Subject(self.entry, CANDIDATES[self.entry.spec.data[0]][0])

    @cached_property
    def each(self) -> list[Subject]:
        """The model for one small shape of every kind of data that it declares."""
        with restored():
            subjects = [Subject(self.entry, shape) for shape in accepted(self.entry)]
        if len(subjects) < len(self.entry.spec.data):
            raise Failure(f"the model refuses every usual shape of {' or '.join(self.entry.spec.data)}")
        return subjects


@dataclass(frozen=True)
class Check:
    """A rule applied to one model, task or metric; call it: it raises :class:`CheckFailed` if the rule is broken."""

    rule: Rule
    subjects: Examined

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.rule.name

    @property
    def about(self) -> str:
        """The name of the model, task or metric."""
        return self.subjects.name

    def __str__(self) -> str:
        return f"{self.about}-{self.name}"

    def __call__(self) -> None:
        """Examine, and leave torch's settings and global generator as they were.

        Raises:
            CheckFailed: If the rule is broken.
            NotExamined: If a rule is broken without which this one means nothing.
            DataError: If the data of a task are not there.
        """
        for foundation in self.rule.foundations:
            if Check(foundation, self.subjects)._problem():
                raise NotExamined(f"not examined, because {foundation.name} fails")
        if problem := self._problem():
            raise CheckFailed(problem[0]) from problem[1]

    def _problem(self) -> tuple[str, BaseException | None] | None:
        """Return what is wrong and the exception that it comes from, worked out once; None if the rule holds."""
        known: dict[str, Any] = vars(self.subjects).setdefault("_problems", {})
        if self.name not in known:
            known[self.name] = self._examine()
        return known[self.name]

    def _examine(self) -> tuple[str, BaseException | None] | None:
        items = ""
        try:
            for subject, items in self.subjects.subjects(self.rule):  # noqa: B007 - used in messages
                with restored():
                    torch.set_num_threads(1)  # these models are small: more threads only wait for each other
                    self.rule.examine(subject)
        except Failure as failure:
            return f"{failure}{items}: {self.rule.advice}", None
        except DataError:
            raise
        except BaseException as error:
            reraise_ctrl_c(error)
            return f"{_sentence(error)}{items}: {self.rule.advice}", error
        return None


def _sentence(error: BaseException) -> str:
    """Return the error and the last line of its traceback that is not in this kit or a library."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _foreign(f.filename)]
    at = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    kind, _, first = error_sentence(error).partition(": ")
    return f"{kind}{at}: {first.rstrip('.')}" if first else f"{kind}{at}"


def _foreign(filename: str) -> bool:
    parts = filename.replace("\\", "/")
    return any(part in parts for part in LIBRARY_PATHS)

"""What hooks return: small frozen descriptions whose ``target`` is imported only when it is used.

Listing fifty plugins therefore costs no import of torch.
"""

from __future__ import annotations

import functools
import importlib
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from zoo.columns import Column
from zoo.data import absent
from zoo.errors import FAILURES, PluginError, UnknownNameError, ZooError, error_sentence

Data = Literal["images", "points"]

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
"""The form of the names of models, tasks and everything else that plugins provide."""
MAX_NAME_CHARACTERS = 100
_VARIANT = re.compile(rf"{NAME.pattern}(@[a-z0-9._+-]+)?")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every description has.

    Attributes:
        name: Lower-case letters, digits, ``.``, ``_`` and ``-``, at most 100; unique among installed plugins.
        target: ``"module:attribute"``, imported on first use.
        summary: One line for listings.

    Raises:
        ValueError: If ``name`` or ``target`` has another form, or the name is longer.
    """

    name: str
    target: str
    summary: str

    _form: ClassVar[re.Pattern[str]] = NAME

    def __post_init__(self) -> None:
        if not self._form.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} must be lower-case letters, digits, '.', '_' or '-'")
        if len(self.name) > MAX_NAME_CHARACTERS:
            begin, limit = self.name[:20], MAX_NAME_CHARACTERS
            raise ValueError(f"name {begin!r}... must have at most {limit} characters, got {len(self.name)}")
        if not _TARGET.fullmatch(self.target):
            raise ValueError(f"target {self.target!r} of {self.name!r} must have the form 'module:attribute'")

    def load(self) -> Any:
        """Import and return the target."""
        return _import(self.target)


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A generative model; ``target`` is a :class:`zoo.GenerativeModel` subclass.

    Attributes:
        family: The field's word for its kind: "gan", "vae", "flow", "diffusion", ...
        data: What it can model. On a task of another kind the harness says that it does not apply.
        paper: Authors, title, venue and year.
        url: Where the paper is.
        loss: What each player minimises, in one sentence, for the model's card.
        failure_modes: What is known to go wrong with it and when, in one or two sentences, for the model's card.
        conditional: Whether it can be given labels: its settings are a :class:`zoo.ConditionalConfig`.
    """

    family: str = ""
    data: tuple[Data, ...] = ("images", "points")
    paper: str = ""
    url: str = ""
    loss: str = ""
    failure_modes: str = ""
    conditional: bool = False


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Spec):
    """A data set and how it is judged; ``target`` is a function without arguments that returns a :class:`zoo.Task`.

    A task may take parameters: ``folder:PATH?size=32``. Then ``variants`` turns what follows the name into the spec of
    one such task, and ``target`` is called with its ``argument``. It has a name of its own, such as
    ``folder@cats-32-1f3a``, which is part of results and file names, and which ``variants`` must understand as well,
    from what this machine keeps alone: whoever reads results resolves it.

    Attributes:
        data: "images" (N, C, H, W) or "points" (N, D).
        shape: One item: (C, H, W) or (D,); empty if the task means nothing without its parameters.
        modes: Number of known modes (classes, mixture components); 0 if unknown.
        version: Changes whenever data or splits do; rows of different versions are never compared. Judges have hashes.
        needs: What must be there beforehand, for listings; empty if nothing.
        files: The files it reads, relative to the data root, so that a listing can say whether they are there.
        instead: What serves as well if all of it is there, such as the files' archives.
        takes: What may follow the name, for messages, as in ":PATH?size=32"; empty if nothing.
        variants: ``"module:function"`` from this spec and what follows the name to the spec that both mean.
        argument: What ``target`` is called with; empty: with nothing.
    """

    data: Data
    shape: tuple[int, ...]
    modes: int
    version: str
    needs: str = ""
    files: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    takes: str = ""
    variants: str = ""
    argument: str = ""

    _form = _VARIANT

    def load(self) -> Any:
        """Import the target and return the function without arguments."""
        target = super().load()
        return functools.partial(target, self.argument) if self.argument else target

    def variant(self, text: str) -> TaskSpec:
        """Return the spec that the name with ``text`` after it means.

        Raises:
            ZooError: If the text is not understood, or its data are unusable.
            PluginError: If ``variants`` fails otherwise.
        """
        try:
            spec: TaskSpec = _import(self.variants)(self, text)
        except ZooError:
            raise
        except FAILURES as error:
            message = f"task {self.name + text!r} cannot be resolved: {error_sentence(error)}"
            raise PluginError(message) from error
        return spec

    @property
    def absent(self) -> list[str]:
        """The files that are not under the data root, if what serves as well is not there either."""
        return absent(self.files, self.instead)

    @property
    def state(self) -> str:
        """Whether it can be used on this machine: "ready", or what it needs."""
        if self.shape and not self.absent:
            return "ready"
        return self.needs or f"files under $ZOO_DATA: {', '.join(self.absent)}"


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A metric; ``target`` is a function from :class:`zoo.Evaluation` to ``{column name: value}``.

    Attributes:
        columns: Every column that it may fill.
        needs: What the task must offer: any of "images", "points", "features", "modes", "mixture".
        version: Changes whenever its values do; values of different versions are never averaged. Empty: the version
            of its distribution.
        judge: Name of the judge whose features it uses; empty: the task's.
        on_request: Whether it is computed only where it is named, and not as one of "all".
    """

    columns: tuple[Column, ...]
    needs: tuple[str, ...] = ()
    version: str = ""
    judge: str = ""
    on_request: bool = False


@dataclass(frozen=True, kw_only=True)
class ExecutorSpec(Spec):
    """A way to run many runs; ``target`` is a function from planned runs and options to events."""


@dataclass(frozen=True, kw_only=True)
class TrackerSpec(Spec):
    """A tracker of runs; ``target`` is a function from a bench's output folder, a ``Path``, to a tracker.

    A tracker is an object with some of the run hooks as ``@zoo.hookimpl`` methods, ``zoo_run_started``,
    ``zoo_run_progress`` and ``zoo_run_finished``: a plugin that exists while ``zoo bench --track NAME`` runs.
    """


@dataclass(frozen=True, kw_only=True)
class CommandSpec(Spec):
    """A subcommand of ``zoo``; ``target`` is a function with typer annotations that returns an exit code or None.

    Attributes:
        group: The heading below which ``zoo --help`` has it.
    """

    group: str = "Commands of plugins"


def _import(target: str) -> Any:
    name, _, attribute = target.partition(":")
    module = importlib.import_module(name)
    if not hasattr(module, attribute):
        names = [key for key, value in vars(module).items() if getattr(value, "__module__", None) == name]
        raise UnknownNameError(f"attribute of {name}", attribute, names)
    return getattr(module, attribute)

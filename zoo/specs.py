"""What hooks return: small frozen descriptions whose ``target`` is imported only when it is used.

Listing fifty plugins therefore costs no import of torch.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any, Literal

Data = Literal["images", "points"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every description has.

    Attributes:
        name: Lower-case letters, digits, ``.``, ``_`` and ``-``; unique among installed plugins.
        target: ``"module:attribute"``, imported on first use.
        summary: One line for listings.

    Raises:
        ValueError: If ``name`` or ``target`` has another form.
    """

    name: str
    target: str
    summary: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} must be lower-case letters, digits, '.', '_' or '-'")
        if not _TARGET.fullmatch(self.target):
            raise ValueError(f"target {self.target!r} of {self.name!r} must have the form 'module:attribute'")

    def load(self) -> Any:
        """Import and return the target."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A generative model; ``target`` is a :class:`zoo.GenerativeModel` subclass.

    Attributes:
        family: The field's word for its kind: "gan", "vae", "flow", "diffusion", ...
        data: What it can model. On a task of another kind the harness says that it does not apply.
        paper: Authors, title, venue and year.
        url: Where the paper is.
        conditional: Whether it is trained with class labels.
    """

    family: str = ""
    data: tuple[Data, ...] = ("images", "points")
    paper: str = ""
    url: str = ""
    conditional: bool = False


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Spec):
    """A data set and how it is judged; ``target`` is a function without arguments that returns a :class:`zoo.Task`.

    Attributes:
        data: "images" (N, C, H, W) or "points" (N, D).
        shape: One item: (C, H, W) or (D,).
        modes: Number of known modes (classes, mixture components); 0 if unknown.
        version: Changes whenever data, splits or judge do; rows of different versions are never compared.
        needs: What must be there beforehand, for listings; empty if nothing.
    """

    data: Data
    shape: tuple[int, ...]
    modes: int
    version: str
    needs: str = ""


@dataclass(frozen=True)
class Column:
    """One figure that a metric reports.

    Attributes:
        name: Column name in ``results.csv``.
        better: "lower", "higher", or "" where neither is better.
        description: Definition, range and unit in one line.
    """

    name: str
    better: Literal["lower", "higher", ""]
    description: str


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A metric; ``target`` is a function from :class:`zoo.Evaluation` to ``{column name: value}``.

    Attributes:
        columns: Every figure it may return.
        needs: What the task must offer: any of "images", "points", "features", "modes", "mixture".
    """

    columns: tuple[Column, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExecutorSpec(Spec):
    """A way to run many runs; ``target`` is a function as described in ``zoo_bench.executors``."""


@dataclass(frozen=True, kw_only=True)
class CommandSpec(Spec):
    """A subcommand of ``zoo``; ``target`` is a function with typer annotations that returns an exit code or None."""

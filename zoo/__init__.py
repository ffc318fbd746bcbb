"""genzoo: generative models as plugins, compared under equal budgets.

This package is what a plugin author imports; it depends on no harness. Importing it does not import torch: the names
that need torch are resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from zoo.columns import Column
from zoo.data import cache_root, data_root
from zoo.errors import DataError, NameClashError, PluginError, UnknownNameError, ZooError
from zoo.hookspecs import hookimpl
from zoo.registry import installed
from zoo.runs import RunProgress, RunRecord, RunSpec
from zoo.specs import CommandSpec, ExecutorSpec, MetricSpec, ModelSpec, TaskSpec, TrackerSpec
from zoo.version import __version__

if TYPE_CHECKING:
    from zoo.config import COMMON_SEARCH, Betas, ConditionalConfig, LatentConfig, ModelConfig, Range, Schedule
    from zoo.evaluation import Evaluation
    from zoo.loading import load
    from zoo.model import Adam, GenerativeModel, Player, Turn
    from zoo.task import Judge, Mixture, Split, Task

_LAZY = {
    "Adam": "zoo.model",
    "Betas": "zoo.config",
    "COMMON_SEARCH": "zoo.config",
    "ConditionalConfig": "zoo.config",
    "Evaluation": "zoo.evaluation",
    "GenerativeModel": "zoo.model",
    "Judge": "zoo.task",
    "LatentConfig": "zoo.config",
    "Mixture": "zoo.task",
    "ModelConfig": "zoo.config",
    "Player": "zoo.model",
    "Range": "zoo.config",
    "Schedule": "zoo.config",
    "Split": "zoo.task",
    "Task": "zoo.task",
    "Turn": "zoo.model",
    "load": "zoo.loading",
}

__all__ = [
    "COMMON_SEARCH",
    "Adam",
    "Betas",
    "Column",
    "CommandSpec",
    "ConditionalConfig",
    "DataError",
    "Evaluation",
    "ExecutorSpec",
    "GenerativeModel",
    "Judge",
    "LatentConfig",
    "MetricSpec",
    "Mixture",
    "ModelConfig",
    "ModelSpec",
    "NameClashError",
    "Player",
    "PluginError",
    "Range",
    "RunProgress",
    "RunRecord",
    "RunSpec",
    "Schedule",
    "Split",
    "Task",
    "TaskSpec",
    "TrackerSpec",
    "Turn",
    "UnknownNameError",
    "ZooError",
    "__version__",
    "cache_root",
    "create",
    "data_root",
    "hookimpl",
    "load",
    "models",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def models() -> list[str]:
    """Return the names of all installed models."""
    return [entry.spec.name for entry in installed().models]


def create(name: str, *, shape: tuple[int, ...], **settings: Any) -> GenerativeModel:
    """Build an untrained model.

    Args:
        name: A name from :func:`models`.
        shape: One item: (C, H, W) for images, (D,) for points.
        settings: Settings of the model's config; what is left out takes its default for this shape.

    Raises:
        UnknownNameError: If there is no such model or setting.
        ZooError: If a setting has a wrong value, or the model does not apply to this shape.

    Example:
        >>> model = zoo.create("dcgan", shape=(1, 28, 28))
        >>> model.sample(4).shape
        torch.Size([4, 1, 28, 28])
    """
    from zoo.model import build

    return build(installed().models.get(name), shape, settings)

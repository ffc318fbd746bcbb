"""A model's name with the settings that are not its defaults: ``gan[packing=2]``, as ``--models`` reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from zoo.registry import installed

WORD = re.compile(r"[\w.-]+")
"""Text that needs no quotes."""


def value(text: str) -> Any:
    """Read a setting's value: JSON, or else the text itself, as for numbers and nesting that Python does not read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def value_text(setting: Any) -> str:
    """Return the text that :func:`value` reads as this value of a setting; what JSON does not have is text."""
    if isinstance(setting, str) and WORD.fullmatch(setting) and value(setting) == setting:
        return setting
    return json.dumps(setting, separators=(",", ":"), default=str)


def describe(model: str, settings: Mapping[str, Any]) -> str:
    """Return the name that :func:`select` reads: ``gan[packing=2]``, or ``gan`` without settings."""
    settings_text = ",".join(f"{name}={value_text(setting)}" for name, setting in settings.items())
    return f"{model}[{settings_text}]" if settings_text else model


def changed(model: str, task: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are not the installed model's defaults; all of them if it is not installed.

    A preset comes first; the settings that follow from it are not listed.
    """
    preset = {name: config[name] for name in ("preset",) if name in config}
    preset = {name: setting for name, setting in preset.items() if _defaults(model, task, "{}").get(name) != setting}
    defaults = _defaults(model, task, json.dumps(preset))
    given = ("classes",) if config.get("conditional") else ()  # by the task
    rest = {
        name: setting
        for name, setting in config.items()
        if name not in given and (name not in defaults or defaults[name] != setting)
    }
    return {**preset, **rest}


@cache
def _defaults(model: str, task: str, settings: str) -> dict[str, Any]:
    from zoo.model import configure

    try:
        registry = installed()
        shape = registry.tasks.get(task).spec.shape
        _, config = configure(registry.models.get(model), shape, json.loads(settings))
        defaults: dict[str, Any] = config.model_dump(mode="json")
    except Exception:  # a third party's code may fail in any way; then every setting is written out
        return {}
    return defaults

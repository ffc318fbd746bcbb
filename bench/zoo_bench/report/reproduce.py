"""Commands that run a group of runs again."""

from __future__ import annotations

import json
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo.registry import installed
from zoo_bench.report.results import Group

if TYPE_CHECKING:
    import pandas as pd


def commands(group: Group) -> list[str]:
    """Return one command for all models, and further ones where a model was run with several settings."""
    rest = group.runs.drop_duplicates("_label").sort_values("_label")
    found = []
    while len(rest):
        now = rest.drop_duplicates("model")
        found.append(_command(group, now))
        rest = rest[~rest["_label"].isin(now["_label"])]
    return found


def packages(group: Group) -> list[str]:
    """Return the distributions that the models come from, with versions, as pip takes them."""
    pairs = group.runs[["plugin", "plugin_version"]].astype(str).drop_duplicates()
    return sorted({f"{plugin}=={version}" for plugin, version in pairs.itertuples(index=False)})


def _command(group: Group, models: pd.DataFrame) -> str:
    key = group.key
    runs = group.runs[group.runs["_label"].isin(models["_label"])]
    options = {
        "--models": ",".join(models["model"]),
        "--task": key["task"],
        "--budget": key["budget"],
        "--seeds": str(int(runs["seed"].max()) + 1),
        "--precision": key["precision_mode"],
        "--device": key["device"],
    }
    if "_metrics" in runs and (metrics := sorted({m for names in runs["_metrics"] for m in names.split(",") if m})):
        options["--metrics"] = ",".join(metrics)
    words = [word for option in options.items() for word in option]
    for model, config in zip(models["model"], models["_config"], strict=True):
        words += [word for setting in _settings(str(model), key["task"], config) for word in ("--set", setting)]
    return f"zoo bench {shlex.join(words)}"


def _settings(model: str, task: str, text: str) -> list[str]:
    """Return the settings that are not the installed model's defaults; all of them if it is not installed."""
    config = json.loads(text or "{}")
    defaults = _defaults(model, task)
    changed = {name: value for name, value in config.items() if name not in defaults or defaults[name] != value}
    return [f"{model}.{name}={json.dumps(value)}" for name, value in changed.items()]


@cache
def _defaults(model: str, task: str) -> dict[str, Any]:
    from zoo.model import configure

    try:
        registry = installed()
        shape = registry.tasks.get(task).spec.shape
        _, config = configure(registry.models.get(model), shape, {})
        defaults: dict[str, Any] = config.model_dump(mode="json")
    except Exception:  # a third party's code may fail in any way; then every setting is written out
        return {}
    return defaults

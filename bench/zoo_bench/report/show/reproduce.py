"""The command that runs a group of runs again."""

from __future__ import annotations

import json
import shlex

from zoo_bench.plan.labels import changed, describe
from zoo_bench.plan.seeds import AUTO, FIRST_LOOK, format_seeds
from zoo_bench.report.read.groups import Group


def command(group: Group) -> str:
    """Return a command that runs every model of a group, with the settings that are not its defaults.

    It is empty if all samples were made elsewhere.
    """
    key, runs = group.key, group.trained
    if runs.empty:
        return ""
    variants = runs[["model", "config"]].astype(str).drop_duplicates().sort_values(["model", "config"])
    models = [
        describe(model, changed(model, key["task"], json.loads(config or "{}")))
        for model, config in variants.itertuples(index=False)
    ]
    options = {
        "--models": ",".join(models),
        "--task": key["task"],
        "--budget": key["budget"],
        "--seeds": _seeds(group),
        "--precision": key["precision_mode"],
        "--device": key["device"],
    }
    if len(threads := runs["threads"].dropna().unique()) == 1 and key["device"] == "cpu":
        options["--threads"] = str(threads[0])
    if "_metrics" in runs and (metrics := sorted({m for names in runs["_metrics"] for m in names.split(",") if m})):
        options["--metrics"] = ",".join(metrics)
    return f"zoo bench {shlex.join(word for option in options.items() for word in option)}"


def _seeds(group: Group) -> str:
    """Return the seeds of a group; where they were added step by step, the same steps lead to them again."""
    seeds = group.trained["seed"].astype(int)
    return f"{AUTO}:{max(FIRST_LOOK, *(seeds + 1))}" if group.adaptive else format_seeds(seeds)


def packages(group: Group) -> list[str]:
    """Return the distributions that the models come from, with versions, as pip takes them."""
    pairs = group.trained[["plugin", "plugin_version"]].astype(str).drop_duplicates()
    return sorted({f"{plugin}=={version}" for plugin, version in pairs.itertuples(index=False)})

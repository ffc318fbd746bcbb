"""What a paper says of a group of runs: a paragraph on methods, and BibTeX."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress

from zoo.errors import UnknownNameError
from zoo.registry import installed
from zoo_bench.report.read.claims import correction
from zoo_bench.report.read.groups import Group
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.show.reproduce import packages
from zoo_bench.report.text import figure, listed, plural, visible

SOFTWARE = {
    "author": "{The genzoo authors}",
    "title": "{genzoo: a plugin-based zoo of generative models with a benchmark harness}",
    "year": "2026",
    "url": "https://github.com/genzoo/genzoo",
}
"""Fields of ``CITATION.cff``, but for the version: that is the one which made the runs."""


ADAPTIVE = ", added until models were separable"


def methods(summary: Summary, environments: Iterable[str] = ()) -> str:
    """Return sentences on how the runs of a group were made, scored and compared.

    Args:
        summary: The group; of samples that were made elsewhere nothing is said.
        environments: The environments of all runs as JSON: versions in which they agree are named.

    Returns:
        The paragraph; "" if nothing was trained.
    """
    group = summary.group
    key, runs = group.key, group.trained
    if runs.empty:
        return ""
    labels = [model.label for model in summary.models if not model.outside]
    counts = sorted(set(runs.groupby("_label")["seed"].nunique()))
    seeds = plural(counts[-1], "seed") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    models = f"models {listed(labels)} were" if len(labels) > 1 else f"model {labels[0]} was"
    sentences = [
        f"The {models} trained on {key['task']} (version {key['task_version']}) with a budget of "
        f"{_budget(key['budget'])} per run and {seeds} per model{ADAPTIVE if group.adaptive else ''}, "
        f"in {key['precision_mode']} on {_machine(group, environments)}.",
        f"The code is {listed(packages(group))}; genzoo {_versions(group)} scored the runs under the judge "
        f"{key['judge']}, whose name ends with the first digits of its weights’ SHA-256.",
        _metrics(summary),
        "We give means, geometric for FID and speeds, "
        + ("with Student’s 95 % intervals over seeds." if counts[-1] > 1 else "of one seed, which tells no spread."),
    ]
    if counts[-1] > 1 and len(labels) > 1:
        corrected = correction(adaptive=group.adaptive)
        sentences.append(f"Models were compared in pairs by Welch’s t-test over seeds ({corrected}).")
    leading = summary.leading
    if leading and (floor := summary.floor(leading)) is not None:
        spread = summary.floor_sd(leading)
        about = "" if spread is None else f" (standard deviation {figure(spread)})"
        sentences.append(f"As many fresh real items as samples have a {leading.heading} of {figure(floor)}{about}.")
    if failed := int((runs["status"] != "ok").sum()):
        sentences.append(f"Of {plural(len(runs), 'run')}, {failed} did not finish; means leave them out.")
    return " ".join(filter(None, sentences))


def _budget(text: str) -> str:
    return f"{text} training images" if re.fullmatch(r"[\d.]+[kM]?", text) else text


def _machine(group: Group, environments: Iterable[str]) -> str:
    """Return the device, with the processor, threads and versions of libraries in which all runs agree."""
    found, facts = [json.loads(text) for text in environments], list[str]()
    for name, title in (("processor", ""), ("python", "Python "), ("torch", "PyTorch ")):
        values = {str(environment.get(name) or "") for environment in found}
        facts += [f"{title}{value}" for value in values if value and len(values) == 1]
    threads = set(group.trained["threads"].dropna())
    if len(threads) == 1 and group.key["device"] == "cpu":
        facts.append(plural(int(threads.pop()), "thread"))
    return f"{group.key['device']} ({', '.join(facts)})" if facts else group.key["device"]


def _versions(group: Group) -> str:
    return listed(sorted(set(group.trained["zoo_version"].dropna().astype(str)))) or "of an unknown version"


def _metrics(summary: Summary) -> str:
    """Return the headlines of quality with the version of each metric, and its judge where that is another."""
    versions = summary.group.versions
    quality = [metric for metric in summary.headlines if not metric.cost]
    named = [f"{m.heading} ({versions[m.name]})" if m.name in versions else m.heading for m in quality]
    return f"Metrics, with their versions: {', '.join(named)}." if named else ""


def bibtex(group: Group) -> str:
    """Return entries for the software that made the runs, and for the papers of the models that are installed."""
    entries = [_entry("software", "genzoo", {**SOFTWARE, "version": _versions(group)})]
    for name in sorted(set(group.trained["model"].astype(str))):
        with suppress(UnknownNameError):
            spec = installed().models.get(name).spec
            if spec.paper:
                url = {"url": spec.url} if spec.url else {}
                entries.append(_entry("misc", name, {"note": f"{{{spec.paper}}}", **url}))
    return "\n\n".join(entries)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = "".join(f"  {name} = {{{visible(value)}}},\n" for name, value in fields.items())
    return f"@{kind}{{{key},\n{lines}}}"

"""Groups of runs that may be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoo_bench.plan.labels import changed, describe
from zoo_bench.plan.seeds import AUTO
from zoo_bench.report.read.columns import machine_dependent
from zoo_bench.report.text import listed, plural

if TYPE_CHECKING:
    import pandas as pd

KEYS = {
    "task": "task",
    "task_version": "version of the task",
    "judge": "judge",
    "budget": "budget",
    "precision_mode": "precision",
    "device": "device",
    "seeds": "seeds of single axes",
    "labels": "labels",
}
"""Columns in which runs must agree to be compared, and what sentences call them."""

IDENTITY = ("task", "task_version", "judge")
"""Columns in which controls, and samples that were made elsewhere, must agree with runs to stand beside them."""

OUTSIDE = " (outside)"
"""What follows the name of samples that were made elsewhere."""

OUTSIDE_MEANING = "samples that were made elsewhere, under an unknown budget; no claim is about them."


@dataclass(frozen=True)
class Group:
    """Runs that may be compared: they share everything in :data:`KEYS`.

    Attributes:
        key: The common values.
        runs: One row per run, with ``_label``: the model, with settings or versions where these differ.
        notes: What the reader must know about them.
        marks: By label, what training itself showed against its figures, in clauses.
    """

    key: dict[str, str]
    runs: pd.DataFrame
    notes: list[str]
    marks: dict[str, list[str]] = field(default_factory=dict)

    @property
    def trained(self) -> pd.DataFrame:
        """The runs without samples that were made elsewhere."""
        return self.runs[self.runs["samples"] == ""]

    @property
    def adaptive(self) -> bool:
        """Whether seeds were added until models were separable, so that p-values must be valid whenever one stops."""
        return bool((self.runs["seed_plan"] == AUTO).any())

    @property
    def versions(self) -> dict[str, str]:
        """The version of the metric behind every column, with its judge where that is not the group's, if known."""
        found: dict[str, str] = {}
        for text, rows in self.runs.groupby("metric_versions"):
            found |= {c: version for c, version in _versions(str(text)).items() if c in rows and rows[c].notna().any()}
        return found


def described(key: Mapping[str, str]) -> str:
    """Return in words what the runs of a group have in common."""
    return ", ".join(f"{name} {key[column]}" for column, name in KEYS.items() if key[column])


def groups(frame: pd.DataFrame) -> list[Group]:
    """Divide runs into groups, sorted by task; the frame of a ``results.csv`` is enough.

    Samples that were made elsewhere are in every group of their task and judge, because no budget is known of them.
    """
    import pandas as pd

    keys, texts = list(KEYS), (*KEYS, "_machine", "config", "samples", "metric_versions", "seed_plan", "notes", "marks")
    filled = frame.assign(**{name: frame[name].fillna("") if name in frame else "" for name in texts})
    outside = filled["samples"] != ""
    made: list[Group] = []
    placed = pd.Index([])
    for key, runs in filled[~outside].groupby(keys, sort=True, observed=True):
        same = (filled[list(IDENTITY)] == runs.iloc[0][list(IDENTITY)]).all(axis=1)
        beside = filled[outside & same]
        placed = placed.union(beside.index)
        made.append(_group(_named(key), pd.concat([runs, beside]) if len(beside) else runs))
    alone = filled[outside & ~filled.index.isin(placed)]
    return made + [_group(_named(key), runs) for key, runs in alone.groupby(keys, sort=True, observed=True)]


def _named(key: tuple[object, ...]) -> dict[str, str]:
    return dict(zip(KEYS, map(str, key), strict=True))


def _group(key: dict[str, str], runs: pd.DataFrame) -> Group:
    notes: list[str] = []
    runs = runs.assign(_label=_labels(runs)).sort_values("started_at", kind="stable")
    latest = ~runs.duplicated(["_label", "seed"], keep="last")
    if not latest.all():
        notes.append(
            f"{plural(int((~latest).sum()), 'run')} repeat a model and seed that a later run has; only the latest "
            "counts, because repeats of a seed are no independent runs."
        )
    runs = runs[latest].sort_values(["_label", "seed"], kind="stable")
    odd = runs[runs["notes"] != ""]
    for note, rows in odd.groupby("notes", sort=False):
        notes.append(f"In {plural(len(rows), 'run')} of {listed(rows['_label'].unique().tolist())}, {note}.")
    return Group(key, _without_foreign_speeds(_without_other_versions(runs, notes), notes), notes, _marks(runs))


def _marks(runs: pd.DataFrame) -> dict[str, list[str]]:
    """Return a clause for each mark of each model, by label."""
    marked = runs[runs["marks"] != ""]
    single = marked.assign(marks=marked["marks"].str.split("; ")).explode("marks")
    marks: dict[str, list[str]] = {}
    for (label, mark), rows in single.groupby(["_label", "marks"], sort=False):
        marks.setdefault(str(label), []).append(f"in {plural(len(rows), 'run')}, {mark}")
    return marks


def _labels(runs: pd.DataFrame) -> pd.Series[str]:
    """Name every model; where settings or plugin differ within one name, add what differs."""
    identity = ["model", "plugin", "plugin_version", "config", "task"]
    variants = runs[identity].astype(str).drop_duplicates()
    names = {}
    for model, namesakes in variants.groupby("model"):
        for _, variant in namesakes.iterrows():
            names[tuple(variant)] = _label(variant, namesakes) if len(namesakes) > 1 else str(model)
    labels = runs[identity].astype(str).apply(lambda row: names[tuple(row)], axis=1)
    return labels.where(runs["samples"] == "", labels + OUTSIDE)


def _label(variant: pd.Series[str], namesakes: pd.DataFrame) -> str:
    settings = {}
    if namesakes["config"].nunique() > 1:
        settings = changed(variant["model"], variant["task"], json.loads(variant["config"] or "{}"))
    further = [variant[name] for name in ("plugin", "plugin_version") if namesakes[name].nunique() > 1]
    return " ".join([describe(variant["model"], settings), *further])


def _without_other_versions(runs: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Keep only values of one version of each metric: that of most runs, then of the latest.

    Samples that were made elsewhere have no say, unless there is nothing else.
    """
    if runs["metric_versions"].nunique() < 2:
        return runs
    version_of = {text: _versions(text) for text in runs["metric_versions"].unique()}
    sentences: dict[str, list[str]] = {}
    for column in sorted(set().union(*version_of.values()) & set(runs)):
        versions = runs["metric_versions"].map(lambda text, c=column: version_of[text].get(c, "an unknown version"))
        versions = versions[runs[column].notna()]
        if versions.nunique() < 2:
            continue
        trained = versions[runs["samples"] == ""]
        counts, last = versions.value_counts(), runs.groupby(versions)["started_at"].max()
        votes = trained.value_counts() if len(trained) else counts
        kept = max(votes.index, key=lambda version: (votes[version], last[version]))
        others = versions.index[versions != kept]
        runs = runs.assign(**{column: runs[column].mask(runs.index.isin(others))})
        sentence = (
            f"of {kept} in {plural(int(counts[kept]), 'run')}; those of {plural(len(others), 'run')} are of other "
        )
        sentences.setdefault(sentence, []).append(column)
    notes += [
        f"Values of {listed(columns)} are {sentence}versions and left out: `zoo score` computes them again."
        for sentence, columns in sentences.items()
    ]
    return runs


def _versions(text: str) -> dict[str, str]:
    """Return the version of the metric behind every column, from the JSON that a row has of it."""
    try:
        return {column: version for version, columns in json.loads(text or "{}").items() for column in columns.split()}
    except (ValueError, AttributeError):
        return {}


def _without_foreign_speeds(runs: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Keep only speeds that were measured under the same conditions: those of most models, then of most runs."""
    machine = runs["_machine"].fillna("") + runs["threads"].map(lambda n: f", {n} threads").astype(str)
    conditions = machine + runs["contended"].fillna(False).map({True: ", shared", False: ", alone"}).astype(str)
    measured = conditions[(runs["status"] == "ok") & (runs["samples"] == "")]
    if measured.nunique() < 2:
        return runs
    support = {
        k: (runs.loc[measured.index[measured == k], "_label"].nunique(), n)
        for k, n in measured.value_counts(sort=False).items()
    }
    majority = max(support, key=lambda k: support[k])
    notes.append(
        f"Speeds are those of {plural(support[majority][1], 'run')} on {str(majority).strip(', ')}; speeds of "
        f"{plural(len(measured) - support[majority][1], 'run')} on other machines, threads or load are not averaged in."
    )
    foreign = conditions != majority
    return runs.assign(**{name: runs[name].mask(foreign) for name in machine_dependent(runs)})


def kept_apart(all_groups: Sequence[Group]) -> list[str]:
    """Return one sentence per task whose runs are in more than one group: what differs, so that they are not compared.

    Groups of different tasks differ by nature and are not mentioned.
    """
    sentences = []
    for task in dict.fromkeys(group.key["task"] for group in all_groups):
        keys = [group.key for group in all_groups if group.key["task"] == task]
        reasons = []
        for key, name in KEYS.items():
            values = list(dict.fromkeys(k[key] for k in keys))
            if len(values) > 1:
                reasons.append(f"{name} ({', '.join(value or 'none' for value in values)})")
        if len(keys) > 1:
            sentences.append(f"{task}: {len(keys)} tables that are not comparable: {listed(reasons)} differ.")
    return sentences

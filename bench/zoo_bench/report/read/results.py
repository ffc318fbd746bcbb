"""Results of one or more benches, divided into groups whose runs may be compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo_bench.measure.throughput import load_throughput
from zoo_bench.plan.labels import changed, describe
from zoo_bench.plan.record import CurvePoint, RunRecord
from zoo_bench.report.read.columns import machine_dependent
from zoo_bench.report.text import listed, plural
from zoo_bench.store.records import stream
from zoo_bench.store.tables import load_results, to_frame

if TYPE_CHECKING:
    import pandas as pd

KEYS = {
    "task": "task",
    "task_version": "version of the task",
    "judge": "judge",
    "budget": "budget",
    "precision_mode": "precision",
    "device": "device",
}
"""Columns in which runs must agree to be compared, and what sentences call them."""

MAX_TRACEBACKS = 100
"""Number kept at most, so that a bench with many failures neither fills the memory nor the report."""


@dataclass
class Results:
    """The runs of one or more benches.

    Attributes:
        frame: One row per run as in ``results.csv``, and ``_folder``, ``_file`` (the record's path, or ""),
            ``_machine`` and ``_metrics`` (names with commas).
        curves: Learning curves by run_id.
        metric_errors: Why metrics could not be computed, by run_id.
        tracebacks: Where the first hundred failures came from, by run_id.
        environments: Number of runs by canonical JSON of their environment.
        controls: What ``controls/*.json`` hold: "task", "task_version", "judge", and figures by control and column.
        problems: One sentence per file that could not be read.
        speeds: Speeds of each folder, from :func:`zoo_bench.measure.throughput.load_throughput`, and ``_folder``.
    """

    frame: pd.DataFrame
    curves: dict[str, list[CurvePoint]] = field(default_factory=dict)
    metric_errors: dict[str, dict[str, str]] = field(default_factory=dict)
    tracebacks: dict[str, str] = field(default_factory=dict)
    environments: dict[str, int] = field(default_factory=dict)
    controls: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    speeds: list[pd.DataFrame] = field(default_factory=list)

    def duplicates(self) -> list[str]:
        """Return one sentence per run that is there more than once."""
        repeats = self.frame[self.frame["run_id"].duplicated(keep=False)]
        return [
            f"run {str(run_id)[:8]} ({rows['model'].iloc[0]} on {rows['task'].iloc[0]}, seed {rows['seed'].iloc[0]}) "
            f"is in {listed([repr(str(r['_file'] or r['_folder'])) for _, r in rows.iterrows()])}"
            for run_id, rows in repeats.groupby("run_id")
        ]


@dataclass(frozen=True)
class Group:
    """Runs that may be compared: they share everything in :data:`KEYS`.

    Attributes:
        key: The common values.
        runs: One row per run, with ``_label``: the model, with settings or versions where these differ.
        notes: What the reader must know about them.
    """

    key: dict[str, str]
    runs: pd.DataFrame
    notes: list[str]


def load(paths: Sequence[Path]) -> Results:
    """Load benches' folders, or tables that they wrote.

    Raises:
        ZooError: If a path holds no results.
    """
    import pandas as pd

    results = Results(pd.DataFrame())
    results.frame = pd.concat([_load(path, results) for path in paths], ignore_index=True)
    return results


def load_once(paths: Sequence[Path]) -> Results:
    """Load benches that have no run in common.

    Raises:
        ZooError: If a path holds no results, or a run is in two of them: it would be counted twice.
    """
    results = load(paths)
    if duplicates := results.duplicates():
        more = f", and {len(duplicates) - 1} more are there twice" if len(duplicates) > 1 else ""
        raise ZooError(f"{duplicates[0]}{more}: runs are counted once, so leave one out")
    return results


def _load(path: Path, results: Results) -> pd.DataFrame:
    further: dict[str, list[str]] = {"_file": [], "_machine": [], "_metrics": []}

    def records() -> Iterator[RunRecord]:
        for file, record in stream(path, results.problems):
            for name, value in _collect(file, record, results).items():
                further[name].append(value)
            yield record

    earlier = len(results.problems)
    frame = to_frame(records())
    if frame.empty:
        if len(results.problems) > earlier:
            raise ZooError(f"no run in {str(path)!r} can be read: {results.problems[earlier]}")
        tables = [path / name for name in ("results.parquet", "results.csv") if (path / name).is_file()]
        frame = load_results(tables[0] if tables else path)
        further = {name: [""] * len(frame) for name in further}
    results.controls += load_controls(path, results.problems)
    results.speeds.append(load_throughput(path).assign(_folder=str(path)))
    return frame.assign(_folder=str(path), **further)


def _collect(file: Path, record: RunRecord, results: Results) -> dict[str, str]:
    environment = record.environment
    if record.curve:
        results.curves[record.run_id] = record.curve
    if record.metric_errors:
        results.metric_errors[record.run_id] = record.metric_errors
    if record.traceback and len(results.tracebacks) < MAX_TRACEBACKS:
        results.tracebacks[record.run_id] = record.traceback
    if environment:
        text = json.dumps(environment, sort_keys=True, default=str)
        results.environments[text] = results.environments.get(text, 0) + 1
    processor = environment.get("processor") or environment.get("platform") or ""
    return {
        "_file": str(file),
        "_machine": f"{processor}, {environment.get('cores')} cores" if processor else "",
        "_metrics": ",".join(record.spec.metrics),
    }


def load_controls(root: Path, problems: list[str]) -> list[dict[str, Any]]:
    """Return the controls in a bench's folder, as in :class:`Results`; ``problems`` gets a sentence per bad file."""
    entries = []
    for file in sorted(root.glob("controls/*.json")):
        try:
            content = json.loads(file.read_bytes())
            key = content.get("key", content)  # before 0.1 the key's fields were at the top level
            rows = {str(name): {str(c): float(v) for c, v in row.items()} for name, row in content["controls"].items()}
            entries.append({**{name: str(key[name]) for name in ("task", "task_version", "judge")}, "controls": rows})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            problems.append(f"{str(file)!r} holds no controls")
    return entries


def groups(frame: pd.DataFrame) -> list[Group]:
    """Divide runs into groups, sorted by task; the frame of a ``results.csv`` is enough."""
    keys = list(KEYS)
    filled = frame.assign(**{key: frame[key].fillna("") for key in keys})
    for column in ("_machine", "config"):
        if column not in filled:
            filled[column] = ""
    parts = filled.groupby(keys, sort=True, observed=True)
    return [_group(dict(zip(keys, map(str, key), strict=True)), runs) for key, runs in parts]


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
    return Group(key, _without_foreign_speeds(runs, notes), notes)


def _labels(runs: pd.DataFrame) -> pd.Series[str]:
    """Name every model; where settings or plugin differ within one name, add what differs."""
    identity = ["model", "plugin", "plugin_version", "config", "task"]
    variants = runs[identity].astype(str).drop_duplicates()
    names = {}
    for model, namesakes in variants.groupby("model"):
        for _, variant in namesakes.iterrows():
            names[tuple(variant)] = _label(variant, namesakes) if len(namesakes) > 1 else str(model)
    return runs[identity].astype(str).apply(lambda row: names[tuple(row)], axis=1)


def _label(variant: pd.Series[str], namesakes: pd.DataFrame) -> str:
    settings = {}
    if namesakes["config"].nunique() > 1:
        settings = changed(variant["model"], variant["task"], json.loads(variant["config"] or "{}"))
    further = [variant[name] for name in ("plugin", "plugin_version") if namesakes[name].nunique() > 1]
    return " ".join([describe(variant["model"], settings), *further])


def _without_foreign_speeds(runs: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Keep only speeds that were measured under the same conditions: those of most models, then of most runs."""
    machine = runs["_machine"].fillna("") + runs["threads"].map(lambda n: f", {n} threads").astype(str)
    conditions = machine + runs["contended"].fillna(False).map({True: ", shared", False: ", alone"}).astype(str)
    measured = conditions[runs["status"] == "ok"]
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
                reasons.append(f"{name} ({', '.join(values)})")
        if len(keys) > 1:
            sentences.append(f"{task}: {len(keys)} tables that are not comparable: {listed(reasons)} differ.")
    return sentences

"""Results of one or more benches, as their folders and tables hold them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.files import is_regular, read_regular
from zoo_bench.core.keyed import parse_json
from zoo_bench.measure.throughput import load_throughput
from zoo_bench.plan.record import LEARNING_CURVE, CurvePoint, RunRecord, stored_scores
from zoo_bench.report.read.groups import IDENTITY
from zoo_bench.report.text import listed
from zoo_bench.store.records import Store, stream
from zoo_bench.store.tables import latest_rows, load_results, to_frame

if TYPE_CHECKING:
    import pandas as pd

MAX_TRACEBACKS = 100
"""Number kept at most, so that a bench with many failures neither fills the memory nor the report."""


@dataclass
class Results:
    """The runs of one or more benches.

    Attributes:
        frame: One row per run as in ``results.csv``, and ``_folder``, ``_file`` (the record's path, or ""),
            ``_machine`` and ``_metrics`` (names with commas).
        curves: Learning curves by run_id.
        modes: Numbers of samples, and of real items, of each known mode, by run_id.
        metric_errors: Why metrics could not be computed, by run_id.
        tracebacks: Where the first hundred failures came from, by run_id.
        environments: Number of runs by canonical JSON of their environment.
        controls: What ``controls/*.json`` hold: "task", "task_version", "judge", and "controls": values by control and
            column.
        problems: One sentence per file that could not be read.
        speeds: Speeds of each folder, from :func:`zoo_bench.measure.throughput.load_throughput`, and ``_folder``.
    """

    frame: pd.DataFrame
    curves: dict[str, list[CurvePoint]] = field(default_factory=dict)
    modes: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)
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


def load(paths: Sequence[Path]) -> Results:
    """Load benches' folders, or tables that they wrote.

    Raises:
        ZooError: If a path holds no results.
    """
    import pandas as pd

    results = Results(pd.DataFrame())
    frames = [_load(path, stream(path, results.problems), results) for path in paths]
    results.frame = pd.concat(frames, ignore_index=True)
    return results


def load_store(store: Store) -> Results:
    """Load a bench's folder from records that were read already.

    Raises:
        ZooError: If it holds no results.
    """
    import pandas as pd

    results = Results(pd.DataFrame())
    records = store.records()
    results.problems += store.problems
    results.frame = _load(store.root, records.items(), results)
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


def _load(path: Path, stored: Iterable[tuple[Path, RunRecord]], results: Results) -> pd.DataFrame:
    further: dict[str, list[str]] = {"_file": [], "_machine": [], "_metrics": []}

    def records() -> Iterator[RunRecord]:
        for file, record in stored:
            for name, value in _collect(file, record, results).items():
                further[name].append(value)
            yield record

    frame = to_frame(records())
    if frame.empty:
        if unreadable := [problem for problem in results.problems if str(path) in problem]:
            raise ZooError(f"no run in {str(path)!r} can be read: {unreadable[0]}")
        tables = [path / name for name in ("results.parquet", "results.csv") if is_regular(path / name)]
        frame = load_results(tables[0] if tables else path)
        further = {name: [""] * len(frame) for name in further}
    results.controls += load_controls(path, results.problems)
    results.speeds.append(load_throughput(path, results.problems).assign(_folder=str(path)))
    return latest_rows(frame.assign(_folder=str(path), **further))


def _collect(file: Path, record: RunRecord, results: Results) -> dict[str, str]:
    environment = record.environment
    if record.curve and record.curve_judge == record.judge:
        results.curves[record.run_id] = record.curve
    if record.status == "ok" and len(record.mode_counts) == len(record.mode_counts_real) > 0:
        results.modes[record.run_id] = (record.mode_counts, record.mode_counts_real)
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
        "_metrics": ",".join(name for name in record.scores if name != LEARNING_CURVE),
    }


def load_controls(root: Path, problems: list[str]) -> list[dict[str, Any]]:
    """Return the controls in a bench's folder, as in :class:`Results`; ``problems`` gets a sentence per bad file."""
    entries = []
    for file in sorted(root.glob("controls/*.json")):
        try:
            content = parse_json(read_regular(file))
            key = content.get("key", content)  # before 0.1 the key's fields were at the top level
            values = _values_of_controls(content)
            few = {str(name): int(items) for name, items in content.get("few", {}).items()}
            own = {name: str(key[name]) for name in IDENTITY}
            entries.append({**own, "controls": values, **({"few": few} if few else {})})
        except (ZooError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            problems.append(f"{str(file)!r} holds no controls")
    return entries


def _values_of_controls(content: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return values by control and column from a file of controls, which before 0.1 had nothing else of them."""
    if "scores" not in content:
        return {str(name): {str(c): float(v) for c, v in row.items()} for name, row in content["controls"].items()}
    return {
        name: {column: value for score in by_metric.values() for column, value in score.values.items()}
        for name, by_metric in stored_scores(content).items()
    }

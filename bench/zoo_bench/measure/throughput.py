"""Throughput of every model, timed by pytest-benchmark while nothing else runs.

Raw timings are kept as pytest-benchmark writes them, in ``throughput/<task>.json``, so that two benches can be compared
with ``pytest-benchmark compare``. ``throughput.csv`` is derived from them.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.files import write_atomically
from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.environment import environment
from zoo_bench.core.keyed import read_json
from zoo_bench.core.names import file_name
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.tables import csv_text

if TYPE_CHECKING:
    import pandas as pd

TIMEOUT_SECONDS = 300.0
"""Seconds after which one timing counts as hung."""

VERSION = "2"
"""Changes whenever what is timed does, so that a file of before is measured again."""

COLUMNS = (
    "model",
    "task",
    "device",
    "precision_mode",
    "threads",
    "train_images_per_s",
    "sample_images_per_s_64",
    "sample_images_per_s_256",
    "sample_latency_p50_ms",
    "sample_latency_p99_ms",
    "train_flops_per_image",
    "peak_share",
)
"""Columns of ``throughput.csv``, medians unless they say otherwise. ``peak_share`` is the share of the machine's
rate that training reaches, 0 to about 1: of large matrix products or convolutions, the faster, in its precision."""


def measure_throughput(root: Path, specs: Iterable[RunSpec], threads: int) -> None:
    """Measure the models of every task among the runs, all of a task together, unless they are stored already.

    Other models of the folder on the same kind of device are measured again together with new ones, so that all rows
    of a table come from one measurement. A model that cannot be measured is named on stderr and left out.

    Args:
        root: The bench's folder.
        specs: The runs; seeds do not matter.
        threads: CPU threads, as many as each run had.
    """
    by_task: dict[str, dict[str, RunSpec]] = {}
    for spec in specs:
        by_task.setdefault(spec.task, {}).setdefault(spec.label, spec)
    for task, requested in by_task.items():
        path = root / "throughput" / f"{file_name(task)}.json"
        stored = read_json(path).get("zoo", {})
        device = next(iter(requested.values())).device
        timed = {
            label: spec
            for label, spec in zip(stored.get("models", ()), stored.get("specs", ()), strict=True)
            if spec["device"] == device and spec.keys() == RunSpec.model_fields.keys()  # else of an older layout
        } | {label: _timed(spec) for label, spec in requested.items()}
        work = {"models": list(timed), "specs": list(timed.values()), "threads": threads}
        key = {**work, "machine": environment(), "version": VERSION}
        if stored != key:
            measured = {**_measure(key), "zoo": key}
            write_atomically(path, json.dumps(measured, indent=1).encode())
            for model in sorted(set(timed) - {row["model"] for row in _rows(measured)}):
                print(f"throughput of {model} on {task} could not be measured", file=sys.stderr)
    frame = load_throughput(root)
    if not frame.empty:
        write_atomically(root / "throughput.csv", csv_text(frame).encode())


def load_throughput(root: Path, problems: list[str] | None = None) -> pd.DataFrame:
    """Return what is stored, one row per task and model, with :data:`COLUMNS`.

    Args:
        root: The bench's folder.
        problems: Receives a sentence for every file that holds no speeds.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for path in sorted(root.glob("throughput/*.json")):
        try:
            rows += _rows(read_json(path))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            if problems is not None:
                problems.append(f"{str(path)!r} holds no speeds")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _timed(spec: RunSpec) -> dict[str, Any]:
    """Return what a speed depends on: the spec with a constant in place of its seed and of its budget."""
    return spec.with_changes(seed=0, budget="1").model_dump(mode="json")


def _measure(key: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="zoo-throughput-") as folder:
        work, report = Path(folder, "work.json"), Path(folder, "report.json")
        work.write_text(json.dumps(key))
        try:
            said = run_in_subprocess(_timed_by_pytest, work, report, timeout=TIMEOUT_SECONDS)
        except ZooError as error:
            said = f"throughput was not measured: {error}"
        if said:
            print(said, file=sys.stderr)
        return read_json(report) or {"benchmarks": []}


def _timed_by_pytest(work: Path, report: Path) -> str:
    """Time models in this process, and return the end of what pytest says if it fails."""
    import pytest

    folder = work.parent
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ |= {"ZOO_THROUGHPUT": str(work), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    options = ["-q", "--tb=line", "-p", "pytest_benchmark.plugin", "-p", "no:cacheprovider"]
    options += ["--rootdir", str(folder), "--confcutdir", str(folder), "-c", str(folder / "pytest.ini")]
    options += [f"--benchmark-json={report}", "--benchmark-disable-gc"]
    with redirect_stdout(io.StringIO()) as said:
        failed = pytest.main([*options, str(Path(__file__).with_name("bench_models.py"))])
    return said.getvalue()[-2000:] if failed else ""


def _rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn pytest-benchmark's file into rows of the table; models of which a measurement is missing are left out."""
    import numpy as np

    benchmarks = {b["name"]: b for b in content.get("benchmarks", [])}
    if "zoo" not in content:
        return []
    peaks: dict[str, float] = {}
    for info, stats in ((b["extra_info"], b["stats"]) for b in benchmarks.values() if "precision" in b["extra_info"]):
        rate = float(info["flops"]) / float(stats["min"])
        peaks[info["precision"]] = max(rate, peaks.get(info["precision"], 0.0))
    rows = []
    for label, spec in zip(content["zoo"]["models"], content["zoo"]["specs"], strict=True):
        names = {n: f"test_sample[{label}-{n}]" for n in (1, 64, 256)}
        train = benchmarks.get(f"test_train[{label}]")
        precision = str(spec["precision_mode"] or "fp32").partition("+")[0]
        if train is None or precision not in peaks or not all(name in benchmarks for name in names.values()):
            continue
        latencies = 1e3 * np.asarray(benchmarks[names[1]]["stats"]["data"], dtype=float)
        speed = float(train["extra_info"]["images"]) / float(train["stats"]["median"])
        flops = float(train["extra_info"]["flops_per_image"])
        rows.append(
            {
                "model": str(label),
                **{c: str(spec[c]) for c in ("task", "device", "precision_mode")},
                "threads": int(content["zoo"]["threads"]),
                "train_images_per_s": speed,
                **{f"sample_images_per_s_{n}": n / benchmarks[names[n]]["stats"]["median"] for n in (64, 256)},
                "sample_latency_p50_ms": float(np.percentile(latencies, 50)),
                "sample_latency_p99_ms": float(np.percentile(latencies, 99)),
                "train_flops_per_image": flops,
                "peak_share": speed * flops / peaks[precision],
            }
        )
    return rows

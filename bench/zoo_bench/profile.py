"""Where the time of one run goes, by phase, from Python's own profiler; the run itself is not instrumented."""

from __future__ import annotations

import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import ZooError
from zoo_bench.processes import apart
from zoo_bench.resources import Resources
from zoo_bench.run import execute
from zoo_bench.spec import RunSpec
from zoo_bench.store import Store, write_atomically

PHASES = {
    "load data and judge": [("spec.py", "load_task")],
    "build model": [("model.py", "build")],
    "data": [("stream.py", "next")],
    "forward": [("train.py", "_update")],
    "backward": [("_tensor.py", "backward")],
    "optimiser": [("optimizer.py", "wrapper"), ("optimizer.py", "zero_grad")],
    "sampling": [("draw.py", "draw"), ("in_run.py", "sampling")],
    "judge": [("evaluation.py", "_together"), ("evaluation.py", "_each")],
    "sheets": [("sheet.py", "image_grid"), ("sheet.py", "neighbours"), ("sheet.py", "scatter")],
    "metrics": [("score.py", "score"), ("curve.py", "add"), ("run.py", "_score_curve")],
}
"""Functions, with the name of their file, whose time is a phase's. Phases overlap; :func:`phases` parts them."""

CURVE = ("add", "_score_curve")
"""What samples and scores along the budget."""


def profile(spec: RunSpec, threads: int, out: Path, timeout: float | None) -> tuple[dict[str, float], str]:
    """Run one spec under the profiler in a process of its own.

    Returns:
        The seconds of every phase, and a sentence if the run did not end ok; no phases if it ended its process.

    Speeds under a profiler are lower than those of a bench, so the record is thrown away. Python's profile is written
    to ``out/profile/<task>-<model>-<hash8>.prof``.

    Args:
        spec: The run.
        threads: CPU threads.
        out: The bench's folder.
        timeout: Seconds after which the run counts as hung.
    """
    try:
        seconds, content, problem = apart(_profiled, spec, threads, timeout=timeout)
    except ZooError as error:
        return {}, f"error: {error}"
    write_atomically(out / "profile" / f"{spec.task}-{spec.model}-{spec.run_id[:8]}.prof", content)
    return seconds, problem


def _profiled(spec: RunSpec, threads: int) -> tuple[dict[str, float], bytes, str]:
    os.environ["CUDA_LAUNCH_BLOCKING"] = "1"  # else a phase would pay for what the one before it only began
    profiler = cProfile.Profile()
    start = time.perf_counter()
    outcome = profiler.runcall(execute, spec, Resources(threads, contended=False))
    middle = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zoo-profile-") as folder:
        Store(Path(folder)).save(outcome)
        end = time.perf_counter()
        stats = Path(folder, "stats")
        profiler.dump_stats(stats)
        record = outcome.record
        problem = "" if record.status == "ok" else f"{record.status}: {record.error}"
        return phases(pstats.Stats(str(stats)), middle - start, end - middle), stats.read_bytes(), problem


def phases(stats: pstats.Stats, whole: float, store: float) -> dict[str, float]:
    """Part the time of a run into phases that sum to the whole.

    Args:
        stats: The profile of the run.
        whole: Seconds of the run.
        store: Seconds of writing its files.
    """
    found = {phase: sum(_cumulative(stats, file, name) for file, name in of) for phase, of in PHASES.items()}
    found["forward"] -= found["backward"] + found["optimiser"]
    found["metrics"] -= found["judge"] + _cumulative(stats, "draw.py", "draw", CURVE)
    found["store"] = store
    return {**found, "other": whole + store - sum(found.values())}


def _cumulative(stats: pstats.Stats, file: str, name: str, under: Sequence[str] = ()) -> float:
    """Return the seconds that a function and what it calls took, only for some callers if they are given."""
    total = 0.0
    for (path, _, function), (_, _, _, own, callers) in stats.stats.items():  # type: ignore[attr-defined]
        if function == name and Path(path).name == file:
            total += sum(c[3] for key, c in callers.items() if key[2] in under) if under else own
    return total

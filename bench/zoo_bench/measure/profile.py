"""Where the time of one run goes, by phase, from Python's own profiler; the run itself is not instrumented."""

from __future__ import annotations

import cProfile
import inspect
import os
import pstats
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from zoo.errors import ZooError
from zoo.evaluation import in_batches
from zoo.files import write_atomically
from zoo.model import build
from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.names import file_name
from zoo_bench.data.loading import load_task
from zoo_bench.data.stream import Stream
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.plan.spec import RunSpec
from zoo_bench.run.execute import execute, score_curve
from zoo_bench.run.speed import sampling
from zoo_bench.score.curve import Curve
from zoo_bench.score.drawing import draw
from zoo_bench.score.scoring import score
from zoo_bench.score.sheets import image_grid, neighbours, scatter
from zoo_bench.store.records import Store
from zoo_bench.train.game import Game


def _code(function: Callable[..., Any]) -> CodeType:
    code: CodeType = inspect.unwrap(function).__code__
    return code


OPTIMIZER_STEP: CodeType = Optimizer.profile_hook_step(lambda: None).__code__
"""The wrapper that torch puts around the ``step`` of every optimiser."""

PHASES: dict[str, list[CodeType]] = {
    "load data and judge": [_code(load_task)],
    "build model": [_code(build)],
    "data": [_code(Stream.next_labelled)],
    "forward": [_code(Game.update)],
    "backward": [_code(Tensor.backward)],
    "optimiser": [OPTIMIZER_STEP],
    "sampling": [_code(draw), _code(sampling)],
    "judge": [_code(in_batches)],
    "sheets": [_code(image_grid), _code(neighbours), _code(scatter)],
    "metrics": [_code(score), _code(Curve.add), _code(score_curve)],
}
"""Functions whose time counts for a phase. Their times overlap; :func:`phases` separates them."""

CURVE_CODE = [_code(Curve.add), _code(score_curve)]
"""Functions that sample and score along the budget."""


def profile(
    spec: RunSpec, threads: int, scoring: Scoring, out: Path, timeout: float | None
) -> tuple[dict[str, float], str]:
    """Run one spec under the profiler in a process of its own.

    Speeds under a profiler are lower than those of a bench, so the record is thrown away. Python's profile is written
    to ``out/profile/<task>-<model>-<hash8>.prof``.

    Args:
        spec: The run.
        threads: CPU threads.
        scoring: What is computed of its samples.
        out: The bench's folder.
        timeout: Seconds without a sign of progress after which the run counts as hung.

    Returns:
        The seconds of every phase, and a sentence if the run did not end ok; no phases if its process ended early.
    """
    try:
        seconds, content, problem = run_in_subprocess(_profiled, spec, threads, scoring, timeout=timeout)
    except ZooError as error:
        return {}, f"error: {error}"
    write_atomically(out / "profile" / file_name(f"{spec.task}-{spec.model}-{spec.run_id[:8]}.prof"), content)
    return seconds, problem


def _profiled(spec: RunSpec, threads: int, scoring: Scoring) -> tuple[dict[str, float], bytes, str]:
    os.environ["CUDA_LAUNCH_BLOCKING"] = "1"  # otherwise a phase would wait for work that the one before it began
    profiler = cProfile.Profile()
    start = time.perf_counter()
    outcome = profiler.runcall(partial(execute, spec, Resources(threads, contended=False), scoring=scoring))
    middle = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zoo-profile-") as folder:
        Store(Path(folder)).save(outcome)
        end = time.perf_counter()
        stats = Path(folder, "stats")
        profiler.dump_stats(stats)
        record = outcome.record
        problem = "" if record.status == "ok" else f"{record.status}: {record.error}"
        return phases(pstats.Stats(str(stats)), middle - start, end - middle), stats.read_bytes(), problem


def phases(stats: pstats.Stats, run_seconds: float, store_seconds: float) -> dict[str, float]:
    """Split the time of a run into phases that add up to the whole.

    Args:
        stats: The profile of the run.
        run_seconds: Seconds of the run.
        store_seconds: Seconds of writing its files.
    """
    seconds = {phase: sum(_cumulative(stats, code) for code in codes) for phase, codes in PHASES.items()}
    seconds["forward"] -= seconds["backward"] + seconds["optimiser"]
    seconds["metrics"] -= seconds["judge"] + _cumulative(stats, _code(draw), CURVE_CODE)
    seconds["store"] = store_seconds
    return {**seconds, "other": run_seconds + store_seconds - sum(seconds.values())}


def _cumulative(stats: pstats.Stats, code: CodeType, callers: Sequence[CodeType] = ()) -> float:
    """Return the seconds that a function and what it calls took, only for some callers if they are given."""
    _, _, _, seconds, by_caller = stats.stats.get(_key(code), (0, 0, 0.0, 0.0, {}))  # type: ignore[attr-defined]
    if not callers:
        return float(seconds)
    return sum(by_caller[_key(caller)][3] for caller in callers if _key(caller) in by_caller)


def _key(code: CodeType) -> tuple[str, int, str]:
    """Return how a profile names a function: its file and first line tell functions of one name apart."""
    return code.co_filename, code.co_firstlineno, code.co_name

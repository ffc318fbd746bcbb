"""What is fastest on this machine: short measurements before a bench, stored with its results.

All runs of a table share one arithmetic and one number of threads, so that a difference is the model's. An arithmetic
counts only if the losses after a few rounds agree with those of fp32 for every model that works in fp32. On CPUs it is
measured on one thread, as runs are by default.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast, get_args

import torch

from zoo.errors import FAILURES, ZooError, error_sentence
from zoo.machine import cores
from zoo.registry import installed
from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.environment import environment
from zoo_bench.core.keyed import read_keyed
from zoo_bench.core.processes import keep_freed_memory
from zoo_bench.data.loading import load_task
from zoo_bench.data.stream import Stream
from zoo_bench.plan.spec import PrecisionMode, RunSpec
from zoo_bench.train.game import Game, build_on

MATRIX_SIDE = 512
MIN_MATRIX_GAIN, MIN_ROUND_GAIN = 1.2, 1.1
"""Gains of matrix products from which on rounds are measured, and of rounds from which on a mode is chosen."""
WARM_UP_ROUNDS, TIMED_ROUNDS = 5, 15
LOSS_TOLERANCE = 0.05
MEASUREMENT_TIMEOUT_S = 300.0
"""Seconds after which a measurement counts as hung. It is then ignored here, and its runs report the error."""

Announce = Callable[[str], None]


class Probe(TypedDict, total=False):
    """What was measured, the value ``chosen``, a sentence as ``reason``, and the ``key`` of choices and machine.

    ``rounds`` are the measurements of :func:`measure` by "model on task" and way.
    """

    key: dict[str, Any]
    chosen: Any
    reason: str
    matrix_products_per_s: dict[str, float]
    rounds: dict[str, dict[str, Any]]


def choose_precision(specs: Sequence[RunSpec], folder: Path, timeout: float | None, announce: Announce) -> Probe:
    """Return the fastest precision mode for these runs and those that an earlier bench in the folder measured.

    On a CPU whose bf16 matrix products are under 1.2 times as fast as those in fp32 nothing more is measured and
    fp32 is chosen. Compilation is tried on GPUs only: on a CPU it costs every run about 20 seconds and gains less than
    a tenth.

    Args:
        specs: The runs, of which each model is measured once on each task.
        folder: The bench's folder, whose earlier measurements on the same machine are used instead of new ones.
        timeout: Seconds without a sign of progress after which a run counts as hung; for a measurement at most
            :data:`MEASUREMENT_TIMEOUT_S`.
        announce: Called with a sentence before a measurement that takes time.
    """
    device = specs[0].device
    stored = _stored(folder / "precision.json", [device])
    try:
        rates = stored.get("matrix_products_per_s") or run_in_subprocess(
            matrix_rates, device, timeout=MEASUREMENT_TIMEOUT_S
        )
    except ZooError as error:
        return {"key": stored["key"], "chosen": "fp32", "reason": f"matrix products were not measured: {error}"}
    measured: Probe = {"key": stored["key"], "matrix_products_per_s": rates}
    gain = rates["bf16"] / rates["fp32"]
    if gain < MIN_MATRIX_GAIN:
        reason = f"matrix products in bf16 run at {gain:.2f} times the speed of fp32 here"
        return {**measured, "chosen": "fp32", "reason": reason}
    modes = [mode for mode in get_args(PrecisionMode) if device == "cuda" or "+" not in mode]
    rounds = _rounds(stored, specs, {mode: (mode, 1) for mode in modes}, timeout, announce)
    mode, reason = fastest(rounds)
    return {**measured, "chosen": mode, "reason": reason, "rounds": rounds}


def choose_threads(specs: Sequence[RunSpec], folder: Path, timeout: float | None, announce: Announce) -> Probe:
    """Return the fastest number of CPU threads for these runs, one after another on this machine.

    Tried are all cores and the powers of two below. Small networks are slower on many threads than on few.

    Args:
        specs: The runs, of which each model is measured once on each task.
        folder: As for :func:`choose_precision`.
        timeout: As for :func:`choose_precision`.
        announce: As for :func:`choose_precision`.
    """
    limit = cores()
    numbers = sorted({2**i for i in range(limit.bit_length())} | {limit})
    mode = specs[0].precision_mode or "fp32"
    stored = _stored(folder / "threads.json", [mode, *numbers])
    rounds = _rounds(stored, specs, {f"threads={n}": (mode, n) for n in numbers}, timeout, announce)
    usable = [results for results in rounds.values() if not any("error" in r for r in results.values())]
    total = {n: sum(math.log(results[f"threads={n}"]["seconds"]) for results in usable) for n in numbers}
    best = min(numbers, key=lambda n: total[n])
    gain = math.exp((total[1] - total[best]) / max(len(usable), 1))
    reason = f"rounds run at {gain:.2f} times the speed of one thread here" if usable else "no model works"
    return {"key": stored["key"], "chosen": best, "reason": reason, "rounds": rounds}


def _stored(path: Path, choices: Sequence[Any]) -> Probe:
    """Return the measurement in a file if it has the same choices and machine, else an empty one with its key."""
    key = {"choices": list(choices), "machine": environment()}
    return cast(Probe, {"key": key, **(read_keyed(path, key) or {})})


def _rounds(
    stored: Probe,
    specs: Sequence[RunSpec],
    ways: Mapping[str, tuple[PrecisionMode, int]],
    timeout: float | None,
    announce: Announce,
) -> dict[str, dict[str, Any]]:
    """Return stored results, and measure those of missing models: ``{model on task: {way: result of measure}}``.

    Earlier measurements count too, so that all runs of a folder share one choice wherever they can.
    """
    rounds = dict(stored.get("rounds", {}))
    missing = {name: spec for spec in specs if (name := f"{spec.model} on {spec.task}") not in rounds}
    if missing:
        announce(f"measuring rounds of {len(missing)} model{'s' * (len(missing) > 1)}: {', '.join(ways)}")
    for name, spec in missing.items():
        try:
            results = run_in_subprocess(
                measure, spec, list(ways.values()), timeout=min(timeout or MEASUREMENT_TIMEOUT_S, MEASUREMENT_TIMEOUT_S)
            )
        except ZooError as error:
            results = [{"error": str(error)}] * len(ways)
        rounds[name] = dict(zip(ways, results, strict=True))
    return rounds


def fastest(measured: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Return the mode with the lowest mean time of those that work and agree for all, and why; fp32 if it gains little.

    A model that fails in fp32 fails in every mode. It is ignored here, and its runs report the error.

    Args:
        measured: Results of :func:`measure`, by model and mode.
    """
    measured = {name: results for name, results in measured.items() if "error" not in results["fp32"]}
    if not measured:
        return "fp32", "no model works"
    modes = next(iter(measured.values()))
    usable = [m for m in modes if all(_agrees(results[m], results["fp32"]) for results in measured.values())]
    total = {mode: sum(math.log(results[mode]["seconds"]) for results in measured.values()) for mode in usable}
    gains = {mode: math.exp((total["fp32"] - total[mode]) / len(measured)) for mode in usable if mode != "fp32"}
    best = max(gains, key=lambda mode: gains[mode], default="fp32")
    reasons = [f"rounds in {best} run at {gains[best]:.2f} times the speed of fp32 here"] if gains else []
    if left_out := sorted(set(modes) - set(usable)):
        reasons.append(f"{', '.join(left_out)} failed or its losses differ")
    return best if gains.get(best, 1.0) >= MIN_ROUND_GAIN else "fp32", "; ".join(reasons)


def _agrees(result: dict[str, Any], reference: dict[str, Any]) -> bool:
    if "error" in result:
        return False
    if result is reference:
        return True
    pairs = [(loss, reference["losses"][player]) for player, loss in result["losses"].items()]
    return all(abs(a - b) <= LOSS_TOLERANCE * (1 + abs(b)) for a, b in pairs)


def matrix_rates(device: str) -> dict[str, float]:
    """Return products of two square matrices per second, in fp32 and in bf16."""
    torch.set_num_threads(1)
    rates = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.randn(2, MATRIX_SIDE, MATRIX_SIDE, device=device).to(dtype)
        times = [_timed(lambda a=a, b=b: a @ b, device) for _ in range(12)]
        rates[name] = 1 / min(times[2:])
    return rates


def measure(spec: RunSpec, ways: Iterable[tuple[PrecisionMode, int]]) -> list[dict[str, Any]]:
    """Play a few rounds of a run in every way, from the same weights on the same batches.

    Args:
        spec: The run.
        ways: Precision modes and numbers of CPU threads.

    Returns:
        For every way ``{"seconds": of a round, "losses": {player: loss}}``, or ``{"error": sentence}``.
    """
    keep_freed_memory()
    device = torch.device(spec.device)
    task = load_task(installed().tasks.get(spec.task))
    results: list[dict[str, Any]] = []
    for mode, threads in ways:
        torch.set_num_threads(threads)
        try:
            torch.manual_seed(0)
            model = build_on(device, installed().models.get(spec.model), task.shape, spec.config)
            game = Game(model.train(), mode, recount=False)
            stream = Stream(task.train.data, 0, device)

            def play(game: Game = game, stream: Stream = stream) -> None:
                game.play(stream.next(game.model.config.batch_size), 0.0)

            times = [_timed(play, spec.device) for _ in range(WARM_UP_ROUNDS + TIMED_ROUNDS)][WARM_UP_ROUNDS:]
            losses = {name: float(loss) for name, loss in game.losses.items()}
            results.append({"seconds": sum(times) / TIMED_ROUNDS, "losses": losses})
        except FAILURES as error:
            results.append({"error": error_sentence(error)})
    return results


def _timed(call: Any, device: str) -> float:
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start

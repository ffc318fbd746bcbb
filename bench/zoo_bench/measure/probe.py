"""What is fastest on this machine: short measurements before a bench, stored with its results.

All runs of a bench share one arithmetic and one number of threads, so that a difference in a table is the model's. How
much an arithmetic gains depends on the kind of data: rounds on points hardly change, those on images of 28 pixels may
take half the time. So every model is timed on each of the bench's tasks, and the geometric mean over all decides.

An arithmetic counts only if the gradients of every player's first move agree with those of fp32 for every model that
works in fp32. They are taken from the same weights on the same batch: later losses would not do, because in a game any
difference grows, also that between two rounding errors of fp32. On CPUs an arithmetic is measured on one thread, as
runs are by default.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast, get_args

import torch
from torch import Tensor

from zoo.errors import FAILURES, ZooError, error_sentence
from zoo.machine import cores
from zoo.model import GenerativeModel
from zoo.registry import installed
from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.environment import environment
from zoo_bench.core.keyed import read_keyed
from zoo_bench.core.processes import keep_freed_memory
from zoo_bench.data.loading import load_task
from zoo_bench.data.stream import Stream
from zoo_bench.measure.gradients import DRAWS, agreement, refusal
from zoo_bench.plan.spec import PrecisionMode, RunSpec
from zoo_bench.train.game import Game, build_on

MATRIX_SIDE = 512
MIN_MATRIX_GAIN, MIN_ROUND_GAIN = 1.2, 1.1
"""Gains of matrix products from which on rounds are measured, and of rounds from which on a mode is chosen."""
BLOCK_ROUNDS, BLOCKS = 5, 4
"""Every way plays a block in its turn, so that a machine that others use slows all of them; the first is a warm-up."""
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
    fp32 is chosen. Compilation is tried on GPUs only, where it may pay without bf16: on a CPU it costs every run about
    20 seconds and gains less than a tenth.

    Args:
        specs: The runs, of which each model is measured once on each task.
        folder: The bench's folder, whose earlier measurements on the same machine are used instead of new ones.
        timeout: Seconds without a sign of progress after which a run counts as hung; for a measurement at most
            :data:`MEASUREMENT_TIMEOUT_S`.
        announce: Called with a sentence before a measurement that takes time.
    """
    device = specs[0].device
    stored = _stored_precision(folder, device)
    try:
        rates = stored.get("matrix_products_per_s") or run_in_subprocess(
            matrix_rates, device, timeout=MEASUREMENT_TIMEOUT_S
        )
    except ZooError as error:
        return {"key": stored["key"], "chosen": "fp32", "reason": f"matrix products were not measured: {error}"}
    measured: Probe = {"key": stored["key"], "matrix_products_per_s": rates}
    gain = rates["bf16"] / rates["fp32"]
    if device != "cuda" and gain < MIN_MATRIX_GAIN:
        reason = f"matrix products in bf16 run at {gain:.2f} times the speed of fp32 here"
        return {**measured, "chosen": "fp32", "reason": reason}
    rounds = _rounds(stored, specs, {mode: (mode, 1) for mode in _modes(device)}, timeout, announce)
    mode, reason = fastest(rounds)
    return {**measured, "chosen": mode, "reason": reason, "rounds": rounds}


def stored_precision(specs: Sequence[RunSpec], folder: Path) -> Probe | None:
    """Return what :func:`choose_precision` would return without measuring anything; None if it would measure."""
    stored = _stored_precision(folder, specs[0].device)
    names = {_name(spec) for spec in specs}
    is_complete = "matrix_products_per_s" in stored and names <= set(stored.get("rounds", names))
    return stored if is_complete else None


def _stored_precision(folder: Path, device: str) -> Probe:
    return _stored(folder / "precision.json", [device, *_modes(device)])


def _modes(device: str) -> list[PrecisionMode]:
    return [mode for mode in get_args(PrecisionMode) if device == "cuda" or "+" not in mode]


def _name(spec: RunSpec) -> str:
    return f"{spec.model} on {spec.task}"


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
    missing = {name: spec for spec in specs if (name := _name(spec)) not in rounds}
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
        measured: Results of :func:`measure`, by "model on task" and mode.
    """
    measured = {name: results for name, results in measured.items() if "error" not in results["fp32"]}
    if not measured:
        return "fp32", "no model works"
    refusals: dict[str, str] = {}
    for name, results in measured.items():
        for mode, result in results.items():
            if why := refusal(name, result):
                refusals.setdefault(mode, f"{mode} refused: {why}")
    usable = [mode for mode in next(iter(measured.values())) if mode not in refusals]
    total = {mode: sum(math.log(results[mode]["seconds"]) for results in measured.values()) for mode in usable}
    gains = {mode: math.exp((total["fp32"] - total[mode]) / len(measured)) for mode in usable if mode != "fp32"}
    best = max(gains, key=lambda mode: gains[mode], default="fp32")
    reasons = [f"rounds in {best} run at {gains[best]:.2f} times the speed of fp32 here"] if gains else []
    return best if gains.get(best, 1.0) >= MIN_ROUND_GAIN else "fp32", "; ".join([*reasons, *refusals.values()])


def matrix_rates(device: str) -> dict[str, float]:
    """Return products of two square matrices per second, in fp32 and in bf16."""
    torch.set_num_threads(1)
    rates = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.randn(2, MATRIX_SIDE, MATRIX_SIDE, device=device).to(dtype)
        times = [_timed(lambda a=a, b=b: a @ b, device) for _ in range(12)]
        rates[name] = 1 / min(times[2:])
    return rates


def measure(spec: RunSpec, ways: Sequence[tuple[PrecisionMode, int]]) -> list[dict[str, Any]]:
    """Play a few rounds of a run in every way, in turns, from the same weights on the same batches.

    Args:
        spec: The run.
        ways: Precision modes and numbers of CPU threads.

    Returns:
        For every way ``{"seconds": of a round, "gradients": {player: {"cosine": with those of the first way, "norm": as
        a multiple of theirs}}}``, or ``{"error": sentence}``. If all have one mode, gradients are not compared.
    """
    keep_freed_memory()
    device = torch.device(spec.device)
    task = load_task(installed().tasks.get(spec.task))
    draws = DRAWS if len({mode for mode, _ in ways}) > 1 else 0
    reference: list[dict[str, Tensor]] = []
    results: list[dict[str, Any]] = [{} for _ in ways]

    def build(seed: int) -> GenerativeModel:
        torch.manual_seed(seed)
        return build_on(device, installed().models.get(spec.model), task.shape, spec.config)

    def prepared(mode: PrecisionMode) -> tuple[Callable[[], None], dict[str, dict[str, float]]]:
        """Return a block of rounds, and how gradients agree with the reference, which those of the first way are."""
        model = build(0)
        game = Game(model.train(), mode, recount=False)
        stream = Stream(task.train.data, 0, device, labels=task.train.modes if spec.conditional else None)
        gradients = []
        for seed in range(draws):
            model.load_state_dict(build(seed).state_dict())  # a new game would have to be compiled again
            found = game.gradients(*stream.next_labelled(model.config.batch_size))
            gradients.append({player: gradient.cpu() for player, gradient in found.items()})
        reference.extend(() if reference else gradients)

        def play() -> None:
            for _ in range(BLOCK_ROUNDS):
                real, labels = stream.next_labelled(model.config.batch_size)
                game.play(real, 0.0, labels)

        return play, agreement(gradients, reference)

    blocks: dict[int, Callable[[], None]] = {}
    times: dict[int, list[float]] = {i: [] for i in range(len(ways))}
    for turn in range(1 + BLOCKS):
        for i, (mode, threads) in enumerate(ways):
            torch.set_num_threads(threads)
            try:
                if turn == 0:
                    blocks[i], results[i]["gradients"] = prepared(mode)
                elif i in blocks:
                    times[i].append(_timed(blocks[i], spec.device) / BLOCK_ROUNDS)
            except FAILURES as error:
                blocks.pop(i, None)
                results[i] = {"error": error_sentence(error)}
    for i in blocks:
        results[i]["seconds"] = statistics.fmean(times[i][1:])
    return results


def _timed(call: Any, device: str) -> float:
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start

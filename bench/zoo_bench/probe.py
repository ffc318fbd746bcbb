"""What is fastest on this machine: short measurements before a bench, kept beside its results.

All runs of a table share one arithmetic and one number of threads, so that a difference is the model's. An arithmetic
counts only if the losses after a few rounds agree with those of fp32 for every model that works in fp32. On CPUs it is
measured on one thread, as runs are by default.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import torch

from zoo.errors import FAILURES, ZooError, described
from zoo.model import build
from zoo.registry import installed
from zoo_bench.environment import environment
from zoo_bench.processes import apart, keep_memory
from zoo_bench.resources import cores
from zoo_bench.spec import PrecisionMode, RunSpec, load_task
from zoo_bench.stream import Stream
from zoo_bench.train import Game

MATRIX = 512
PROMISING = 1.2
WARM_UP, ROUNDS = 5, 15
TOLERANCE = 0.05

Probe = dict[str, Any]
"""What was measured, with what was ``chosen``, a sentence as ``reason``, and a ``key`` of what it holds for."""


def choose_precision(specs: Sequence[RunSpec], folder: Path) -> Probe:
    """Return the fastest precision mode for these runs.

    On a CPU whose bf16 matrix products are under 1.2 times as fast as those in fp32 nothing more is measured: fp32 it
    is. Compilation is tried on GPUs only: on a CPU it costs every run about 20 seconds and gains less than a tenth.

    Args:
        specs: The runs, of which each model is measured once on each task.
        folder: Where an earlier bench may have left the same measurement, which is then taken instead.
    """
    device = specs[0].device

    def measured(distinct: Sequence[RunSpec]) -> Probe:
        rates = apart(matrix_rates, device)
        gain = rates["bf16"] / rates["fp32"]
        if gain < PROMISING:
            reason = f"matrix products in bf16 run at {gain:.2f} times the speed of fp32 here"
            return {"chosen": "fp32", "reason": reason, "matrix_products_per_s": rates}
        modes = [mode for mode in get_args(PrecisionMode) if device == "cuda" or "+" not in mode]
        rounds = {str(spec): _measured(spec, [(mode, 1) for mode in modes], modes) for spec in distinct}
        chosen, reason = fastest(rounds)
        return {"chosen": chosen, "reason": reason, "matrix_products_per_s": rates, "rounds": rounds}

    return _kept(folder / "precision.json", specs, [device], measured)


def choose_threads(specs: Sequence[RunSpec], folder: Path) -> Probe:
    """Return the fastest number of CPU threads for these runs, one after another on this machine.

    Tried are all cores and the powers of two below. Small networks are slower on many threads than on few.

    Args:
        specs: The runs, of which each model is measured once on each task.
        folder: As for :func:`choose_precision`.
    """
    limit = cores()
    numbers = sorted({2**i for i in range(limit.bit_length())} | {limit})

    def measured(distinct: Sequence[RunSpec]) -> Probe:
        names = [str(n) for n in numbers]
        rounds = {str(s): _measured(s, [(s.precision_mode, n) for n in numbers], names) for s in distinct}
        usable = [own for own in rounds.values() if not any("error" in found for found in own.values())]
        best = min(names, key=lambda name: sum(math.log(own[name]["seconds"]) for own in usable))
        logs = [math.log(own["1"]["seconds"] / own[best]["seconds"]) for own in usable]
        gain = math.exp(sum(logs) / len(logs)) if logs else 1.0
        reason = f"rounds run at {gain:.2f} times the speed of one thread here" if usable else "no model works"
        return {"chosen": int(best), "reason": reason, "rounds": rounds}

    return _kept(folder / "threads.json", specs, numbers, measured)


def _kept(
    path: Path, specs: Sequence[RunSpec], choices: Sequence[Any], measure: Callable[[Sequence[RunSpec]], Probe]
) -> Probe:
    """Return the measurement in a file if it is of the same models, choices and machine, else a new one."""
    distinct = list({(s.model, s.task): s for s in specs}.values())
    names = sorted(f"{s.model} on {s.task}" for s in distinct)
    key = {"models": names, "choices": list(choices), "machine": environment()}
    stored = _read(path)
    return stored if stored.get("key") == key else {"key": key, **measure(distinct)}


def fastest(measured: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Return the mode with the lowest summed time among those that work and agree for all, and why.

    A model that fails in fp32 fails in any mode, and has no say: its runs will tell of it.

    Args:
        measured: By model and mode what :func:`measure` returns.
    """
    measured = {name: own for name, own in measured.items() if "error" not in own["fp32"]}
    if not measured:
        return "fp32", "no model works"
    modes = next(iter(measured.values()))
    usable = [m for m in modes if all(_agrees(own[m], own["fp32"]) for own in measured.values())]
    total = {mode: sum(math.log(own[mode]["seconds"]) for own in measured.values()) for mode in usable}
    best = min(usable, key=lambda mode: total[mode])
    gain = math.exp((total["fp32"] - total[best]) / len(measured))
    left_out = sorted({m for own in measured.values() for m in own} - set(usable))
    notes = f"; {', '.join(left_out)} failed or its losses differ" if left_out else ""
    return best, f"rounds in {best} run at {gain:.2f} times the speed of fp32 here{notes}"


def _agrees(found: dict[str, Any], reference: dict[str, Any]) -> bool:
    if "error" in found:
        return False
    if found is reference:
        return True
    pairs = [(loss, reference["losses"][player]) for player, loss in found["losses"].items()]
    return all(abs(a - b) <= TOLERANCE * (1 + abs(b)) for a, b in pairs)


def matrix_rates(device: str) -> dict[str, float]:
    """Return products of two square matrices per second, in fp32 and in bf16."""
    torch.set_num_threads(1)
    rates = {}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.randn(2, MATRIX, MATRIX, device=device).to(kind)
        times = [_timed(lambda a=a, b=b: a @ b, device) for _ in range(12)]
        rates[name] = 1 / min(times[2:])
    return rates


def _measured(spec: RunSpec, ways: Sequence[tuple[PrecisionMode, int]], names: Sequence[str]) -> dict[str, Any]:
    try:
        return dict(zip(names, apart(measure, spec, ways), strict=True))
    except ZooError as error:
        return {name: {"error": str(error)} for name in names}


def measure(spec: RunSpec, ways: Iterable[tuple[PrecisionMode, int]]) -> list[dict[str, Any]]:
    """Play a few rounds of a run in every way, from the same weights on the same batches.

    Args:
        spec: The run.
        ways: Precision modes and numbers of CPU threads.

    Returns:
        For every way ``{"seconds": of a round, "losses": {player: loss}}``, or ``{"error": sentence}``.
    """
    keep_memory()
    device = torch.device(spec.device)
    task = load_task(installed().tasks.get(spec.task))
    found: list[dict[str, Any]] = []
    for mode, threads in ways:
        torch.set_num_threads(threads)
        try:
            torch.manual_seed(0)
            model = build(installed().models.get(spec.model), task.shape, spec.config).to(device)
            game = Game(model.to(memory_format=torch.channels_last).train(), mode)
            stream = Stream(task.train.data, 0, device)

            def play(game: Game = game, stream: Stream = stream) -> None:
                game.play(stream.next(game.model.config.batch_size), 0.0)

            times = [_timed(play, spec.device) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
            losses = {name: float(loss) for name, loss in game.losses.items()}
            found.append({"seconds": sum(times) / ROUNDS, "losses": losses})
        except FAILURES as error:
            found.append({"error": described(error).partition("\n")[0]})
    return found


def _timed(call: Any, device: str) -> float:
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _read(path: Path) -> Probe:
    try:
        content = json.loads(path.read_bytes())
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}

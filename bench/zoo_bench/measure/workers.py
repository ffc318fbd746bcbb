"""How many runs share a GPU: a short measurement before a bench, stored with its results.

A small network leaves a GPU idle for most of the time, so several runs side by side may finish sooner, until they wait
for each other or for the CPU cores that feed them. What counts here is the rounds of all of them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch

from zoo.errors import FAILURES
from zoo.registry import installed
from zoo_bench.core.environment import environment
from zoo_bench.core.keyed import read_keyed
from zoo_bench.core.processes import context, keep_freed_memory
from zoo_bench.data.loading import load_task
from zoo_bench.data.stream import Stream
from zoo_bench.executors import Finished
from zoo_bench.executors.local import run_with
from zoo_bench.measure.probe import MEASUREMENT_TIMEOUT_S, Announce, Probe
from zoo_bench.plan.record import Outcome, Progress, RunRecord
from zoo_bench.plan.resources import Resources, is_timed, share_this_machine
from zoo_bench.plan.spec import RunSpec
from zoo_bench.train.game import Game, build_on

RUNS_PER_GPU = (1, 2, 4, 8)
MIN_GAIN = 1.1
"""Gain in rounds per second over half as many runs from which on a number is taken."""
WARM_UP_ROUNDS, TIMED_ROUNDS = 5, 50


def choose_workers(specs: Sequence[RunSpec], folder: Path, timeout: float | None, announce: Announce) -> Probe | None:
    """Return how many runs go on at once on this machine's GPUs: one on each, doubled while that gains a tenth.

    Args:
        specs: The runs, of which each model is measured once on each task.
        folder: The bench's folder, whose earlier measurement of the same models on the same machine is used instead.
        timeout: As for :func:`zoo_bench.measure.probe.choose_precision`.
        announce: As there.

    Returns:
        The choice; ``rounds`` has the result of :func:`rates` by number. None if there is none: no run is on a GPU, one
        is against the clock and so has the machine to itself, or there are fewer than two runs for each GPU.
    """
    gpus = [slot.gpu for slot in share_this_machine(specs, None, None) if slot.gpu is not None]
    numbers = [n * len(gpus) for n in RUNS_PER_GPU if n * len(gpus) <= len(specs)]
    if not gpus or is_timed(specs) or len(numbers) < 2:
        return None
    models = {f"{spec.model} on {spec.task}": spec for spec in specs}
    key = {"choices": numbers, "gpus": gpus, "models": sorted(models), "machine": environment()}
    if stored := read_keyed(folder / "workers.json", key):
        return cast(Probe, {"key": key, **stored})
    ways = f"{', '.join(map(str, numbers))} runs at once on {len(gpus)} GPU{'s' * (len(gpus) > 1)}"
    announce(f"measuring rounds of {len(models)} model{'s' * (len(models) > 1)}: {ways}")
    limit = min(timeout or MEASUREMENT_TIMEOUT_S, MEASUREMENT_TIMEOUT_S)
    return {"key": key, **best(numbers, partial(rates, list(models.values()), timeout=limit))}


def best(numbers: Sequence[int], rates_of: Callable[[int], dict[str, float]]) -> Probe:
    """Return the last number of runs at once that gains :data:`MIN_GAIN` over the one before, as all before it do.

    Args:
        numbers: Of runs at once, ascending.
        rates_of: Returns what :func:`rates` does. A model that fails for the first number has no say.
    """
    chosen, reasons = numbers[0], []
    rounds = {str(chosen): rates_of(chosen)}
    for number in numbers[1:] if rounds[str(chosen)] else ():
        before, now = rounds[str(chosen)], rates_of(number)
        gain = math.prod(now.get(model, 0.0) / rate for model, rate in before.items()) ** (1 / len(before))
        reasons.append(f"{number} at once play {gain:.2f} times as many rounds as {chosen}")
        rounds[str(number)] = now
        if gain < MIN_GAIN:
            break
        chosen = number
    return {"chosen": chosen, "reason": "; ".join(reasons) or "no model works", "rounds": rounds}


def rates(specs: Sequence[RunSpec], workers: int, *, timeout: float | None) -> dict[str, float]:
    """Return the rounds per second of every model on its task, summed over some runs of it at once.

    Each process has the share of the machine that a run has, and plays all models one after another, at the same time
    as the others. A model that fails in any of them is left out.

    Args:
        specs: One run of every model on every task.
        workers: Processes.
        timeout: Seconds without a sign of progress after which one counts as hung.
    """
    turns = [specs[0]] * workers
    work = partial(play, specs=specs, together=context().Barrier(workers, timeout=timeout))
    events = run_with(share_this_machine(turns, workers, None), turns, timeout, work)
    found = [event.outcome.record.throughput for event in events if isinstance(event, Finished)]
    names = set(found[0]).intersection(*found[1:])
    return {name: sum(own[name] for own in found) for name in sorted(names)}


def play(
    first: RunSpec,
    resources: Resources,
    on_progress: Callable[[Progress], None],
    *,
    specs: Sequence[RunSpec],
    together: Any,
) -> Outcome:
    """Play some rounds of runs, one after another; the throughput of the record has the rounds per second of each.

    Args:
        first: The run that the record is made of.
        resources: What this process has of the machine.
        on_progress: Not called: rounds take a second.
        specs: The runs. One that fails is left out.
        together: A barrier at which every process waits before it plays each of them.
    """
    keep_freed_memory()
    torch.set_num_threads(resources.threads)
    record = RunRecord.begun(first, resources)
    for spec in specs:
        begun = None
        with suppress(*FAILURES):
            begun = _begun(spec, resources)
            _rate(*begun, WARM_UP_ROUNDS)
        together.wait()
        with suppress(*FAILURES):
            if begun:
                record.throughput[f"{spec.model} on {spec.task}"] = _rate(*begun, TIMED_ROUNDS)
    return Outcome(record)


def _begun(spec: RunSpec, resources: Resources) -> tuple[Game, Stream]:
    """Build the model of a run, untrained; it is not compiled, which takes longer than all that is measured here."""
    device, task = torch.device(spec.device), load_task(installed().tasks.get(spec.task))
    torch.manual_seed(0)
    model = build_on(device, installed().models.get(spec.model), task.shape, spec.config)
    game = Game(model.train(), "bf16" if (spec.precision_mode or "").startswith("bf16") else "fp32", recount=False)
    labels = task.train.modes if spec.conditional else None
    return game, Stream(task.train.data, 0, device, resources.memory, resources.gpu_share, labels)


def _rate(game: Game, stream: Stream, rounds: int) -> float:
    before = game.meter.seconds
    game.meter.start()
    for _ in range(rounds):
        real, labels = stream.next_labelled(game.model.config.batch_size)
        game.play(real, 0.0, labels)
    game.stop_clock()
    return rounds / (game.meter.seconds - before)

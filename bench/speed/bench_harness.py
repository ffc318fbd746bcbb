"""What the harness itself costs: start-up, executors, and two runs side by side against one with two threads.

    pytest bench/speed/bench_harness.py --benchmark-json harness.json && python bench/speed/ratios.py harness.json

Ray is left out if it is not installed.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest

from zoo.registry import installed
from zoo_bench.data.loading import load_task
from zoo_bench.executors import Finished, Options, local
from zoo_bench.judges.panel import Panel
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.plan.spec import RunSpec
from zoo_bench.run.execute import execute

ZOO = str(Path(sys.executable).with_name("zoo"))
STARTS, TRIVIAL_RUNS = 5, 10


@cache
def every() -> Scoring:
    """Ask for every metric, under a panel that has been trained."""
    panel, entry = Panel(seed=7), installed().tasks.get("digits")
    panel.train(entry.spec, load_task(entry), print)
    return Scoring(tuple(entry.spec.name for entry in installed().metrics if not entry.spec.on_request), panel=panel)


def specs_of(models: str, task: str, budget: str, seeds: int, threads: int = 1) -> list[RunSpec]:
    return plan(BenchOptions(models=models, task=task, budget=budget, seeds=seeds, device="cpu", threads=threads)).runs


def finish(executor, specs: list[RunSpec], options: Options) -> None:
    records = [event.outcome.record for event in executor(specs, options) if isinstance(event, Finished)]
    assert len(records) == len(specs)
    assert {record.status for record in records} == {"ok"}


def starts(*command: str) -> Callable[[], None]:
    """With bytecode on disk, as an installed package has it."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def loop() -> None:
        for _ in range(STARTS):
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    return loop


def test_start_up(pair):
    ours = partial(starts, ZOO, "models")
    libraries = partial(
        starts, sys.executable, "-c", "import importlib.metadata, pluggy, rich.console, rich.table, typer"
    )
    pair(ours, libraries, what="start of `zoo models`", against="its libraries", items=STARTS)


def trivial_specs() -> list[RunSpec]:
    return specs_of("vae", "ring8", "1rounds", TRIVIAL_RUNS)


def in_processes() -> Callable[[], None]:
    options = Options(workers=1, threads=1, scoring=Scoring(("mixture-modes",)))
    return partial(finish, local.run, trivial_specs(), options)


def in_one_process() -> Callable[[], None]:
    specs, scoring = trivial_specs(), Scoring(("mixture-modes",))

    def loop() -> None:
        for spec in specs:
            assert execute(spec, Resources(1, False), scoring=scoring).record.status == "ok"

    return loop


def test_trivial_runs(pair):
    """Of one round, in a process of their own and without one: the difference is what a process costs."""
    pair(in_processes, in_one_process, what="runs of one round", against="in one process", items=TRIVIAL_RUNS)


def digits(workers: int, threads: int) -> Callable[[], None]:
    specs = specs_of("all", "digits", "20k", 2, threads)
    return partial(finish, local.run, specs, Options(workers, threads, scoring=every()))


def test_workers(pair):
    ours, theirs = partial(digits, workers=2, threads=1), partial(digits, workers=1, threads=2)
    what = "digits, all six models, 20k images"
    pair(ours, theirs, what=what, against="one run, two threads", items=12)


def longer(executor: str) -> Callable[[], None]:
    run = importlib.import_module(f"zoo_bench.executors.{executor}").run
    return partial(finish, run, specs_of("all", "digits", "100k", 3), Options(threads=1, scoring=every()))


def test_ray(pair):
    pytest.importorskip("ray")
    what = "the local executor against Ray on one machine"
    pair(partial(longer, "local"), partial(longer, "ray"), what=what, against="ray", items=18)

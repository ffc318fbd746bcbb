"""What the harness itself costs: start-up, executors, and two runs side by side against one with two threads.

    pytest bench/speed/bench_harness.py --benchmark-json harness.json && python bench/speed/ratios.py harness.json

Ray is left out if it is not installed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
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
TRIVIAL_RUNS = 30


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


@pytest.mark.parametrize(
    ("how", "command"),
    [
        ("ours", [ZOO, "models"]),
        ("its libraries", [sys.executable, "-c", "import importlib.metadata, pluggy, rich.console, rich.table, typer"]),
    ],
    ids=["zoo", "libraries"],
)
def test_start_up(benchmark, how, command):
    """With bytecode on disk, as an installed package has it."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    benchmark.group = "start of `zoo models`"
    benchmark.extra_info |= {"loop": how, "items": 1}
    benchmark.pedantic(
        lambda: subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL),
        rounds=15,
        warmup_rounds=2,
    )


@pytest.mark.parametrize("how", ["ours", "in one process"])
def test_trivial_runs(benchmark, how):
    """A run of one round, in a process of its own and without one: the difference is what a process costs."""
    benchmark.group = "runs of one round"
    benchmark.extra_info |= {"loop": how, "items": TRIVIAL_RUNS}
    specs = specs_of("vae", "ring8", "1rounds", TRIVIAL_RUNS)
    scoring = Scoring(("mixture-modes",))

    def in_processes() -> None:
        finish(local.run, specs, Options(workers=1, threads=1, scoring=scoring))

    def in_one_process() -> None:
        for spec in specs:
            assert execute(spec, Resources(1, False), scoring=scoring).record.status == "ok"

    benchmark.pedantic(in_processes if how == "ours" else in_one_process, rounds=2, warmup_rounds=1)


@pytest.mark.parametrize(("how", "workers", "threads"), [("ours", 2, 1), ("one run, two threads", 1, 2)])
def test_workers(benchmark, how, workers, threads):
    benchmark.group = "digits, all six models, 20k images"
    specs = specs_of("all", "digits", "20k", 2, threads)
    benchmark.extra_info |= {"loop": how, "items": len(specs)}
    benchmark.pedantic(
        finish, args=(local.run, specs, Options(workers, threads, scoring=every())), rounds=1, warmup_rounds=0
    )


@pytest.mark.parametrize("how", ["ours", "ray"])
def test_ray(benchmark, how):
    if not importlib.util.find_spec("ray"):
        pytest.skip("ray is not installed")
    from zoo_bench.executors import ray

    benchmark.group = "the local executor against Ray on one machine"
    specs = specs_of("all", "digits", "100k", 3)
    benchmark.extra_info |= {"loop": how, "items": len(specs)}
    executor = local.run if how == "ours" else ray.run
    benchmark.pedantic(finish, args=(executor, specs, Options(threads=1, scoring=every())), rounds=1, warmup_rounds=0)

"""The fixture ``pair``: two loops take turns, A B A B, so that what else the machine does meets both alike.

Each loop has a process of its own, which waits while the other one's runs. Beside wall time stands CPU time, which
other processes hardly change. ``ratios.py`` makes a table of what is stored; ``--pairs 1`` tries whether a file runs.
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress

import psutil
import pytest
import torch

Loop = Callable[[], Callable[[], object]]
"""Prepares a loop, which is not timed, and returns what is. It is pickled: a function of a module, or its partial."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pairs", type=int, default=9, help="how often two loops take turns; a 95 %% interval needs 6 (default: 9)"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-benchmark measure: it takes the project's ``--dist`` for tests that run beside each other."""
    if not config.getoption("numprocesses", None):
        config.option.dist = "no"


@pytest.fixture
def pair(benchmark, pytestconfig):
    """Return a function that measures two loops in turns, after one turn each to warm up."""

    def measure(ours: Loop, theirs: Loop, *, what: str, against: str, items: int, threads: int | None = None) -> None:
        """Measure two loops.

        Args:
            ours: One loop; it is prepared anew before each turn.
            theirs: The other.
            what: What both do.
            against: What the other is called.
            items: Images, runs or whatever a turn of either makes.
            threads: Of torch in each process; as many as torch takes by default if not given.
        """
        turns: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn) as our_process, ProcessPoolExecutor(1, spawn) as their_process:

            def take_turns() -> None:
                turns["ours"].append(our_process.submit(seconds, ours, threads).result())
                turns["theirs"].append(their_process.submit(seconds, theirs, threads).result())

            benchmark.group = what
            benchmark.pedantic(take_turns, rounds=pytestconfig.getoption("pairs"), warmup_rounds=1)
        benchmark.extra_info |= {"against": against, "items": items}
        benchmark.extra_info |= {
            side: {clock: [turn[clock] for turn in taken[1:]] for clock in ("cpu", "wall")}
            for side, taken in turns.items()
        }

    return measure


def seconds(loop: Loop, threads: int | None) -> dict[str, float]:
    """Prepare a loop in this process, run it, and return the seconds that it took by either clock."""
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    run = loop()
    gc.collect()
    children, wall, own = seconds_of_children(), time.perf_counter(), time.process_time()
    run()
    own, wall = time.process_time() - own, time.perf_counter() - wall
    return {"wall": wall, "cpu": own + seconds_of_children() - children}


def seconds_of_children() -> float:
    """Return the CPU time of all that this process has started, whether it has ended or not."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])  # its own and its ended children's, user and system
    return total

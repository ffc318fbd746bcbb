"""Packages installed into a folder of their own, and the command line, tests and runs that see them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.registry import installed
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.record import row
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute

Run = Callable[..., subprocess.CompletedProcess[str]]


def python(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run Python in a fresh process and return what it printed."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="session")
def installed_packages(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, str]]:
    """Install packages from their folders, and return the environment of processes that see them."""

    def install(*folders: Path) -> dict[str, str]:
        target = tmp_path_factory.mktemp("site-packages")
        result = python(
            "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation",
            "--target", target, *folders,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        own = {"PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}
        return {**os.environ, **own}

    return install


@pytest.fixture(scope="session")
def zoo_command() -> Run:
    """Run the command line in a fresh process."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return python("-c", "from zoo.cli import entry; entry()", *arguments, **options)

    return run


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Let this process see the packages that processes of an environment see."""

    def see(environment: dict[str, str]) -> None:
        monkeypatch.syspath_prepend(environment["PYTHONPATH"])
        installed.cache_clear()

    yield see
    installed.cache_clear()


@pytest.fixture
def run_models(
    see: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, dict[str, Any]]]:
    """Run models of installed packages as ``zoo bench`` does, but in this process; return their rows by model."""

    def run(environment: dict[str, str], **options: Any) -> dict[str, dict[str, Any]]:
        see(environment)
        monkeypatch.setattr("zoo_bench.run.speed.MEASURED_SECONDS", 0.0)
        monkeypatch.setattr("zoo_bench.score.curve.CURVE_SAMPLES", 100)
        planned = plan(BenchOptions(seeds=1, precision="fp32", **options))
        alone = Resources(threads=1, contended=False)
        scoring = {task: Scoring(scores.wanted) for task, scores in planned.scores.items()}
        return {r.model: row(execute(r, alone, scoring=scoring[r.task]).record) for r in planned.runs}

    return run


@pytest.fixture
def run_tests(see: Callable[[dict[str, str]], None]) -> Callable[[Path, dict[str, str]], int]:
    """Run the tests of an installed package in this process; return pytest's exit code."""

    def run(package: Path, environment: dict[str, str]) -> int:
        see(environment)
        others = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:timeout", "-p", "no:benchmark"]
        return pytest.main(["-q", *others, "-c", str(package / "pyproject.toml"), str(package / "tests")])

    return run

"""Packages installed into a folder of their own, and the command line in a process that sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
        return {**os.environ, "PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}

    return install


@pytest.fixture(scope="session")
def zoo_command() -> Run:
    """Run the command line in a fresh process."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return python("-c", "from zoo.cli import entry; entry()", *arguments, **options)

    return run


@pytest.fixture(scope="session")
def run_python() -> Run:
    """Run Python in a fresh process."""
    return python

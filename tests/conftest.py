"""Fixtures of all tests: one thread, fake installed distributions, and turns outside a harness."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from zoo.model import Turn
from zoo.registry import Registry, discover

pytest_plugins = ["drawn_benches", "pictures"]  # of the folder fixtures/


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a GPU that torch can use through CUDA")


class FakeDistributions:
    """Distributions in a folder on ``sys.path``, laid out as an installer leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []
        self.modules: list[str] = []

    def add(self, name: str, entry_points: dict[str, str], *, version: str = "1.0", **modules: str) -> None:
        """Install a distribution: its entry points in the group ``zoo``, and its modules' source."""
        info = self.folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"{key} = {value}" for key, value in entry_points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[zoo]", *lines, ""]))
        for module, source in modules.items():
            (self.folder / f"{module}.py").write_text(textwrap.dedent(source))
        self.names.append(name)
        self.modules += modules
        importlib.invalidate_caches()

    def discover(self) -> Registry:
        """Discover these distributions and no others."""
        points = importlib.metadata.entry_points(group="zoo")
        return discover(p for p in points if p.dist and p.dist.name in self.names)


@pytest.fixture
def distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDistributions]:
    """A folder on ``sys.path`` for fake distributions; their modules are forgotten afterwards."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    fakes = FakeDistributions(folder)
    yield fakes
    for module in fakes.modules:
        sys.modules.pop(module, None)


@pytest.fixture
def make_turn() -> Callable[..., Turn]:
    """Make a turn in which nobody else moves."""

    def make(real: torch.Tensor, progress: float = 0.0) -> Turn:
        return Turn(real, 0, progress, (), lambda player: None)

    return make

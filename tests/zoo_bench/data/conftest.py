"""Fixtures of the data tests: empty data and cache folders, no network, and folders of small pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torchvision
from PIL import Image

from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.run.execute import Resources, execute


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``$ZOO_CACHE``, so that no test touches the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ZOO_CACHE", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``$ZOO_DATA``."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("ZOO_DATA", str(folder))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network: every download fails after it has written a part."""

    def fail(url: str, root: str | Path, filename: str | Path, *_: object, **__: object) -> None:
        Path(root).mkdir(parents=True, exist_ok=True)
        (Path(root) / filename).write_bytes(b"half")
        raise RuntimeError("the network is unreachable.")

    monkeypatch.setattr(torchvision.datasets.utils, "download_url", fail)
    monkeypatch.setattr(torchvision.datasets.svhn, "download_url", fail)


def draw_pictures(
    folder: Path, n: int, *, size: tuple[int, int] = (12, 12), seed: int = 0, suffix: str = "png"
) -> None:
    """Write ``n`` different pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(n):
        pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}-{i:04}.{suffix}")


@pytest.fixture
def draw() -> Callable[..., None]:
    """Return :func:`draw_pictures`."""
    return draw_pictures


@pytest.fixture(
    params=[pytest.param(("vae", "64"), id="vae"), pytest.param(("vae,dcgan", "5k"), id="5k", marks=pytest.mark.slow)]
)
def runs(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Run models on a task as ``zoo bench`` does, in this process; by default one that sees a single batch."""
    models, budget = request.param

    def run(task: str, models: str = models) -> None:
        for spec in plan(BenchOptions(models=models, task=task, budget=budget, seeds=1, metrics="fid")).runs:
            record = execute(spec, Resources(threads=1, contended=True)).record
            assert (record.status, record.error) == ("ok", "")
            assert record.metrics["fid"] > 0

    return run


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of 120 different pictures."""
    folder = tmp_path / "My Pictures"
    draw_pictures(folder, 120)
    return folder

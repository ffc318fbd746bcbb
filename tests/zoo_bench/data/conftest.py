"""Fixtures of the data tests: no user's cache, no network, small pictures, and runs on a task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torchvision

from pictures import draw_pictures
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import Resources, execute


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """No test touches the user's cache."""


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network: every download fails after it has written a part."""

    def fail(url: str, root: str | Path, filename: str | Path, *_: object, **__: object) -> None:
        Path(root).mkdir(parents=True, exist_ok=True)
        (Path(root) / filename).write_bytes(b"half")
        raise RuntimeError("the network is unreachable.")

    monkeypatch.setattr(torchvision.datasets.utils, "download_url", fail)
    monkeypatch.setattr(torchvision.datasets.svhn, "download_url", fail)


@pytest.fixture
def draw() -> Callable[..., None]:
    """Return :func:`draw_pictures`."""
    return draw_pictures


@pytest.fixture(
    params=[pytest.param(("vae", "64"), id="vae"), pytest.param(("vae,dcgan", "5k"), id="5k", marks=pytest.mark.slow)]
)
def runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run models on a task as ``zoo bench`` does, in this process; by default one that sees a single batch."""
    models, budget = request.param
    monkeypatch.setattr("zoo_bench.score.curve.CURVE_SAMPLES", 100)

    def run(task: str, models: str = models) -> None:
        for spec in plan(BenchOptions(models=models, task=task, budget=budget, seeds=1)).runs:
            record = execute(spec, Resources(threads=1, contended=True), scoring=Scoring(("fid",))).record
            assert (record.status, record.error) == ("ok", "")
            assert record.metrics["fid"] > 0

    return run

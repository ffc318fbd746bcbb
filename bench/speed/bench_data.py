"""A folder of 5,000 PNG files: preparing it, starting again, and training from it beside training from memory.

    pytest bench/speed/bench_data.py --benchmark-group-by=group --benchmark-columns=min,median,max

``prepare`` reads every file with an empty cache, and ``second start`` finds the images of an unchanged folder. Within
``batches`` and ``training``, the ratio of the two medians is what the memory-mapped file costs. ``larger than memory``
means that the file stays where it is, as for data that do not fit.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo_bench.core.budget import Budget
from zoo_bench.data import stream
from zoo_bench.data.pictures.folder import Folder
from zoo_bench.data.pictures.images import Recipe
from zoo_bench.data.pictures.preparing import prepare
from zoo_bench.data.stream import Stream
from zoo_bench.plan.options import BenchOptions
from zoo_bench.train.loop import train

FILES, SIDES = 5_000, (64, 256)
BATCH, BATCHES, ROUNDS = 64, 500, 20
CPU = torch.device("cpu")
PLACES = ["memory", "mapped", "larger than memory"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Folder:
    """Write smooth pictures with some noise, as photographs are, of 64 to 256 pixels."""
    path = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i in range(FILES):
        size = rng.integers(*SIDES, 2, endpoint=True)
        smooth = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
        noisy = np.asarray(smooth, np.int16) + rng.integers(-6, 7, (*size[::-1], 3))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path / f"{i:05}.png", compress_level=1)
    return Folder(path)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("ZOO_CACHE", str(folder))
    return folder


@pytest.fixture
def data(request, pictures, monkeypatch) -> torch.Tensor:
    """Return the prepared images, from a place in PLACES."""
    images = torch.from_numpy(prepare(BenchOptions(models=pictures, task=Recipe())).images)
    if request.param == "larger than memory":
        monkeypatch.setattr(stream, "RESIDENT_SHARE", 0.0)
    return images.clone() if request.param == "memory" else images


@pytest.mark.benchmark(group="prepare")
@pytest.mark.parametrize("size", [32, 64])
def test_prepare(benchmark, pictures, cache, size):
    def empty_cache() -> None:
        shutil.rmtree(cache, ignore_errors=True)

    prepared = benchmark.pedantic(prepare, (pictures, Recipe(size)), setup=empty_cache, rounds=3)
    assert len(prepared.images) == FILES


@pytest.mark.benchmark(group="second start")
def test_second_start(benchmark, pictures):
    prepare(BenchOptions(models=pictures, task=Recipe()))
    benchmark.pedantic(prepare, (pictures, Recipe()), rounds=5)


@pytest.mark.benchmark(group="batches")
@pytest.mark.parametrize("data", PLACES, indirect=True)
def test_batches(benchmark, data):
    batches = Stream(data, 0, CPU)

    def draw() -> None:
        for _ in range(BATCHES):
            batches.next(BATCH)

    benchmark.pedantic(draw, rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("data", PLACES, indirect=True)
def test_training(benchmark, data):
    def setup() -> tuple[tuple[zoo.GenerativeModel, Stream, Budget], dict[str, object]]:
        torch.manual_seed(0)
        model = zoo.create("vae", shape=tuple(data.shape[1:]), width=8).to(memory_format=torch.channels_last)
        return (model, Stream(data, 0, CPU), Budget(rounds=ROUNDS)), {}

    benchmark.pedantic(train, setup=setup, rounds=5, warmup_rounds=1)

"""A folder of 5,000 PNG files: preparing it, starting again, and training from it beside training from memory.

    pytest bench/speed/bench_data.py --benchmark-json data.json && python bench/speed/ratios.py data.json

``prepare`` reads every file with an empty cache, and ``second start`` finds the images of an unchanged folder. The
ratios of batches and of training are what the memory-mapped file costs. ``larger than memory`` means that the file
stays where it is, as for data that do not fit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
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
from zoo_bench.train.loop import train

FILES, SIDES = 5_000, (64, 256)
BATCH, BATCHES, ROUNDS = 64, 500, 20
CPU = torch.device("cpu")


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


@pytest.mark.benchmark(group="prepare")
@pytest.mark.parametrize("size", [32, 64])
def test_prepare(benchmark, pictures, cache, size):
    def empty_cache() -> None:
        shutil.rmtree(cache, ignore_errors=True)

    prepared = benchmark.pedantic(prepare, (pictures, Recipe(size)), setup=empty_cache, rounds=3)
    assert len(prepared.images) == FILES


@pytest.mark.benchmark(group="second start")
def test_second_start(benchmark, pictures):
    prepare(pictures, Recipe())
    benchmark.pedantic(prepare, (pictures, Recipe()), rounds=5)


def images(folder: Folder, place: str) -> torch.Tensor:
    if place == "larger than memory":
        stream.RESIDENT_SHARE = 0.0
    prepared = torch.from_numpy(prepare(folder, Recipe()).images)
    return prepared.clone() if place == "memory" else prepared


def batches(folder: Folder, place: str) -> Callable[[], None]:
    drawn = Stream(images(folder, place), 0, CPU)

    def loop() -> None:
        for _ in range(BATCHES):
            drawn.next(BATCH)

    return loop


def training(folder: Folder, place: str) -> Callable[[], object]:
    data = images(folder, place)
    model = zoo.create("vae", shape=tuple(data.shape[1:]), width=8).to(memory_format=torch.channels_last)
    return partial(train, model, Stream(data, 0, CPU), Budget(rounds=ROUNDS))


@pytest.mark.parametrize("place", ["mapped", "larger than memory"])
@pytest.mark.parametrize("loop", [batches, training])
def test_place(pair, pictures, loop, place):
    ours, memory = partial(loop, pictures, place), partial(loop, pictures, "memory")
    n = BATCHES if loop is batches else ROUNDS
    pair(ours, memory, what=f"{loop.__name__}, {place}", against="memory", items=n * BATCH)

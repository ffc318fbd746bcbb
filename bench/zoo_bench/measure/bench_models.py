"""What pytest-benchmark times for ``zoo bench --throughput``: training, sampling, and the limit of the machine.

Run by :mod:`zoo_bench.measure.throughput` in a process of its own; ``$ZOO_THROUGHPUT`` names a file of runs to time.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from zoo.model import sample_classes
from zoo.registry import installed
from zoo.signs import alive
from zoo_bench.core.processes import keep_freed_memory
from zoo_bench.data.loading import load_task
from zoo_bench.data.stream import Stream
from zoo_bench.plan.spec import RunSpec
from zoo_bench.train.flops import CountFlops
from zoo_bench.train.game import Game, build_on

MEASURED_SECONDS = 0.4
MATRIX_SIDE = 1024
SAMPLE_BATCH_SIZES = (1, 64, 256)
if "ZOO_THROUGHPUT" not in os.environ:
    pytest.skip("run by `zoo bench --throughput`, which says what to time", allow_module_level=True)
WORK = json.loads(Path(os.environ["ZOO_THROUGHPUT"]).read_text())
SPECS = [RunSpec(**fields) for fields in WORK["specs"]]


def rounds(call: Callable[[], Any], minimum: int) -> int:
    """Return how many calls fit into :data:`MEASURED_SECONDS`, but at least ``minimum`` and at most 1000."""
    call()
    start = time.perf_counter()
    call()
    return max(minimum, min(1000, int(MEASURED_SECONDS / (time.perf_counter() - start))))


def wait(device: torch.device) -> None:
    """Wait until the device has finished all work."""
    if device.type == "cuda":
        torch.cuda.synchronize()


@pytest.fixture(autouse=True)
def sign(request: pytest.FixtureRequest) -> None:
    """Say what is timed next."""
    alive(request.node.name)


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: spec.label)
def game(request: pytest.FixtureRequest) -> tuple[Game, Stream]:
    """Build the model of a run as the run does, untrained."""
    spec: RunSpec = request.param
    keep_freed_memory()
    torch.set_num_threads(WORK["threads"])
    torch.manual_seed(0)
    device = torch.device(spec.device)
    task = load_task(installed().tasks.get(spec.task))
    model = build_on(device, installed().models.get(spec.model), task.shape, spec.config)
    stream = Stream(task.train.data, 0, device, labels=task.train.modes if spec.conditional else None)
    return Game(model.train(), spec.precision_mode or "fp32", recount=False), stream


def test_train(game: tuple[Game, Stream], benchmark: Any) -> None:
    """Time blocks of rounds in which every player moves as often as its ``every`` says."""
    play, stream = game
    batch = play.model.config.batch_size
    block = math.lcm(*(player.every for player in play.players))

    def train() -> None:
        for _ in range(block):
            real, labels = stream.next_labelled(batch)
            play.play(real, 0.0, labels)
        wait(play.model.device)

    train()
    before = play.meter.images, play.meter.flops
    train()
    images, flops = play.meter.images - before[0], play.meter.flops - before[1]
    benchmark.pedantic(train, rounds=rounds(train, minimum=5))
    benchmark.group = play.model.__class__.__name__
    benchmark.extra_info |= {"images": images, "flops_per_image": flops / images}


@pytest.mark.parametrize("n", SAMPLE_BATCH_SIZES)
def test_sample(game: tuple[Game, Stream], benchmark: Any, n: int) -> None:
    """Time drawing ``n`` samples."""
    model = game[0].model.eval()

    def sample() -> None:
        with torch.inference_mode():
            sample_classes(model, n)
        wait(model.device)

    benchmark.pedantic(sample, rounds=rounds(sample, minimum=100 if n == 1 else 5))
    benchmark.group = model.__class__.__name__
    benchmark.extra_info |= {"images": n}


@pytest.mark.parametrize("kind", ["matrix", "convolution"])
@pytest.mark.parametrize("precision", sorted({(spec.precision_mode or "fp32").split("+")[0] for spec in SPECS}))
def test_limit(benchmark: Any, precision: str, kind: str) -> None:
    """Time a large product of two matrices and a large convolution; the faster is taken as the limit of this machine.

    Neither is it alone: MKL multiplies fp32 matrices at half the rate of oneDNN's convolutions on a CPU of AMD.
    """
    torch.set_num_threads(WORK["threads"])
    kwargs: Any = {"device": SPECS[0].device, "dtype": torch.bfloat16 if precision == "bf16" else torch.float32}
    if kind == "matrix":
        work = partial(torch.matmul, *torch.randn(2, MATRIX_SIDE, MATRIX_SIDE, **kwargs))
    else:
        maps = torch.randn(64, 128, 14, 14, **kwargs).contiguous(memory_format=torch.channels_last)
        work = partial(F.conv2d, maps, torch.randn(128, 128, 3, 3, **kwargs))
    with CountFlops() as counter:
        work()

    def calculate() -> None:
        work()
        wait(torch.device(SPECS[0].device))

    benchmark.pedantic(calculate, rounds=rounds(calculate, minimum=5))
    benchmark.extra_info |= {"precision": precision, "flops": counter.total}

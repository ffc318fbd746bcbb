"""The backward pass of a rectifier when gradients have the memory layout of activations, and when they have not.

    pytest bench/speed/bench_layout.py --benchmark-json layout.json && python bench/speed/ratios.py layout.json

It is why ``zoo.nn`` turns maps into vectors with the channels last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

SHAPE = (64, 64, 14, 14)
PASSES = 100


def backward(layout: torch.memory_format) -> Callable[[], None]:
    activation = torch.randn(SHAPE).to(memory_format=torch.channels_last)
    gradient = torch.randn(SHAPE).to(memory_format=layout)

    def loop() -> None:
        for _ in range(PASSES):
            torch.ops.aten.leaky_relu_backward(gradient, activation, 0.2, True)

    return loop


def test_rectifier_backward(pair):
    ours, mixed = partial(backward, torch.channels_last), partial(backward, torch.contiguous_format)
    pair(ours, mixed, what="leaky rectifier, backward", against="mixed", items=PASSES * SHAPE[0], threads=1)

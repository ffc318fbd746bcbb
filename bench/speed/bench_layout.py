"""The backward pass of a rectifier when gradients have the memory layout of activations, and when they have not.

    pytest bench/speed/bench_layout.py --benchmark-json layout.json && python bench/speed/ratios.py layout.json

It is why ``zoo.nn`` turns maps into vectors with the channels last.
"""

from __future__ import annotations

import pytest
import torch

SHAPE = (64, 64, 14, 14)


@pytest.mark.parametrize(("loop", "layout"), [("ours", torch.channels_last), ("mixed", torch.contiguous_format)])
def test_rectifier_backward(benchmark, loop, layout):
    torch.set_num_threads(1)
    benchmark.group = "leaky rectifier, backward"
    benchmark.extra_info |= {"loop": loop, "items": SHAPE[0]}
    activation = torch.randn(SHAPE).to(memory_format=torch.channels_last)
    gradient = torch.randn(SHAPE).to(memory_format=layout)
    benchmark(torch.ops.aten.leaky_relu_backward, gradient, activation, 0.2, True)

"""A control: matrix products beside twice as many, whose ratio is 2 by construction.

pytest bench/speed/bench_control.py --benchmark-json control.json && python bench/speed/ratios.py control.json
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

PRODUCTS, SIDE = 400, 256


def products(n: int) -> Callable[[], None]:
    matrix = torch.randn(SIDE, SIDE)

    def multiply() -> None:
        for _ in range(n):
            matrix @ matrix

    return multiply


def test_twice_the_work(pair):
    ours, theirs = partial(products, PRODUCTS), partial(products, 2 * PRODUCTS)
    pair(ours, theirs, what="matrix products", against="twice as many", items=PRODUCTS, threads=1)

"""Counting floating-point operations with torch's own formulas."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class CountFlops(TorchDispatchMode):
    """Sum torch's formulas over every operation inside the block: matrix products and convolutions, forward and back.

    ``torch.utils.flop_counter.FlopCounterMode`` uses the same formulas but also follows modules, which raises on
    ``autograd.grad`` with a leaf input (a gradient penalty); a plugin must not fail for that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and add its count."""
        out = func(*args, **(kwargs or {}))
        formula: Callable[..., int] | None = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


COUNTS_IN_A_ROW = 32
"""Counts from which the mean of a kind of work is taken: twice the rounds from one step of a lazy regulariser to the
next (Karras et al. 2020)."""

RECOUNTED_SHARE = 1 / 128
"""Share of later rounds that are looked at again: counting makes rounds of small networks half as long again."""


class Cost:
    """The operations of one kind of work: a number of counts in a row, and their mean for all work after them.

    Work may be counted again at any time. If it is out of the range of all counts before, and every now and then, the
    same number of counts follows, and their mean takes the place of the earlier one. What is done on top of the work
    from some round on is therefore charged from the first count that sees it.

    Attributes:
        due: How many more counts are needed before the mean is known.
        mean: The mean of the last counts in a row.

    Args:
        in_a_row: How many these are.
    """

    def __init__(self, in_a_row: int = COUNTS_IN_A_ROW) -> None:
        self.due = in_a_row
        self.mean = 0
        self._in_a_row = in_a_row
        self._lowest, self._highest = math.inf, -math.inf
        self._counts: list[int] = []
        self._looks = 0

    def count(self, flops: int) -> int:
        """Take a count, and return it."""
        self._looks += not self.due
        is_in_range = self._lowest <= flops <= self._highest
        if not is_in_range or (not self.due and self._looks % self._in_a_row == 0):
            self.due, self._counts = self._in_a_row, []
        self._lowest, self._highest = min(self._lowest, flops), max(self._highest, flops)
        if self.due:
            self._counts.append(flops)
            self.due -= 1
            self.mean = round(statistics.fmean(self._counts))
        return flops

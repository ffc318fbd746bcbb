"""Counting floating-point operations with torch's own formulas."""

from __future__ import annotations

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

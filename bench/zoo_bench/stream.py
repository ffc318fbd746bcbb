"""Training batches from data that are resident on the device."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.task import to_model
from zoo_bench.seeds import derive


class Stream:
    """An endless sequence of items: one permutation of the data after another.

    The sequence depends on the seed and the number of items alone. Batch sizes only cut it, so models with different
    batch sizes see the same items in the same order.

    Args:
        data: Stored items, (N, ...); moved to the device once.
        seed: The run's seed.
        device: Where batches are made.
    """

    def __init__(self, data: Tensor, seed: int, device: torch.device) -> None:
        self._data = data.to(device)
        self._generator = torch.Generator().manual_seed(derive(seed, "data"))
        self._order = torch.empty(0, dtype=torch.int64, device=device)

    def indices(self, n: int) -> Tensor:
        """Return the next ``n`` indices, (n,) int64."""
        while len(self._order) < n:
            epoch = torch.randperm(len(self._data), generator=self._generator).to(self._order.device)
            self._order = torch.cat([self._order, epoch])
        chosen, self._order = self._order[:n], self._order[n:]
        return chosen

    def next(self, n: int) -> Tensor:
        """Return the next ``n`` items as a model sees them, (n, ...) float32; images in channels-last memory order."""
        batch = to_model(self._data[self.indices(n)])
        return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch

"""Training batches from data that are resident on the device, or mapped from a file if they are too large for it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from zoo.machine import memory as usable_memory
from zoo.task import to_model

RESIDENT_SHARE = 0.25
"""Largest share of a device's memory that data may take to be moved there whole."""


class Items:
    """Stored items that batches are gathered from, in any order.

    Items that take up to a quarter of the memory of the device are moved there once. Larger ones stay where they are,
    which for a memory-mapped folder is the file: only the items of a batch are read and moved.

    Args:
        data: Stored items, (N, ...).
        device: Where batches are needed.
        memory: Bytes of main memory to plan with, if ``device`` is the CPU; 0: all there is.
        gpu_share: Share of the GPU's memory to plan with, if ``device`` is one.
    """

    def __init__(self, data: Tensor, device: torch.device, memory: int = 0, gpu_share: float = 1.0) -> None:
        self.resident = data.nbytes <= RESIDENT_SHARE * _memory(device, memory, gpu_share)
        self._device = device
        self._data = data.to(device) if self.resident else data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, indices: Tensor) -> Tensor:
        """Return the items at ``indices``, (n,) int64, on the device."""
        return self._data[indices.to(self._data.device)].to(self._device)


class Stream:
    """An endless sequence of items: one permutation of the data after another.

    The sequence depends on the seed and the number of items alone. Batch sizes only divide it, so models with different
    batch sizes see the same items in the same order.

    Args:
        data: Stored items, (N, ...).
        seed: Of the order.
        device: Where batches are made.
        memory: As in :class:`Items`.
        gpu_share: As in :class:`Items`.
        labels: The class of each item, (N,) int64, for a model that is given them.
    """

    def __init__(
        self,
        data: Tensor,
        seed: int,
        device: torch.device,
        memory: int = 0,
        gpu_share: float = 1.0,
        labels: Tensor | None = None,
    ) -> None:
        self._items = Items(data, device, memory, gpu_share)
        self._labels = None if labels is None else labels.to(device)
        self._generator = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int64, device=device)

    def indices(self, n: int) -> Tensor:
        """Return the next ``n`` indices, (n,) int64."""
        while len(self._order) < n:
            epoch = torch.randperm(len(self._items), generator=self._generator).to(self._order.device)
            self._order = torch.cat([self._order, epoch])
        indices, self._order = self._order[:n], self._order[n:]
        return indices

    def state_dict(self) -> dict[str, Tensor]:
        """Return its place: the generator's state, and the indices of this permutation that are still to come."""
        return {"generator": self._generator.get_state(), "order": self._order}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go to the place of an earlier stream of the same data."""
        self._generator.set_state(state["generator"])
        self._order = state["order"].to(self._order.device)

    def next(self, n: int) -> Tensor:
        """Return the next ``n`` items as a model sees them, (n, ...) float32; images in channels-last memory order."""
        return self.next_labelled(n)[0]

    def next_labelled(self, n: int) -> tuple[Tensor, Tensor | None]:
        """Return the next ``n`` items and their labels, (n,) int64, if there are any."""
        indices = self.indices(n)
        batch = to_model(self._items[indices])
        if batch.dim() == 4:
            batch = batch.contiguous(memory_format=torch.channels_last)
        return batch, None if self._labels is None else self._labels[indices]


def _memory(device: torch.device, main_memory: int, gpu_share: float) -> int:
    """Return the bytes of a device to plan with; of the CPU they are ``main_memory``, or all there are if that is 0."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory * gpu_share)
    return main_memory or usable_memory()

"""The exponential moving average of weights, which samples are drawn from where the settings ask for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import get_ema_multi_avg_fn

from zoo.model import Player


class WeightAverage:
    """Averages of the players' networks, each updated after its player's move.

    The decay of the n-th move is at most n / (n + 9), so that the initial weights are soon forgotten (as in
    TensorFlow's ExponentialMovingAverage). The statistics of batch normalisation are averaged too. Other buffers are
    copied: an average of spectral normalisation's singular vectors would not have length 1.

    Args:
        decay: Decay of the average, below 1; 0 for no average.
        players: The players whose networks are averaged; weights that two share are averaged after the moves of both.
    """

    def __init__(self, decay: float, players: Sequence[Player]) -> None:
        self._decay = decay
        self._tensors = {p.name: [*p.network.parameters(), *p.network.buffers()] for p in players if decay}
        modules = [module for p in players for module in p.network.modules() if not isinstance(module, _BatchNorm)]
        self._copied = {buffer for module in modules for buffer in module.buffers(recurse=False)}
        self._means = {tensor: tensor.detach().clone() for tensors in self._tensors.values() for tensor in tensors}
        self._moves: Counter[str] = Counter()

    @torch.no_grad()
    def update(self, name: str) -> None:
        """Take the weights of a player that has moved into the average."""
        if name not in self._tensors:
            return
        self._moves[name] += 1
        n = self._moves[name]
        average = get_ema_multi_avg_fn(min(self._decay, n / (n + 9)))
        averaged = [t for t in self._tensors[name] if t.is_floating_point() and t not in self._copied]
        average([self._means[tensor] for tensor in averaged], averaged, n)
        for tensor in set(self._tensors[name]).difference(averaged):
            self._means[tensor].copy_(tensor)

    def state_dict(self) -> dict[str, Any]:
        """See :class:`zoo_bench.train.checkpoint.Stateful`."""
        return {"means": list(self._means.values()), "moves": self._moves}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from earlier averages of the same players."""
        for mean, earlier in zip(self._means.values(), state["means"], strict=True):
            mean.copy_(earlier)
        self._moves.update(state["moves"])

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and their averages, in place."""
        for tensor, mean in self._means.items():
            weight = tensor.clone()
            tensor.copy_(mean)
            mean.copy_(weight)

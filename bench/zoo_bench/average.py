"""The exponential moving average of weights, which samples are drawn from where the settings ask for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from zoo.model import Player


class WeightAverage:
    """Averages of the players' networks, each updated after its player's move.

    The decay of the n-th move is at most n / (n + 9), so that the initial weights are soon forgotten (as in
    TensorFlow's ExponentialMovingAverage). Floating-point buffers, such as batch statistics, are averaged too, and
    others are copied.

    Args:
        decay: Of the average, below 1; 0 for no average.
        players: Whose networks to average. Weights that two players share are averaged after the moves of both.
    """

    def __init__(self, decay: float, players: Sequence[Player]) -> None:
        self._decay = decay
        self._own = {p.name: [*p.network.parameters(), *p.network.buffers()] for p in players if decay}
        self._means = {tensor: tensor.detach().clone() for own in self._own.values() for tensor in own}
        self._moves: Counter[str] = Counter()

    @torch.no_grad()
    def update(self, name: str) -> None:
        """Take the weights of a player that has moved into the average."""
        if name not in self._own:
            return
        self._moves[name] += 1
        n = self._moves[name]
        average = get_ema_multi_avg_fn(min(self._decay, n / (n + 9)))
        continuous = [tensor for tensor in self._own[name] if tensor.is_floating_point()]
        average([self._means[tensor] for tensor in continuous], continuous, n)
        for tensor in self._own[name]:
            if not tensor.is_floating_point():
                self._means[tensor].copy_(tensor)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and their averages, in place."""
        for tensor, mean in self._means.items():
            held = tensor.clone()
            tensor.copy_(mean)
            mean.copy_(held)

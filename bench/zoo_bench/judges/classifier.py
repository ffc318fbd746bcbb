"""The judge of a task with classes: a small classifier, whose features are compared.

It is trained by ``python -m zoo_bench.data.train_judges`` on the task's training split, and comes with the package.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Self

import torch
from safetensors import safe_open
from safetensors.torch import load
from torch import Tensor, nn

from zoo.task import Judgement, to_model


class JudgeNetwork(nn.Module):
    """A small CNN: 3x3 convolutions that halve the side down to 4, a linear feature layer, a linear classifier.

    Features are taken before the activation, so that none is constant.

    Args:
        channels: Image channels.
        side: Image side in pixels.
        features: Width of the feature layer.
        classes: Number of classes.
        width: Channels of the first convolution, doubled whenever the side halves.
    """

    def __init__(self, channels: int, side: int, features: int, classes: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.GELU()]
        while side > 4:
            layers += [nn.Conv2d(width, width * 2, 3, stride=2, padding=1), nn.BatchNorm2d(width * 2), nn.GELU()]
            width, side = width * 2, (side + 1) // 2
        self.trunk = nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * side**2, features))
        self.head = nn.Sequential(nn.GELU(), nn.Dropout(0.3), nn.Linear(features, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map images in [-1, 1] to class logits, (N, classes)."""
        logits: Tensor = self.head(self.trunk(x))
        return logits


class ClassifierJudge:
    """A trained :class:`JudgeNetwork`, frozen. Implements :class:`zoo.Judge`.

    Attributes:
        name: Task and architecture, for example "digits-cnn".
        sha256: Hash of the weights file.
        metadata: What the training script recorded: sizes, seed, what it sees of a ladder of known quality, and its
            accuracy on the test split, undisturbed and disturbed.
        network: The frozen network.

    Args:
        name: Its name.
        weights: The weights file.
        metadata: The metadata of that file.
        temperature: Divisor of the logits, so that confidence is calibrated (Guo et al. 2017). Neither features
            nor modes depend on it.
    """

    def __init__(self, name: str, weights: bytes, metadata: dict[str, str], temperature: float = 1.0) -> None:
        self.name = name
        self.sha256 = hashlib.sha256(weights).hexdigest()
        self.metadata = metadata
        self.temperature = temperature
        self.network = JudgeNetwork(**json.loads(metadata["network"]))
        self.network.load_state_dict(load(weights))
        self.network.eval().requires_grad_(False)

    @classmethod
    def shipped(cls, name: str) -> Self:
        """Load a judge that comes with the package, by name."""
        folder = files("zoo_bench") / "judges" / "weights"
        path = folder / f"{name}.safetensors"
        temperature = json.loads((folder / "temperatures.json").read_text())[name]
        with safe_open(str(path), "pt") as file:
            metadata = file.metadata()
        return cls(name, path.read_bytes(), metadata, temperature)

    def to(self, device: torch.device) -> Self:
        """Move the network to a device."""
        self.network.to(device)
        return self

    @torch.inference_mode()
    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images to the feature layer's output, (N, F)."""
        features: Tensor = self.network.trunk(to_model(self._on_device(data)))
        return features

    @torch.inference_mode()
    def modes(self, data: Tensor) -> Tensor:
        """Map uint8 images to their most likely class, (N,) int64."""
        return self.network(to_model(self._on_device(data))).argmax(1)

    @torch.inference_mode()
    def judge(self, data: Tensor) -> Judgement:
        """Map uint8 images to features, modes and the modes' calibrated probabilities, in one pass."""
        features = self.network.trunk(to_model(self._on_device(data)))
        probabilities = (self.network.head(features) / self.temperature).softmax(1)
        confidence, modes = probabilities.max(1)
        return Judgement(features, modes, confidence)

    def _on_device(self, data: Tensor) -> Tensor:
        return data.to(next(self.network.parameters()).device)

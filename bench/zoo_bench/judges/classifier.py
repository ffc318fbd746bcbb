"""Judges: small classifiers whose features are compared, networks that know no classes, and the judge of mixtures.

A classifier is trained by ``python -m zoo_bench.data.train_judges`` on a task's training split, and shipped.
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

from zoo.errors import UnknownNameError
from zoo.task import Judge, Judgement, Mixture, to_model

RANDOM, PRETRAINED, INCEPTION = "random-conv", "efficientnet-lite0", "inception-v3-compat"
NAMED = (RANDOM, PRETRAINED, INCEPTION)


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
        name: Task and kind, for example "digits-cnn".
        sha256: Hash of the weights file.
        metadata: What the training script recorded: accuracy on the test split, sizes, seed.

    Args:
        name: Its name.
        weights: The weights file.
        metadata: That of the file.
        temperature: What logits are divided by, so that confidence is calibrated (Guo et al. 2017). Neither features
            nor modes depend on it.
    """

    def __init__(self, name: str, weights: bytes, metadata: dict[str, str], temperature: float = 1.0) -> None:
        self.name = name
        self.sha256 = hashlib.sha256(weights).hexdigest()
        self.metadata = metadata
        self.temperature = temperature
        self._network = JudgeNetwork(**json.loads(metadata["network"]))
        self._network.load_state_dict(load(weights))
        self._network.eval().requires_grad_(False)

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
        self._network.to(device)
        return self

    @torch.inference_mode()
    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images to the feature layer's output, (N, F)."""
        features: Tensor = self._network.trunk(to_model(self._on_device(data)))
        return features

    @torch.inference_mode()
    def modes(self, data: Tensor) -> Tensor:
        """Map uint8 images to their most likely class, (N,) int64."""
        return self._network(to_model(self._on_device(data))).argmax(1)

    @torch.inference_mode()
    def judge(self, data: Tensor) -> Judgement:
        """Map uint8 images to features, modes and the modes' calibrated probabilities, in one pass."""
        features = self._network.trunk(to_model(self._on_device(data)))
        probabilities = (self._network.head(features) / self.temperature).softmax(1)
        confidence, modes = probabilities.max(1)
        return Judgement(features, modes, confidence)

    def _on_device(self, data: Tensor) -> Tensor:
        return data.to(next(self._network.parameters()).device)


class StackedJudge:
    """A judge of grey images applied to each of three colour channels. Implements :class:`zoo.Judge`.

    The mode of an image is 100 a + 10 b + c of its channels' classes, red first (Metz et al. 2017). Features are those
    of the three channels beside each other; more than 96 are projected to 96 by a fixed orthogonal map.
    """

    WIDTH = 96

    def __init__(self, grey: ClassifierJudge) -> None:
        self._grey = grey
        self.name = f"stacked-{grey.name}"
        self.sha256 = hashlib.sha256(f"{self.name}:{self.WIDTH}:{grey.sha256}".encode()).hexdigest()
        self._projection: Tensor | None = None

    def to(self, device: torch.device) -> Self:
        """Move the grey judge to a device."""
        self._grey.to(device)
        return self

    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, 3, H, W) to (N, at most 96)."""
        return self._projected(self._grey.features(self._channels(data)).reshape(len(data), -1))

    def modes(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, 3, H, W) to 0 ... 999, (N,) int64."""
        return self._triple(self._grey.modes(self._channels(data)))

    def judge(self, data: Tensor) -> Judgement:
        """Map uint8 images to features, modes and the product of their channels' confidences, in one pass."""
        found = self._grey.judge(self._channels(data))
        confidence = found.confidence.reshape(-1, 3).prod(dim=1)
        return Judgement(self._projected(found.features.reshape(len(data), -1)), self._triple(found.modes), confidence)

    @staticmethod
    def _channels(data: Tensor) -> Tensor:
        return data.flatten(0, 1).unsqueeze(1)

    @staticmethod
    def _triple(digits: Tensor) -> Tensor:
        return digits.reshape(-1, 3) @ torch.tensor([100, 10, 1], device=digits.device)

    def _projected(self, found: Tensor) -> Tensor:
        if found.shape[1] <= self.WIDTH:
            return found
        if self._projection is None:
            self._projection = _orthogonal(torch.empty(self.WIDTH, found.shape[1]), torch.Generator().manual_seed(0))
        return found @ self._projection.T.to(found.device)


class RandomJudge:
    """A fixed random convolutional network: no weights to download, and no classes. Implements :class:`zoo.Judge`.

    Three 3x3 convolutions of stride 2 with ReLU, pooled to 2x2 and mapped to 64 features, all orthogonal and drawn with
    seed 0. It sees colour, contrast, texture and coarse layout, not what is in the picture: it tells models apart whose
    images look wrong, and is no measure of meaning. Random embeddings for evaluation: Naeem et al. 2020.

    Args:
        channels: Image channels.
    """

    WIDTHS = (32, 64, 128)
    FEATURES = 64

    def __init__(self, channels: int) -> None:
        self.name = RANDOM
        definition = json.dumps([RANDOM, 1, channels, self.WIDTHS, self.FEATURES])
        self.sha256 = hashlib.sha256(definition.encode()).hexdigest()
        generator = torch.Generator().manual_seed(0)
        layers: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            for width in self.WIDTHS:
                layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.ReLU()]
                channels = width
            layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, self.FEATURES)]
        self._network = nn.Sequential(*layers).eval().requires_grad_(False)
        for name, weight in self._network.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            else:
                _orthogonal(weight, generator).mul_(2**0.5)

    def to(self, device: torch.device) -> Self:
        """Move the network to a device."""
        self._network.to(device)
        return self

    @torch.inference_mode()
    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, C, H, W) to (N, 64)."""
        features: Tensor = self._network(to_model(data.to(next(self._network.parameters()).device)))
        return features

    def modes(self, data: Tensor) -> None:
        """Know no modes."""


def check_judge(name: str) -> None:
    """Raise for a name that :func:`named_judge` does not know.

    Raises:
        UnknownNameError: If there is no such judge.
    """
    if name and name not in NAMED:
        raise UnknownNameError("judge", name, NAMED)


def named_judge(name: str, channels: int) -> Judge:
    """Return a judge that knows no modes: "random-conv", the default, "efficientnet-lite0" or "inception-v3-compat".

    Raises:
        ZooError: If there is no such judge, or its packages or weights are not there.
    """
    check_judge(name)
    if name in (PRETRAINED, INCEPTION):
        from zoo_bench.judges.pretrained import InceptionJudge, PretrainedJudge

        return PretrainedJudge() if name == PRETRAINED else InceptionJudge()
    return RandomJudge(channels)


def _orthogonal(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Fill a weight with an orthogonal map."""
    nn.init.orthogonal_(weight, generator=generator)
    return weight


class MixtureJudge:
    """The judge of a known mixture of Gaussians. Implements :class:`zoo.Judge`.

    Its features are one radial basis function per component, exp(-|x - c|^2 / (2 h^2)) with h a quarter of the smallest
    distance between centres, so that the Fréchet distance sees modes and not only the overall mean and covariance.
    """

    def __init__(self, mixture: Mixture) -> None:
        self.name = "mixture-rbf"
        self._centres = mixture.centres.double()
        self._bandwidth = float(torch.pdist(self._centres).min()) / 4
        definition = json.dumps([self.name, self._centres.tolist(), mixture.std, self._bandwidth])
        self.sha256 = hashlib.sha256(definition.encode()).hexdigest()

    def to(self, device: torch.device) -> Self:
        """Stay on the CPU: points are few and small."""
        return self

    def features(self, data: Tensor) -> Tensor:
        """Map points (N, D) to (N, K)."""
        distances = torch.cdist(data.cpu().double(), self._centres)
        return torch.exp(-0.5 * (distances / self._bandwidth) ** 2)

    def modes(self, data: Tensor) -> Tensor:
        """Map points to their nearest component, (N,) int64."""
        return torch.cdist(data.cpu().double(), self._centres).argmin(1)

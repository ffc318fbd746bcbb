"""The convolutional trunks that every image model shares, so that a difference between models is the method's.

4x4 kernels with stride 2, as in DCGAN (Radford et al. 2016): channels double whenever the side halves. The side is
halved at least twice, and further while it is even and 8 or more: 8 ends at 2, 28 at 7, 16, 32 and 64 at 4. Any square
image whose side is a multiple of 4 fits.

Vectors become feature maps, and maps vectors, with the channels last, as convolutions have them in memory. In the order
of ``nn.Flatten`` gradients would come back in another layout than activations have, and the backward pass of a
rectifier takes many times as long when the two differ (``bench/speed/bench_layout.py``).
"""

from __future__ import annotations

import itertools
from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from zoo.errors import ZooError

Norm = Literal["batch", "spectral", "none"]


def halvings(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how often an image's side is halved, and the side that is left.

    Raises:
        ZooError: If the shape is not an image's, the image is not square, or its side is not a multiple of 4.
    """
    if len(shape) != 3:
        raise ZooError(f"convolutions need images (C, H, W), not items of shape {shape}")
    _, height, side = shape
    if height != side or side % 4:
        raise ZooError(
            f"images of {height}x{side} do not fit: the side must be square and a multiple of 4, resize them"
        )
    times = 0
    while times < 2 or (side >= 8 and side % 2 == 0):
        times += 1
        side //= 2
    return times, side


def _channels(shape: tuple[int, ...], width: int) -> tuple[list[int], int]:
    """Return the channels after each halving, and the side that is left."""
    times, side = halvings(shape)
    return [width * 2**i for i in range(times)], side


def default_width(shape: tuple[int, ...]) -> int:
    """Return the width that image models take by default: 32 up to 16 pixels, 64 above; the same for every model."""
    return 32 if shape[-1] <= 16 else 64


def dcgan_init(module: nn.Module) -> None:
    """Initialise one module as in Radford et al. 2016, section 3: weights N(0, 0.02), batch-norm gains N(1, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


class Permute(nn.Module):
    """Reorder dimensions, without a copy.

    Args:
        order: Where each dimension of the result comes from, as in ``torch.permute``.
    """

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        """Return a view."""
        return x.permute(self.order)


class ConvGenerator(nn.Sequential):
    """Latents to images: (N, z_dim) to (N, C, H, W), unbounded; apply tanh or a likelihood to it.

    Args:
        z_dim: Latent dimensions.
        shape: (C, H, W).
        width: Channels at half the image's side.
    """

    def __init__(self, z_dim: int, shape: tuple[int, ...], width: int) -> None:
        channels, side = _channels(shape, width)
        channels.reverse()
        layers: list[nn.Module] = [
            nn.Linear(z_dim, channels[0] * side**2, bias=False),
            nn.Unflatten(1, (side, side, channels[0])),
            Permute(0, 3, 1, 2),
        ]
        for fan_in, fan_out in itertools.pairwise(channels):
            layers += [nn.BatchNorm2d(fan_in), nn.ReLU(), nn.ConvTranspose2d(fan_in, fan_out, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(channels[-1]), nn.ReLU(), nn.ConvTranspose2d(channels[-1], shape[0], 4, 2, 1)]
        super().__init__(*layers)
        self.apply(dcgan_init)


class ConvEncoder(nn.Module):
    """Images to vectors: (N, C, H, W) to (N, outputs); the critic, discriminator or encoder.

    Args:
        shape: (C, H, W).
        outputs: Output dimensions; 1 for a logit, which is returned as (N,).
        width: Channels at half the image's side.
        norm: "batch" on all convolutions but the first, "spectral" on every weight (Miyato et al. 2018), or "none".
        slope: Negative slope of the leaky rectifiers.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, width: int, *, norm: Norm = "none", slope: float = 0.2
    ) -> None:
        super().__init__()
        channels, side = _channels(shape, width)
        layers: list[nn.Module] = []
        for i, (fan_in, fan_out) in enumerate(zip([shape[0], *channels], channels, strict=False)):
            normalised = norm == "batch" and i > 0
            layers.append(nn.Conv2d(fan_in, fan_out, 4, 2, 1, bias=not normalised))
            if normalised:
                layers.append(nn.BatchNorm2d(fan_out))
            layers.append(nn.LeakyReLU(slope, inplace=True))
        layers += [Permute(0, 2, 3, 1), nn.Flatten(), nn.Linear(channels[-1] * side**2, outputs)]
        self.layers = nn.Sequential(*layers)
        self.apply(dcgan_init)
        if norm == "spectral":
            add_spectral_norm(self)
        self.outputs = outputs

    def forward(self, x: Tensor) -> Tensor:
        """Encode a batch."""
        y: Tensor = self.layers(x)
        return y.squeeze(1) if self.outputs == 1 else y


def add_spectral_norm(network: nn.Module) -> None:
    """Divide every weight of (transposed) convolutions and linear layers by its largest singular value (Miyato 2018).

    One power iteration per training forward, none in eval mode; no gradient flows through the singular vectors.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            spectral_norm(module)

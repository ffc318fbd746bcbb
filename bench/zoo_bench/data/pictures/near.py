"""Held-out pictures that are nearly the same as a training picture."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_bench.data.pictures.images import Pixels

SIDE = 16
LEAST_CORRELATION = 0.995
"""Of thumbnails of nearly the same pictures. Recompressed, resized and brightened copies of photographs are above it;
shifted or cropped ones are not. Of 1,000 images of CIFAR-10 none is above it, of the test images of MNIST and
Fashion-MNIST 0.3 and 2 % are."""
PICTURES_AT_ONCE = 1_000


def near_duplicates(images: Pixels, train: int, held_out: list[int]) -> int:
    """Count the held-out pictures that are nearly the same as a training picture.

    They are if the pixels of their grey thumbnails of 16x16, means of blocks, correlate by 0.995 or more.

    Args:
        images: (N, C, H, W) uint8.
        train: How many of them, at the beginning, are for training.
        held_out: Indices of the others.
    """
    if not train:
        return 0
    side = min(SIDE, *images.shape[2:])
    known = torch.cat([_thumbnails(images[i : min(i + PICTURES_AT_ONCE, train)], side) for i in _starts(train)])
    near = 0
    for start in _starts(len(held_out)):
        new = _thumbnails(images[held_out[start : start + PICTURES_AT_ONCE]], side)
        best = torch.stack([(new @ part.T).amax(1) for part in known.split(10 * PICTURES_AT_ONCE)]).amax(0)
        near += int((best >= LEAST_CORRELATION).sum())
    return near


def _starts(n: int) -> range:
    return range(0, n, PICTURES_AT_ONCE)


def _thumbnails(images: Pixels, side: int) -> Tensor:
    """Return grey thumbnails whose product is their correlation, (N, side * side); 0 for those of one colour."""
    grey = torch.from_numpy(images.mean(1, dtype="float32", keepdims=True))
    flat = torch.nn.functional.adaptive_avg_pool2d(grey, side).flatten(1)
    flat -= flat.mean(1, keepdim=True)
    return torch.nn.functional.normalize(flat)

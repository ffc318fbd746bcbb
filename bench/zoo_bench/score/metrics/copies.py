"""Whether generated images are training images up to noise, a shift or a mirror image, judged by pixels alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from zoo.evaluation import Evaluation, Reference
from zoo_bench.score.metrics.inputs import check, subsample
from zoo_bench.score.metrics.kept import kept

MAX_IMAGES = 500
MAX_RATIO = 0.5
SHIFT = 1
"""Pixels by which a copy may be shifted, in each direction."""

THUMBNAIL = 6
"""Height and width at most of the grey thumbnails by which candidates are found; 8 x 8 images without a border fit."""

CANDIDATES = 20
THUMBNAIL_BATCH = 4096
BLOCK_ENTRIES = 2**17
"""Pairs of images, or pixels, in a block, about 8 MB with all shifts: few enough to stay in a processor's cache."""


def copies(evaluation: Evaluation) -> dict[str, float]:
    """Return ``copies``, the share of generated images that are copies of training images, 0 to 1, lower is better.

    An image is a copy if its nearest training image is at most half as far from it as the second nearest. Distances are
    Euclidean, of pixels, and the least over shifts by up to a pixel and mirroring (left and right): the inside of a
    training image, without a border of one pixel, is compared with all parts of that size of the image and of its
    mirror image. The ratio of the two distances is that of Yoon et al. 2023, whose bound is 1/3; at 1/2, images with
    noise of 15 of 255 grey levels are found as well. Of what the training data hold twice, only exact copies are found.

    500 images are looked at, always the same ones, or all if there are fewer. Both distances are found among the twenty
    training images with the nearest thumbnails, so that the second may come out slightly too large.

    ``copies_real`` is what held-out images score, above 0 where a data set has near duplicates, and ``copies_se`` the
    standard error of the difference.

    Raises:
        ZooError: If there are fewer than two training images or no generated one, or if all training images are equal.
    """
    generated = evaluation.generated
    check(2, training=evaluation.task.train.data)
    check(1, generated=generated)
    share, variance = _share(generated, evaluation.reference)
    share_real, variance_real = evaluation.reference.once(_held_out_share).tolist()
    return {"copies": share, "copies_real": share_real, "copies_se": (variance + variance_real) ** 0.5}


def nearest_two(images: Tensor, training: Tensor, thumbnails: Tensor) -> Tensor:
    """Return the distances of images to the two nearest training images, up to a shift and mirroring.

    Args:
        images: (M, C, H, W) uint8.
        training: (T, C, H, W) uint8, two at least.
        thumbnails: Those of the training images' insides, (T, D) float32, from :func:`small`.

    Returns:
        (M, 2) float32, ascending.
    """
    inside = _inside(training)
    norms = thumbnails.square().sum(dim=1)
    found = []
    for batch in images.split(max(1, BLOCK_ENTRIES // max(len(training), inside[0].numel()))):
        parts = torch.stack([_windows(batch), _windows(batch.flip(3))], dim=1)  # (B, 2, C, 3, 3, h, w)
        parts = parts.permute(0, 1, 3, 4, 2, 5, 6).flatten(1, 3)  # (B, 18, C, h, w)
        queries = small(parts.flatten(0, 1))
        squared = torch.addmm(norms, queries, thumbnails.T, alpha=-2).add_(queries.square().sum(dim=1, keepdim=True))
        closest = squared.view(len(batch), -1, len(training)).amin(dim=1)
        candidates = inside[closest.topk(min(CANDIDATES, len(training)), largest=False).indices]
        distances = torch.cdist(
            parts.flatten(2).float(), candidates.flatten(2).float(), compute_mode="donot_use_mm_for_euclid_dist"
        )
        found.append(distances.amin(dim=1).topk(2, largest=False).values)
    return torch.cat(found)


def small(images: Tensor) -> Tensor:
    """Return grey thumbnails of (N, C, H, W) uint8 images as rows, (N, D) float32, D at most 36."""
    height, width = (min(side, THUMBNAIL) for side in images.shape[2:])
    batches = images.split(THUMBNAIL_BATCH)
    return torch.cat([adaptive_avg_pool2d(batch.float().mean(dim=1), (height, width)).flatten(1) for batch in batches])


def binomial_variance(share: float, n: int) -> float:
    """Return the variance of a share of ``n`` items, above 0 even where all are alike: Laplace's estimate is taken."""
    expected = (n * share + 1) / (n + 2)
    return expected * (1 - expected) / n


def _share(images: Tensor, reference: Reference) -> tuple[float, float]:
    """Return the share of copies among images, and the variance of its error."""
    subset = subsample(images, MAX_IMAGES)
    first, second = nearest_two(subset, reference.task.train.data, reference.once(_training_thumbnails)).unbind(dim=1)
    share = float((first <= MAX_RATIO * second).double().mean())
    return share, binomial_variance(share, len(subset))


def _held_out_share(reference: Reference) -> Tensor:
    """Return what :func:`_share` does of the test split, (2,) float64."""

    def compute(test: Tensor, training: Tensor) -> Tensor:
        return torch.tensor(_share(test, reference), dtype=torch.float64)

    return kept("copies among held-out images 1", compute, reference.task.test.data, reference.task.train.data)


def _training_thumbnails(reference: Reference) -> Tensor:
    return small(_inside(reference.task.train.data))


def _windows(images: Tensor) -> Tensor:
    """Return the parts that a shift may move into the middle, (N, C, 3, 3, h, w); one alone along a side below 3."""
    height, width = (side - 2 * min(SHIFT, (side - 1) // 2) for side in images.shape[2:])
    return images.unfold(2, height, 1).unfold(3, width, 1)


def _inside(images: Tensor) -> Tensor:
    """Return images without the border that a shift may cover, (N, C, h, w), a view."""
    windows = _windows(images)
    return windows[:, :, windows.shape[2] // 2, windows.shape[3] // 2]

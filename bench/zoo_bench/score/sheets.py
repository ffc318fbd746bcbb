"""Sample sheets as PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from zoo.task import Task

if TYPE_CHECKING:
    from PIL.Image import Image

GAP_PIXELS = 1
TARGET_SIDE_PIXELS = 512
COLUMNS = 8
"""Of the sheet that a run keeps."""

PROGRESS = ".progress.png"
"""Suffix of the sheet of samples along training: a row for each point of the learning curve, of the same latents."""

MARGIN_PIXELS = 6
"""Around the title of a row."""

MAX_ROWS = 32
"""Classes that a sheet shows."""


def sheet(generated: Tensor, task: Task) -> bytes:
    """Return a PNG of images in a square grid, or of points over the true centres.

    Args:
        generated: Images (N, C, H, W) uint8, or points (N, 2) float.
        task: The task that they were generated for.
    """
    return image_grid(generated) if len(task.shape) == 3 else scatter(generated, task)


def sheets(generated: Tensor, task: Task, labels: Tensor | None = None) -> dict[str, bytes]:
    """Return the sheets that a run keeps, by suffix: 64 images, and 32 beside their nearest training images.

    Of a model that is given labels, (N,) int64, the first has a row of 8 for each of up to 32 classes.
    """
    if len(task.shape) != 3:
        return {".png": scatter(generated, task)}
    rows = generated[:0] if labels is None else generated[rows_of_classes(labels)]
    shown = image_grid(rows, columns=COLUMNS) if len(rows) else image_grid(generated[: COLUMNS**2])
    return {".png": shown, ".neighbours.png": neighbours(generated[:32], task.train.data)}


def rows_of_classes(labels: Tensor) -> Tensor:
    """Return indices of the first 8 items of each class, one class after another, for classes that have so many."""
    found = [(labels == k).nonzero().flatten()[:COLUMNS] for k in range(MAX_ROWS)]
    return torch.cat([labels.new_empty(0), *(row for row in found if len(row) == COLUMNS)])


def image_grid(images: Tensor, columns: int | None = None) -> bytes:
    """Return a PNG of images (N, C, H, W) uint8 in a grid, enlarged without smoothing to about 512 pixels.

    The grid is square unless ``columns`` says otherwise.
    """
    return _png(grid(images, columns))


def grid(
    images: Tensor, columns: int | None = None, titles: Sequence[str] = (), width: int = TARGET_SIDE_PIXELS
) -> Image:
    """Draw the grid of :func:`image_grid`, about so wide, with a title to the left of each row if there are any."""
    from PIL import Image, ImageDraw
    from torchvision.utils import make_grid

    columns = columns or math.ceil(math.sqrt(len(images)))
    pixels = make_grid(images, nrow=columns, padding=GAP_PIXELS, pad_value=128)
    scale = max(1, width // pixels.shape[-1])
    picture = as_image(pixels.repeat_interleave(scale, dim=1).repeat_interleave(scale, dim=2))
    if not titles:
        return picture
    boxes = [ImageDraw.Draw(picture).textbbox((0, 0), title) for title in titles]
    left = math.ceil(max(box[2] for box in boxes)) + 2 * MARGIN_PIXELS
    whole = Image.new("RGB", (left + picture.width, picture.height), "white")
    whole.paste(picture, (left, 0))
    for i, (title, box) in enumerate(zip(titles, boxes, strict=True)):
        middle = (i + 0.5) * picture.height / len(titles)
        place = (left - MARGIN_PIXELS - box[2], middle - (box[1] + box[3]) / 2)
        ImageDraw.Draw(whole).text(place, title, fill="black")
    return whole


def as_image(item: Tensor) -> Image:
    """Return an image (C, H, W) uint8, of one channel or three, as Pillow's."""
    from PIL import Image

    return Image.fromarray(item[0].numpy() if len(item) == 1 else item.permute(1, 2, 0).contiguous().numpy())


def real_sheet(task: Task) -> bytes:
    """Return the sheet of as many real items as a run's has samples, of the test split in an order by a fixed seed."""
    order = torch.randperm(len(task.test.data), generator=torch.Generator().manual_seed(0))
    return sheet(task.test.data[order[: COLUMNS**2 if len(task.shape) == 3 else task.samples]], task)


def corner(picture: Image, width: int, side: int) -> Image:
    """Return the first images of the sheet that a run keeps, as many columns as rows.

    Args:
        picture: The sheet; one of another size than those of 64 images is returned whole.
        width: Width of an image in pixels.
        side: How many columns and rows.
    """
    pitch, edge = width + GAP_PIXELS, COLUMNS * (width + GAP_PIXELS) + GAP_PIXELS
    scale = max(1, TARGET_SIDE_PIXELS // edge)
    if picture.size != (scale * edge, scale * edge):
        return picture
    end = scale * (side * pitch + GAP_PIXELS)
    return picture.crop((0, 0, end, end))


def neighbours(generated: Tensor, train: Tensor) -> bytes:
    """Return a PNG of :func:`beside_nearest`, four pairs a row."""
    return image_grid(beside_nearest(generated, train), columns=4)


def beside_nearest(generated: Tensor, train: Tensor) -> Tensor:
    """Return images (N, C, H, W) uint8, each with its nearest training image to its right: (N, C, H, 2 W).

    Nearest in Euclidean distance of pixels: next to a copy of a training image is the same image.
    """
    return torch.cat([generated, train[_nearest(generated, train)]], dim=-1)


def _nearest(generated: Tensor, train: Tensor) -> Tensor:
    rows = generated.flatten(1).float()
    minima = [torch.cdist(rows, part.flatten(1).float()).min(dim=1) for part in train.split(10_000)]
    best = torch.stack([distances for distances, _ in minima]).argmin(dim=0)
    indices = torch.stack([indices + 10_000 * i for i, (_, indices) in enumerate(minima)])
    return indices.gather(0, best[None]).squeeze(0)


def scatter(points: Tensor, task: Task) -> bytes:
    """Return a PNG of points (N, D), first two coordinates, with the true centres as circles of three deviations."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    figure = Figure(figsize=(5.12, 5.12), dpi=100, layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    x, y = points[:, 0].numpy(), points[:, min(1, points.shape[1] - 1)].numpy()
    axes.scatter(x, y, s=3, alpha=0.4, linewidths=0, color="tab:blue")
    if task.mixture is not None:
        for centre in task.mixture.centres.tolist():
            radius = 3 * task.mixture.std
            axes.add_patch(Circle((centre[0], centre[1]), radius, fill=False, color="tab:red", linewidth=0.8))
    low, high = _limits(task.test.data)
    axes.set(xlim=(low, high), ylim=(low, high))
    outside = float(((points < low) | (points > high)).any(dim=1).double().mean())
    axes.set_title(f"{len(points):,} samples" + (f", {outside:.1%} outside" if outside else ""), fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _limits(real: Tensor) -> tuple[float, float]:
    low, high = (float(x) for x in torch.aminmax(real))
    margin = 0.15 * (high - low)
    return low - margin, high + margin


def _png(image: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)  # type: ignore[attr-defined]
    return buffer.getvalue()

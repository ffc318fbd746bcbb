"""One image file of any common kind as bytes: as a small square, or unchanged."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif")
MAX_PIXELS = 100_000_000
Pixels = npt.NDArray[np.uint8]


class UnusableError(Exception):
    """Why a file cannot be used, in a few words."""


@dataclass(frozen=True)
class Recipe:
    """How images are brought to one size and colour mode.

    Attributes:
        size: Side in pixels.
        grey: Whether they are converted to grey levels.
        crop: Largest side of the central square that is kept, in pixels of the file; 0: the largest square.
    """

    size: int = 32
    grey: bool = False
    crop: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """One image, (C, H, W)."""
        return (1 if self.grey else 3, self.size, self.size)

    def __str__(self) -> str:
        return f"{self.size}{'-grey' * self.grey}{f'-crop-{self.crop}' * bool(self.crop)}"


def read_image(source: Path | bytes, recipe: Recipe) -> Pixels:
    """Return the image of a file, or of its content, as (C, size, size) uint8 with one channel if grey, else three.

    The first frame is rotated as its EXIF data say, blended with white if it is transparent, cut to its central square
    and resized with an antialiased bicubic filter. 16-bit grey levels are divided by 257.

    Raises:
        UnusableError: If the file cannot be read or is not an image of these formats.
    """
    from PIL import Image, ImageOps

    with _opened(source) as image:
        if image.format == "JPEG" and not recipe.crop:
            image.draft(None, (2 * recipe.size, 2 * recipe.size))
        ImageOps.exif_transpose(image, in_place=True)
        square = _flatten(_centre(image, recipe.crop)).convert("L" if recipe.grey else "RGB")
        return _pixels(square.resize((recipe.size, recipe.size), Image.Resampling.BICUBIC))


def read_unchanged(source: Path | bytes) -> Pixels:
    """Return the image of a file as (C, H, W) uint8 in its own size, with one channel if the file is grey, else three.

    Rotation, transparency and 16-bit grey levels are treated as by :func:`read_image`.

    Raises:
        UnusableError: If the file cannot be read or is not an image of these formats.
    """
    from PIL import ImageOps

    with _opened(source) as image:
        ImageOps.exif_transpose(image, in_place=True)
        flat = _flatten(image)
        return _pixels(flat.convert("L" if flat.mode in ("1", "L") else "RGB"))


def one_line(error: Exception) -> str:
    """Return what an error says on one line, or its type if it has no message."""
    return " ".join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def _opened(source: Path | bytes) -> Iterator[Any]:
    """Open an image; what fails while it is used is an :class:`UnusableError`."""
    from PIL import Image, UnidentifiedImageError

    try:
        if (len(source) if isinstance(source, bytes) else source.stat().st_size) == 0:
            raise UnusableError("the file is empty")
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnusableError(f"{image.width:,} x {image.height:,} are more than {MAX_PIXELS:,} pixels")
            yield image
    except UnusableError:
        raise
    except UnidentifiedImageError as error:
        raise UnusableError("not a PNG, JPEG, WebP, TIFF or GIF image") from error
    except Image.DecompressionBombError as error:
        raise UnusableError(f"more than {MAX_PIXELS:,} pixels") from error
    except OSError as error:
        raise UnusableError(error.strerror or one_line(error)) from error
    except Exception as error:
        raise UnusableError(f"{type(error).__name__}: {one_line(error)}") from error


def _pixels(image: Any) -> Pixels:
    """Return an image of mode "L" or "RGB" as (C, H, W)."""
    pixels: Pixels = np.asarray(image).reshape(image.height, image.width, -1)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _centre(image: Any, crop: int) -> Any:
    """Return the central square, of at most ``crop`` pixels unless that is 0."""
    width, height = image.size
    side = min(width, height, crop or width)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return image.crop((left, top, left + side, top + side))


def _flatten(image: Any) -> Any:
    """Return an image without transparency and with 8 bits per channel."""
    from PIL import Image

    if image.mode == "F":
        raise UnusableError("floating-point pixels have no known range")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise UnusableError("32-bit pixels have no known range")
        return Image.fromarray((values / 257).round().astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image

"""One image file of any common kind as a small square of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif")
MAX_PIXELS = 100_000_000


class UnusableError(Exception):
    """Why a file cannot be used, in a few words."""


def read_image(path: Path, size: int, grey: bool) -> npt.NDArray[np.uint8]:
    """Return an image file, (C, size, size) uint8 with one channel if ``grey``, else three.

    The first frame is turned as its EXIF data say, laid on white if it is transparent, cut to its central square and
    resized with an antialiased bicubic filter. 16-bit grey levels are divided by 257.

    Raises:
        UnusableError: If the file cannot be read or is no such image.
    """
    try:
        return _read(path, size, grey)
    except UnusableError:
        raise
    except OSError as error:
        raise UnusableError(error.strerror or " ".join(str(error).split()) or type(error).__name__) from error
    except Exception as error:
        raise UnusableError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error


def _read(path: Path, size: int, grey: bool) -> npt.NDArray[np.uint8]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    if path.stat().st_size == 0:
        raise UnusableError("the file is empty")
    try:
        image: Image.Image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnusableError("not a PNG, JPEG, WebP, TIFF or GIF image") from error
    except Image.DecompressionBombError as error:
        raise UnusableError(f"more than {MAX_PIXELS:,} pixels") from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise UnusableError(f"{image.width:,} x {image.height:,} are more than {MAX_PIXELS:,} pixels")
        if image.format == "JPEG":
            image.draft(None, (2 * size, 2 * size))
        ImageOps.exif_transpose(image, in_place=True)
        flat = _flatten(image).convert("L" if grey else "RGB")
    side = min(flat.size)
    left, top = (flat.width - side) / 2, (flat.height - side) / 2
    square = flat.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    pixels: npt.NDArray[np.uint8] = np.asarray(square).reshape(size, size, -1)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


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

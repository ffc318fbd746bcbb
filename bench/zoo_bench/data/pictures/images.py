"""One image file of any common kind as bytes: as a small square, or unchanged."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

NOT_READ = {"EPS", "BUFR", "GRIB", "HDF5", "MPEG", "WMF"}
"""Formats that Pillow opens but whose pixels it does not decode itself; for EPS it starts Ghostscript."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"}
"""Parts of a PNG file that pixels come from."""
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
        levels: Values of files with more than 8 bits or of floats that become 0 and 255; None: 0 and 65535, no floats.
    """

    size: int = 32
    grey: bool = False
    crop: int = 0
    levels: tuple[float, float] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """One image, (C, H, W)."""
        return (1 if self.grey else 3, self.size, self.size)

    def __str__(self) -> str:
        crop = f"-crop-{self.crop}" if self.crop else ""
        levels = "-range-{:g}-{:g}".format(*self.levels) if self.levels else ""
        return f"{self.size}{'-grey' * self.grey}{crop}{levels}"


@functools.cache
def formats() -> tuple[str, ...]:
    """Return the formats that are read: those that this version of Pillow decodes itself."""
    from PIL import Image

    Image.init()
    return tuple(name for name in Image.ID if name not in NOT_READ)


@functools.cache
def suffixes() -> tuple[str, ...]:
    """Return the suffixes of these formats, in lower case; pairs of JPEG pictures, MPO, are opened as JPEG."""
    from PIL import Image

    readable = {*formats(), "MPO"}
    return tuple(suffix for suffix, name in Image.registered_extensions().items() if name in readable)


def read_image(source: Path | bytes, recipe: Recipe, faults: list[str] | None = None) -> Pixels:
    """Return the image of a file, or of its content, as (C, size, size) uint8 with one channel if grey, else three.

    The first frame is rotated as its EXIF data say, blended with white if it is transparent, cut to its central square
    and resized with an antialiased bicubic filter. Grey levels of more than 8 bits are scaled by the recipe's levels.

    Args:
        source: A file, or its content.
        recipe: Size and colours.
        faults: What is wrong with an image that is read all the same is added to it.

    Raises:
        UnusableError: If the file cannot be read or is not an image of these formats.
    """
    from PIL import Image

    faults = [] if faults is None else faults
    with _opened(source, faults, draft=0 if recipe.crop else 2 * recipe.size) as image:
        square = _flatten(_centre(image, recipe.crop), recipe.levels, faults).convert("L" if recipe.grey else "RGB")
        return _pixels(square.resize((recipe.size, recipe.size), Image.Resampling.BICUBIC))


def read_unchanged(source: Path | bytes) -> Pixels:
    """Return the image of a file as (C, H, W) uint8 in its own size, with one channel if the file is grey, else three.

    Rotation, transparency and 16-bit grey levels are treated as by :func:`read_image`.

    Raises:
        UnusableError: If the file cannot be read or is not an image of these formats.
    """
    with _opened(source, []) as image:
        flat = _flatten(image, None, [])
        return _pixels(flat.convert("L" if flat.mode in ("1", "L") else "RGB"))


def one_line(error: Exception) -> str:
    """Return what an error says on one line, or its type if it has no message."""
    return " ".join(str(error).split()) or type(error).__name__


@contextlib.contextmanager
def _opened(source: Path | bytes, faults: list[str], draft: int = 0) -> Iterator[Any]:
    """Open, load and rotate an image; what fails while it is used is an :class:`UnusableError`."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        if (len(source) if isinstance(source, bytes) else source.stat().st_size) == 0:
            raise UnusableError("the file is empty")
        try:
            image = _loaded(source, draft)
        except (SyntaxError, ValueError, UnidentifiedImageError):
            content = source if isinstance(source, bytes) else source.read_bytes()
            if not content.startswith(PNG_SIGNATURE):
                raise
            image = _loaded(_bare_png(content), draft)
            faults.append("text or a colour profile is damaged or too long, and was passed over")
        with image:
            try:
                turned = ImageOps.exif_transpose(image)
            except Exception:
                turned = image
                faults.append("EXIF data are damaged, so it was not turned")
            yield turned
    except UnusableError:
        raise
    except UnidentifiedImageError as error:
        raise UnusableError("not a picture that Pillow reads") from error
    except Image.DecompressionBombError as error:
        raise UnusableError(f"more than {MAX_PIXELS:,} pixels") from error
    except OSError as error:
        raise UnusableError(error.strerror or one_line(error)) from error
    except Exception as error:
        raise UnusableError(f"{type(error).__name__}: {one_line(error)}") from error


def _loaded(source: Path | bytes, draft: int) -> Any:
    """Return an image with its pixels; a JPEG one as small as its decoder offers, but with ``draft`` pixels a side."""
    from PIL import Image

    image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=formats())
    try:
        if image.width * image.height > MAX_PIXELS:
            raise UnusableError(f"{image.width:,} x {image.height:,} are more than {MAX_PIXELS:,} pixels")
        if draft and image.format == "JPEG":
            image.draft(None, (draft, draft))
        image.load()
    except BaseException:
        image.close()
        raise
    return image


def _bare_png(content: bytes) -> bytes:
    """Return a PNG file without what no pixel comes from, such as texts and colour profiles."""
    kept, start = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while start < len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        if content[start + 4 : start + 8] in PNG_CHUNKS:
            kept.append(content[start:end])
        start = end
    return b"".join(kept)


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


def _flatten(image: Any, levels: tuple[float, float] | None, faults: list[str]) -> Any:
    """Return an image without transparency and with 8 bits per channel."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_scaled(np.asarray(image), levels, faults))
    if "A" in image.getbands() or "transparency" in image.info:
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image


def _scaled(values: npt.NDArray[Any], levels: tuple[float, float] | None, faults: list[str]) -> Pixels:
    """Return integers of more than 8 bits, or floats, with ``levels`` scaled to 0 and 255 and clipped there."""
    low, high = levels or (0, 65535)
    lowest, highest = values.min(), values.max()
    if not np.isfinite([lowest, highest]).all():
        raise UnusableError("pixels are NaN or infinite")
    inside = low <= lowest and highest <= high
    if levels is None and (values.dtype.kind == "f" or not inside):
        kind = "floating-point" if values.dtype.kind == "f" else "32-bit"
        raise UnusableError(f"{kind} pixels have no known range: a task reads them with range=LOW:HIGH")
    if not inside:
        faults.append(f"values outside of {low:g} to {high:g} were clipped")
    return ((values.clip(low, high) - low) * (255 / (high - low))).round().astype(np.uint8)

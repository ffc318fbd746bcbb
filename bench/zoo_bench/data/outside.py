"""Samples that were made elsewhere, as a task stores its items."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.specs import NAME
from zoo.task import Task, to_storage
from zoo_bench.data.pictures.images import Pixels, UnusableError, read_unchanged
from zoo_bench.data.pictures.listing import scan
from zoo_bench.data.ranges import range_fault

Array = npt.NDArray[Any]

RANGES = {"0,1": (0.0, 1.0), "-1,1": (-1.0, 1.0)}
"""Lowest and highest value of floats, by what ``--range`` is given."""
TOLERANCE = 1e-3
"""How far values may lie outside of their range, for rounding; they are clipped."""


def read_samples(path: Path, task: Task, value_range: str = "") -> tuple[Tensor, str]:
    """Read the samples that another program made for a task.

    Args:
        path: A folder of image files, an ``.npz`` file with the array ``samples`` or with a single array, or an
            ``.npy`` file. Arrays of images are (N, C, H, W), (N, H, W, C) or, with one channel, (N, H, W), uint8 or
            floats; arrays of points are (N, D) floats.
        task: The task whose data they stand beside.
        value_range: The range of images in floats, "0,1" or "-1,1".

    Returns:
        As many items as the task is scored with, as it stores them: images (N, C, H, W) uint8 or points (N, D)
        float32. Then a sentence if there were more, of which a random subset was taken, always the same; or else "".

    Raises:
        ZooError: If they cannot be read, are too few, or are not of the task's shape and range.
    """
    if value_range and value_range not in RANGES:
        raise ZooError(f"--range must be 0,1 or -1,1, got {value_range!r}")
    title = repr(str(path))
    if path.is_dir():
        if len(task.shape) != 3 or task.shape[0] not in (1, 3):
            raise ZooError(f"{title} is a folder, but the task's items are no images in grey or RGB: give an .npz file")
        if value_range:
            raise ZooError(f"{title} is a folder of image files, whose range is known: leave --range out")
        return _from_folder(path, task, title)
    if path.suffix.lower() not in (".npz", ".npy") or not path.exists():
        state = "neither a folder nor an .npz or .npy file" if path.exists() else "absent"
        raise ZooError(f"{title} is {state}: name a folder of images, an .npz or an .npy file")
    array = _in_layout(_load(path, title), task.shape, title)
    chosen, left_out = _choose(len(array), task.samples, title)
    array = array[chosen]
    if len(task.shape) == 3:
        return _images(array, task, value_range, title), left_out
    if value_range:
        raise ZooError(f"--range is for images, and the task's items are points in {title}: leave it out")
    return _floats(array, title), left_out


def sample_name(path: Path) -> str:
    """Return the name of samples in tables: that of their file or folder, in lower case, with hyphens for spaces.

    Raises:
        ZooError: If that is no name.
    """
    absolute = Path(os.path.abspath(path))
    name = "-".join((absolute.name if path.is_dir() else absolute.stem).lower().split())
    if not NAME.fullmatch(name):
        raise ZooError(f"{name!r} is no name of lower-case letters, digits, '.', '_' and '-': give one with --name")
    return name


def _choose(found: int, needed: int, title: str) -> tuple[Array, str]:
    """Return the sorted indices of the samples that are taken, and a sentence if there are others."""
    if found < needed:
        raise ZooError(
            f"{title} has {found:,} samples, but the task is scored with {needed:,}, on which FID depends: "
            f"generate at least {needed:,}"
        )
    order = torch.randperm(found, generator=torch.Generator().manual_seed(0))
    left_out = f"{found - needed:,} of the {found:,} samples in {title} were left out at random"
    return order[:needed].sort().values.numpy(), left_out if found > needed else ""


def _from_folder(folder: Path, task: Task, title: str) -> tuple[Tensor, str]:
    """Read image files of the task's size.

    A grey task takes colour files without colour, since many programs save all images in three channels; a colour task
    takes grey files among others, since some save an image without colour in one, but not if all are grey.
    """
    listing = scan(folder)
    for name, reason in listing.unusable.items():
        raise ZooError(f"{name!r} in {title} cannot be read: {reason}")
    if not listing.names:
        raise ZooError(f"{title} has no pictures that Pillow reads")
    chosen, left_out = _choose(len(listing.names), task.samples, title)
    names = [listing.names[index] for index in chosen]
    samples = np.empty((len(names), *task.shape), np.uint8)
    coloured = False
    for index, name in enumerate(names):
        image = _read(folder / name, task.shape, f"{name!r} in {title}")
        coloured |= len(image) > 1
        samples[index] = image[: task.shape[0]]
    if task.shape[0] > 1 and not coloured:
        raise ZooError(f"all files in {title} are grey, but the task's images have {task.shape[0]} channels")
    return torch.from_numpy(samples), left_out


def _read(file: Path, shape: tuple[int, ...], title: str) -> Pixels:
    """Read an image file; refuse one of another size, and a coloured one for a grey task."""
    channels, height, width = shape
    try:
        image = read_unchanged(file)
    except UnusableError as error:
        raise ZooError(f"{title} cannot be read: {error}") from error
    if image.shape[1:] != (height, width):
        raise ZooError(
            f"{title} has {image.shape[2]}x{image.shape[1]} pixels, but the task's images have {width}x{height}, "
            "and samples are not resized"
        )
    if channels == 1 and (image != image[:1]).any():
        raise ZooError(f"{title} has colours, but the task's images are grey, with one channel")
    return image


def _load(path: Path, title: str) -> Array:
    """Return the array of a file; that of an .npy file stays on disk until it is used."""
    try:
        content = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            return content
        with content as archive:
            names = archive.files
            if "samples" not in names and len(names) != 1:
                raise ZooError(f"{title} has {len(names)} arrays, none of them 'samples': give the right one that name")
            return np.asarray(archive["samples" if "samples" in names else names[0]])
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ZooError(
            f"{title} is damaged or holds Python objects: save an array of numbers with numpy.savez or numpy.save"
        ) from error
    except OSError as error:
        raise ZooError(f"{title} cannot be read: {error.strerror or error}") from error


def _in_layout(array: Array, shape: tuple[int, ...], title: str) -> Array:
    """Return an array of items as (N, *shape)."""
    item = array.shape[1:]
    accepted = [shape]
    if len(shape) == 3:
        channels, height, width = shape
        accepted += [(height, width, channels)] + [(height, width)] * (channels == 1)
    if not array.ndim or item not in accepted:
        texts = [str(("N", *each)).replace("'", "") for each in accepted]
        raise ZooError(f"{title} has an array of shape {array.shape}, but the task's items need {' or '.join(texts)}")
    if item == shape:
        return array
    return array.transpose(0, 3, 1, 2) if len(item) == 3 else array[:, None]


def _images(array: Array, task: Task, value_range: str, title: str) -> Tensor:
    """Return images in uint8 or floats as the task stores them."""
    if array.dtype == np.uint8:
        if value_range:
            raise ZooError(f"{title} has uint8 values, whose range is known: leave --range out")
        if array.max() == 1:
            raise ZooError(f"{title} has uint8 values of 0 and 1 only, but pixels go from 0 to 255: scale them")
        return torch.from_numpy(np.ascontiguousarray(array))
    images = _floats(array, title, " or uint8")
    if not value_range:
        raise ZooError(f"{title} has floats, whose range is unknown: give --range 0,1 or --range -1,1")
    low, high = RANGES[value_range]
    lowest, highest = (float(value) for value in images.aminmax())
    if lowest < low - TOLERANCE or highest > high + TOLERANCE:
        raise ZooError(f"{title} has values from {lowest:.4g} to {highest:.4g}, outside of --range {value_range}")
    stored = to_storage(images if low < 0 else images.mul_(2.0).sub_(1.0))
    if low < 0 and (fault := range_fault(stored, task.train.data)):
        raise ZooError(f"{title}: {fault}; if so, give --range 0,1")
    return stored


def _floats(array: Array, title: str, others: str = "") -> Tensor:
    """Return floats of any width as float32."""
    if array.dtype.kind != "f":
        raise ZooError(f"{title} has values of type {array.dtype}, but floats{others} are expected")
    with np.errstate(over="ignore"):
        values = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    if not torch.isfinite(values).all():
        raise ZooError(f"{title} has values that are NaN or infinite")
    return values

"""Any number of samples of a run's model, written batch after batch, so that memory stays flat."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from zoo.config import ConditionalConfig
from zoo.errors import ZooError
from zoo.files import replacing, temporary_folder, write_atomically
from zoo.model import GenerativeModel, sample_classes
from zoo.registry import installed
from zoo_bench.core.seeds import derive
from zoo_bench.data.loading import load_task
from zoo_bench.score.drawing import BATCH_SIZE, Sampler, decode_batch, draw_batch
from zoo_bench.score.latents import latents, require
from zoo_bench.score.provenance import made_by, png
from zoo_bench.score.sheets import as_image, grid, scatter
from zoo_bench.score.stored import load_run
from zoo_bench.store.records import read_record

MAX_ON_SHEET = 1_000
"""Images that a sheet may have."""

MAX_POINTS = 100_000
"""Points that a sheet may have."""


def sample_run(
    path: Path, *, n: int, seed: int, out: Path, classes: Sequence[int] = (), truncation: float | None = None
) -> Path:
    """Draw ``n`` samples and write them, with what made them in the metadata.

    - ``.npz``: ``samples``, images (n, C, H, W) uint8 or points (n, D) float32; of a conditional model ``labels`` (n,)
      int64; ``made_by``, JSON.
    - ``.png``: a sheet, which has a row for each of several classes, ``n`` rounded up to whole rows.
    - a folder: a PNG for each image, of a conditional model in a sub-folder for each class.

    Args:
        path: A run's JSON file.
        n: How many.
        seed: Sampling seed.
        out: The file or folder.
        classes: Of a conditional model: the classes that are drawn in turn; empty: all.
        truncation: Latents are drawn from a normal distribution cut off at plus and minus this (the truncation trick,
            Brock et al. 2019, section 3.1); None: from a whole one.

    Raises:
        ZooError: If an argument is unusable, or samples are infinite or NaN; nothing is written then.
    """
    if n < 1:
        raise ZooError(f"-n must be at least 1, got {n}")
    _check_out(out)
    model = load_run(path)
    spec = read_record(path).spec
    classes = classes_of(model, spec.model, classes)
    sampler = sample_classes if truncation is None else truncated(model, truncation)
    made = made_by(path, seed=seed, truncation=truncation, classes=classes or None)
    torch.manual_seed(derive(seed, "sampling"))
    if out.suffix == ".npz":
        _write_npz(out, model, n, classes, sampler, made)
    elif out.suffix == ".png":
        _write_sheet(out, model, n, classes, sampler, made)
    elif len(model.shape) != 3:
        raise ZooError(f"samples of {spec.model!r} are points: --out {str(out)!r} must end in .npz or .png")
    else:
        _write_folder(out, model, n, classes, sampler, made)
    return out


def parse_classes(text: str) -> tuple[int, ...]:
    """Read classes such as "3" or "3,5"; "" is none.

    Raises:
        ZooError: For anything else.
    """
    if not re.fullmatch(r"(\d{1,9}(,\d{1,9})*)?", text, re.ASCII):
        raise ZooError(f"--class {text!r} must be numbers of classes, such as 3 or 3,5")
    return tuple(dict.fromkeys(map(int, text.split(",")))) if text else ()


def classes_of(model: GenerativeModel, name: str, wanted: Sequence[int]) -> tuple[int, ...]:
    """Return the classes to draw: those that are wanted, or all; none of a model that is not given labels.

    Raises:
        ZooError: If one does not exist.
    """
    if not model.conditional:
        if not wanted:
            return ()
        if not isinstance(model.config, ConditionalConfig):
            raise ZooError(f"model {name!r} cannot be given labels, so it has no classes to choose")
        how = f"`zoo bench --models '{name}[conditional=true]'` trains one that is"
        raise ZooError(f"this {name!r} was trained without labels, so it is not given classes: {how}")
    known = range(model.config.classes)
    for label in wanted:
        if label not in known:
            raise ZooError(f"there is no class {label}: this {name!r} was trained on classes 0 to {known[-1]}")
    return tuple(wanted or known)


def truncated(model: GenerativeModel, limit: float) -> Sampler:
    """Return a sampler that decodes latents from N(0, I) cut off at plus and minus ``limit``.

    Raises:
        ZooError: If the limit is not a number above 0, or the model defines no ``decode``.
    """
    if not 0 < limit < math.inf:
        raise ZooError(f"--truncation must be above 0, got {limit:g}")
    require(model, "decode")

    def sampler(model: GenerativeModel, n: int, labels: Tensor | None) -> Tensor:
        z = torch.nn.init.trunc_normal_(latents(model, n), a=-limit, b=limit)
        return decode_batch(model, z, labels)

    return sampler


def labels_in_turn(classes: Sequence[int], start: int, stop: int) -> Tensor | None:
    """Return the labels of samples ``start`` to ``stop - 1``, one class after another; None without classes."""
    return torch.tensor(classes)[torch.arange(start, stop) % len(classes)] if classes else None


def batches(
    model: GenerativeModel, n: int, classes: Sequence[int], sampler: Sampler
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Draw ``n`` samples, and yield each batch, as data are stored, with its labels.

    Raises:
        ZooError: If one is infinite or NaN.
    """
    for start in range(0, n, BATCH_SIZE):
        stop = min(start + BATCH_SIZE, n)
        labels = labels_in_turn(classes, start, stop)
        part = draw_batch(model, stop - start, labels, sampler)
        if part is None:
            raise ZooError("these weights give samples that are infinite or NaN: nothing was written")
        yield part, labels


def _check_out(out: Path) -> None:
    if out.suffix not in (".npz", ".png", ""):
        raise ZooError(f"--out {str(out)!r} must end in .png or .npz, or be a folder, without a suffix")
    if not out.absolute().parent.is_dir():
        raise ZooError(f"--out {str(out)!r} must be in an existing folder")
    if out.suffix and out.is_dir():
        raise ZooError(f"--out {str(out)!r} is a folder: name a file")
    if not out.suffix and os.path.lexists(out) and not (out.is_dir() and not any(out.iterdir())):
        raise ZooError(f"--out {str(out)!r} is there already: name a folder that is new or empty")


def _write_npz(
    out: Path, model: GenerativeModel, n: int, classes: Sequence[int], sampler: Sampler, made: dict[str, Any]
) -> None:
    dtype = np.dtype(np.uint8 if len(model.shape) == 3 else np.float32)
    with replacing(out) as file, zipfile.ZipFile(file, "w") as archive:
        samples = (part for part, _ in batches(model, n, classes, sampler))
        _write_array(archive, "samples", (n, *model.shape), dtype, samples)
        if classes:
            found = (labels_in_turn(classes, start, min(start + BATCH_SIZE, n)) for start in range(0, n, BATCH_SIZE))
            _write_array(archive, "labels", (n,), np.dtype(np.int64), found)
        text = np.array(json.dumps(made))
        _write_array(archive, "made_by", (), text.dtype, [text])


def _write_array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], parts: Any) -> None:
    """Write an array of which the parts, tensors or arrays, come one after another, as ``np.savez_compressed`` does."""
    member = zipfile.ZipInfo(f"{name}.npy")
    member.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(member, "w", force_zip64=True) as file:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.asarray(part).tobytes())


def _write_sheet(
    out: Path, model: GenerativeModel, n: int, classes: Sequence[int], sampler: Sampler, made: dict[str, Any]
) -> None:
    from PIL import Image

    limit = MAX_ON_SHEET if len(model.shape) == 3 else MAX_POINTS
    rows = max(1, len(classes))
    n += -n % rows
    if n > limit:
        raise ZooError(f"a sheet has at most {limit:,} items, got {n:,}: an --out of .npz or a folder takes any number")
    drawn = torch.cat([part for part, _ in batches(model, n, classes, sampler)])
    if len(model.shape) != 3:
        picture: Image.Image = Image.open(io.BytesIO(scatter(drawn, load_task(installed().tasks.get(made["task"])))))
    elif rows > 1:
        by_class = drawn.unflatten(0, (-1, rows)).transpose(0, 1).flatten(0, 1)
        picture = grid(by_class, columns=n // rows, titles=[str(label) for label in classes])
    else:
        picture = grid(drawn)
    write_atomically(out, png(picture, made))


def _write_folder(
    out: Path, model: GenerativeModel, n: int, classes: Sequence[int], sampler: Sampler, made: dict[str, Any]
) -> None:
    digits, class_digits = len(str(n - 1)), len(str(max(classes, default=0)))
    temporary = temporary_folder(out.absolute().parent)
    try:
        for label in classes:
            (temporary / f"{label:0{class_digits}}").mkdir()
        number = 0
        for part, labels in batches(model, n, classes, sampler):
            for item, label in zip(part, labels.tolist() if labels is not None else [None] * len(part), strict=True):
                folder = temporary if label is None else temporary / f"{label:0{class_digits}}"
                said = made if label is None else {**made, "classes": [label]}
                (folder / f"{number:0{digits}}.png").write_bytes(png(as_image(item), said))
                number += 1
        temporary.chmod(0o755)
        if out.is_dir():
            out.rmdir()  # an empty one: not every system renames onto it
        os.replace(temporary, out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise

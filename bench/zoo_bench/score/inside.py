"""Looking inside trained models: interpolations, traversals, reconstructions and nearest training images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.files import write_atomically
from zoo.model import GenerativeModel, sample_classes
from zoo.registry import installed
from zoo.task import Split, Task
from zoo_bench.core.seeds import derive
from zoo_bench.data.loading import load_task
from zoo_bench.score.animation import SUFFIXES, check_film, write_film
from zoo_bench.score.latents import Way, between, change, decoded, encoded, latents, mean_kl, require, traversed
from zoo_bench.score.provenance import made_by, png
from zoo_bench.score.sampling import MAX_ON_SHEET, batches, classes_of, labels_in_turn
from zoo_bench.score.sheets import COLUMNS, beside_nearest, grid
from zoo_bench.score.stored import load_run
from zoo_bench.store.records import read_record

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH_PIXELS = 1024
"""Of a sheet with a path a row."""

MAX_STEPS = 500
"""Items on one path."""

ENCODED_ITEMS = 1_000
"""Test items over which the KL divergence is a mean."""

CHANGED_LATENTS = 16
"""Latents over which the change of a GAN's images is a mean."""


def interpolate(
    runs: Sequence[Path], *, n: int, steps: int | None, way: Way, seed: int, classes: Sequence[int], out: Path
) -> Path:
    """Go from latents to latents, a pair a row: a sheet, or there and back as a film. Several models get the same.

    Args:
        runs: JSON files of runs.
        n: Pairs.
        steps: Items from one latent to the other; None: 10 on a sheet, 50 of a film.
        way: Of the latents, see :func:`zoo_bench.score.latents.between`.
        seed: Sampling seed.
        classes: Of conditional models: the classes of the pairs, in turn; empty: all.
        out: A ``.png``, ``.gif`` or ``.mp4``.

    Raises:
        ZooError: If an argument is unusable, or models have latents or images of different sizes.
    """
    is_film = out.suffix in SUFFIXES
    steps = (50 if is_film else 10) if steps is None else steps
    _check(out, (".png", *SUFFIXES), n, n * len(runs) * (1 if is_film else steps), steps)
    check_film(out)
    models = [_load(run, "decode") for run in runs]
    names = [read_record(run).spec.model for run in runs]
    torch.manual_seed(derive(seed, "sampling"))
    z = latents(models[0], 2 * n)
    for model, name in zip(models, names, strict=True):
        size = latents(model, 1).shape[1]
        if size != z.shape[1]:
            sizes = f"{names[0]!r} has {z.shape[1]} dimensions, of {name!r} {size}"
            raise ZooError(f"the same latents fit models of one z_dim only: the latent of {sizes}")
        if model.shape != models[0].shape:
            raise ZooError(
                f"one picture has images of one shape: {names[0]!r} {models[0].shape}, {name!r} {model.shape}"
            )
    paths = between(z[:n], z[n:], steps, way)
    rows, titles = [], []
    for model, name in zip(models, names, strict=True):
        labels = labels_in_turn(classes_of(model, name, classes), 0, n)
        items = decoded(model, paths, None if labels is None else labels[:, None].expand(-1, steps))
        rows.append(items.unflatten(0, (n, steps)))
        lead = [name] if len(runs) > 1 else []
        shown_classes = [[]] * n if labels is None else [[str(label)] for label in labels.tolist()]
        titles.append([" ".join(lead + shown) for shown in shown_classes])
    shown = torch.stack(rows)  # (models, pairs, steps, C, H, W)
    made = {**made_by(runs[0], seed=seed, interpolation=way), "beside": [made_by(run) for run in runs[1:]]}
    if is_film:
        there_and_back = [*range(steps), *range(steps - 2, 0, -1)]
        columns = n if len(runs) > 1 else None
        titles_of_rows = names if columns else []
        frames = [grid(shown[:, :, i].flatten(0, 1), columns, titles_of_rows) for i in there_and_back]
        write_film(out, frames, made)
        return out
    by_pair = [title for pair in zip(*titles, strict=True) for title in pair]
    sheet = grid(shown.transpose(0, 1).flatten(0, 2), steps, by_pair if any(by_pair) else (), WIDTH_PIXELS)
    return _write(out, sheet, made)


def traverse(run: Path, *, n: int, steps: int, seed: int, classes: Sequence[int], out: Path) -> Path:
    """Change one dimension of a latent at a time, from -3 to 3: a row each, those that do most first.

    Of a model that defines ``encode`` the latent is that of a test item, and dimensions are ordered by the mean KL
    divergence of their posteriors, as in the picture of Higgins et al. 2017; of others it is drawn, and they are
    ordered by how much the image changes.

    Args:
        run: A run's JSON file.
        n: Dimensions, at most all.
        steps: Items of a row.
        seed: Sampling seed, by which the item or the latent is chosen.
        classes: Of a conditional model: the class, one; empty: that of the item, or the first.
        out: A ``.png``.

    Raises:
        ZooError: If an argument is unusable.
    """
    _check(out, (".png",), n, n * steps, steps)
    model, name = _load(run, "decode"), read_record(run).spec.model
    known = classes_of(model, name, classes)
    if len(classes) > 1:
        raise ZooError(f"a traversal has one class, got {len(classes)}")
    torch.manual_seed(derive(seed, "sampling"))
    if callable(getattr(model, "encode", None)):
        items = _shuffled(_task(run).test, seed)
        used = items.at(slice(ENCODED_ITEMS))
        which = _first_of(items, classes[0]) if classes else 0
        z = encoded(model, *_given(model, items.at(slice(which, which + 1))))
        worth, unit = mean_kl(model, *_given(model, used)), "KL"
        labels = items.modes[which : which + 1] if model.conditional and items.modes is not None else None
    else:
        z, labels = latents(model, 1), labels_in_turn(known[:1], 0, 1)
        some = latents(model, CHANGED_LATENTS)
        worth, unit = change(model, some, None if labels is None else labels.expand(len(some))), "change"
    order = worth.argsort(descending=True, stable=True)[:n]
    varied = traversed(z[0], order, steps)
    shown = decoded(model, varied, None if labels is None else labels.expand(varied.shape[:2]))
    titles = [f"z{int(i)}  {unit} {float(worth[i]):.3g}" for i in order]
    made = made_by(run, seed=seed, classes=classes or None, dimensions=order.tolist())
    return _write(out, grid(shown, steps, titles, WIDTH_PIXELS), made)


def reconstruct(run: Path, *, n: int, seed: int, out: Path) -> Path:
    """Show test items, and below each what the model decodes from its code.

    Args:
        run: A run's JSON file.
        n: Items, rounded up to whole rows of 8.
        seed: By which the items are chosen.
        out: A ``.png``.

    Raises:
        ZooError: If an argument is unusable.
    """
    columns = min(n, COLUMNS)
    n += -n % max(columns, 1)
    _check(out, (".png",), n, 2 * n)
    model = _load(run, "decode", "encode")
    items = _shuffled(_task(run).test, seed)
    if n > len(items):
        raise ZooError(f"the test split has {len(items):,} items, so -n cannot be {n:,}")
    data, labels = _given(model, items.at(slice(n)))
    again = decoded(model, encoded(model, data, labels), labels)
    shown = torch.stack([part.unflatten(0, (-1, columns)) for part in (data, again)], dim=1).flatten(0, 2)
    return _write(out, grid(shown, columns, ["test", "model"] * (n // columns)), made_by(run, seed=seed))


def neighbours(run: Path, *, n: int, seed: int, out: Path) -> Path:
    """Show samples, those of ``zoo sample``, each with its nearest training image to its right.

    Args:
        run: A run's JSON file.
        n: Samples.
        seed: Sampling seed.
        out: A ``.png``.

    Raises:
        ZooError: If an argument is unusable.
    """
    _check(out, (".png",), n, 2 * n)
    model, name = _load(run), read_record(run).spec.model
    torch.manual_seed(derive(seed, "sampling"))
    drawn = torch.cat([part for part, _ in batches(model, n, classes_of(model, name, ()), sample_classes)])
    return _write(out, grid(beside_nearest(drawn, _task(run).train.data), columns=4), made_by(run, seed=seed))


def _check(out: Path, suffixes: tuple[str, ...], n: int, items: int, steps: int = 2) -> None:
    if out.suffix not in suffixes or out.is_dir() or not out.absolute().parent.is_dir():
        raise ZooError(f"--out {str(out)!r} must be a file in an existing folder and end in {' or '.join(suffixes)}")
    if n < 1:
        raise ZooError(f"-n must be at least 1, got {n}")
    if not 2 <= steps <= MAX_STEPS:
        raise ZooError(f"--steps must be 2 to {MAX_STEPS}, got {steps}")
    if items > MAX_ON_SHEET:
        raise ZooError(f"a picture has at most {MAX_ON_SHEET:,} images, and these are {items:,}")


def _load(run: Path, *methods: str) -> GenerativeModel:
    model = load_run(run)
    if len(model.shape) != 3:
        raise ZooError(f"this shows images, and {read_record(run).spec.model!r} of {str(run)!r} models points")
    if methods:
        require(model, *methods)
    return model


def _task(run: Path) -> Task:
    return load_task(installed().tasks.get(read_record(run).spec.task))


def _shuffled(split: Split, seed: int) -> Split:
    return split.at(torch.randperm(len(split), generator=torch.Generator().manual_seed(derive(seed, "data"))))


def _given(model: GenerativeModel, items: Split) -> tuple[Tensor, Tensor | None]:
    return items.data, items.modes if model.conditional else None


def _first_of(items: Split, label: int) -> int:
    found = [] if items.modes is None else (items.modes == label).nonzero().flatten().tolist()
    if not found:
        raise ZooError(f"the test split has no item of class {label}")
    return int(found[0])


def _write(out: Path, picture: Image, made: dict[str, Any]) -> Path:
    write_atomically(out, png(picture, made))
    return out

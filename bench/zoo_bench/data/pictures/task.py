"""Tasks of your own pictures: from the text after a task's name to prepared images, and from these to a task."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable

import torch

from zoo.errors import DataError, ZooError
from zoo.specs import TaskSpec
from zoo.task import Split, Task
from zoo_bench.data.options import parse_options
from zoo_bench.data.pictures.cache import Prepared, open_prepared
from zoo_bench.data.pictures.images import Recipe
from zoo_bench.data.pictures.preparing import MAX_HELD_OUT_IMAGES, Pictures, prepare
from zoo_bench.judges.named import check_judge, named_judge

SIZES_IN_PIXELS = range(8, 257)
MIN_SAMPLES = 1_000
USAGE = {"folder": "write folder:PATH?size=32&grey=1", "hf": "write hf:NAME?size=32&grey=1"}
_RESULT_NAME = re.compile(r"@(?P<label>[a-z0-9-]+-(?P<content>[0-9a-f]{12}))(\+(?P<judge>[a-z0-9.-]+))?")


def variant(
    spec: TaskSpec, text: str, find: Callable[[str, dict[str, str]], tuple[Pictures, str]], *options: str
) -> TaskSpec:
    """Return the spec of some pictures, prepared if need be: ``:WHERE?size=32`` in commands, ``@...`` in results.

    The name in results has the pictures' name, the size and the content's hash; it finds the prepared images
    even if the pictures have been moved or removed.

    Args:
        spec: The task.
        text: What follows its name.
        find: Maps WHERE and the values of ``options`` to the pictures and their name.
        options: Names of options besides ``size``, ``grey``, ``range`` and ``judge``.

    Raises:
        DataError: If the pictures are unusable, or those that a result names are no longer in the cache.
        ZooError: If the text is not understood.
    """
    if text.startswith("@"):
        return _from_result(spec, text)
    location, _, option_text = text.removeprefix(":").partition("?")
    if not location or not text.startswith(":"):
        raise ZooError(f"task {spec.name + text!r} names no pictures: {USAGE[spec.name]}")
    values = parse_options(option_text, ["size", "grey", "range", "judge", *options])
    size, grey = _size(spec, values.pop("size", "32")), _flag(spec, values.pop("grey", "0"))
    recipe = Recipe(size, grey, levels=_levels(spec, values.pop("range", "")))
    judge = values.pop("judge", "")
    check_judge(judge)
    pictures, name = find(location, values)
    prepared = prepare(pictures, recipe)
    slug = _slug(name)[:32] or "images"
    return _spec(spec, prepared, f"{slug}-{_slug(str(recipe))}-{prepared.content}", judge)


def load(name: str, content: str) -> Task:
    """Load prepared images by their content hash and judge, as in "1f3a5c7e9b0d+efficientnet-lite0".

    Raises:
        DataError: If nothing is named, the cache does not have it, or a held-out split has fewer than two images.
    """
    if not content:
        raise DataError(f"task {name!r} names no pictures: {USAGE[name]}")
    key, _, judge = content.partition("+")
    return task_of(_opened(name, key), judge)


def task_of(prepared: Prepared, judge: str) -> Task:
    """Return the task of prepared images; judges that are selected by name have no classes.

    At most 10,000 images of each held-out split are used.

    Raises:
        DataError: If a held-out split has fewer than two images.
    """
    images = torch.from_numpy(prepared.images)
    labels = None if prepared.labels is None else torch.from_numpy(prepared.labels)
    train, validation = prepared.about["ends"]

    def split(start: int, end: int) -> Split:
        return Split(images[start:end], None if labels is None else labels[start:end])

    held_out = (
        split(train, min(validation, train + MAX_HELD_OUT_IMAGES)),
        split(validation, min(len(images), validation + MAX_HELD_OUT_IMAGES)),
    )
    if min(map(len, held_out)) < 2:
        raise DataError(f"{len(images):,} images leave fewer than two for validation or test: add some")
    samples = max(MIN_SAMPLES, len(held_out[1]))
    return Task(split(0, train), *held_out, named_judge(judge, images.shape[1]), modes=0, samples=samples)


def prepared_of(spec: TaskSpec) -> Prepared | None:
    """Return the prepared images that a variant's spec stands for, or None if it is not a task of pictures."""
    name, _, variant_name = spec.name.partition("@")
    return _opened(name, spec.argument.partition("+")[0]) if variant_name and name in USAGE else None


def _from_result(spec: TaskSpec, text: str) -> TaskSpec:
    match = _RESULT_NAME.fullmatch(text)
    if not match:
        raise ZooError(f"task {spec.name + text!r} is no name of prepared images: {USAGE[spec.name]}")
    return _spec(spec, _opened(spec.name, match["content"]), match["label"], match["judge"] or "")


def _spec(spec: TaskSpec, prepared: Prepared, label: str, judge: str) -> TaskSpec:
    suffix = f"+{judge}" if judge else ""
    return dataclasses.replace(
        spec,
        name=f"{spec.name}@{label}{suffix}",
        argument=f"{prepared.content}{suffix}",
        shape=tuple(prepared.images.shape[1:]),
        version=f"{spec.version}-{prepared.content}",
        needs="",
    )


def _opened(name: str, content: str) -> Prepared:
    prepared = open_prepared(content)
    if prepared is None:
        raise DataError(f"prepared images {content} are not in the cache: name their source again ({USAGE[name]})")
    return prepared


def _size(spec: TaskSpec, text: str) -> int:
    if not text.isdecimal() or int(text) not in SIZES_IN_PIXELS:
        raise ZooError(
            f"size={text} of task {spec.name!r} must be a whole number of pixels "
            f"from {SIZES_IN_PIXELS[0]} to {SIZES_IN_PIXELS[-1]}"
        )
    return int(text)


def _levels(spec: TaskSpec, text: str) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        low, high = map(float, text.split(":"))
    except ValueError:
        low = high = math.nan
    if not -math.inf < low < high < math.inf:
        raise ZooError(f"range={text} of task {spec.name!r} must be two numbers LOW:HIGH, such as 0:4095 for 12 bits")
    return low, high


def _slug(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def _flag(spec: TaskSpec, text: str) -> bool:
    if text not in ("0", "1"):
        raise ZooError(f"grey={text} of task {spec.name!r} must be 0 or 1")
    return text == "1"

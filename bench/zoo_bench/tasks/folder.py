"""Your own images: ``folder:PATH?size=32&grey=1&judge=efficientnet-lite0``."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from urllib.parse import unquote

import torch

from zoo.errors import DataError, ZooError
from zoo.specs import TaskSpec
from zoo.task import Split, Task
from zoo_bench.judge import check_judge, named_judge
from zoo_bench.tasks.prepare import Prepared, Recipe, open_prepared, prepare
from zoo_bench.tasks.variants import parse_options

USAGE = "write folder:PATH?size=32&grey=1"
SIZES = range(8, 257)
MOST = 10_000
LEAST = 1_000
_RESULT_NAME = re.compile(r"@(?P<label>[a-z0-9-]+-(?P<content>[0-9a-f]{12}))(\+(?P<judge>[a-z0-9.-]+))?")


def variant(spec: TaskSpec, text: str) -> TaskSpec:
    """Return the spec of one folder, prepared if need be: ``:PATH?size=32`` for people, ``@...`` in results.

    A comma or question mark in PATH is written %2C or %3F. The name in results has the folder's name, the size and the
    content's hash; it finds the prepared images wherever the folder is now.

    Raises:
        DataError: If the folder is unusable, or what a result names is no longer in the cache.
        ZooError: If the text is not understood.
    """
    if text.startswith("@"):
        return _from_result(spec, text)
    path, _, options = text.removeprefix(":").partition("?")
    if not path or not text.startswith(":"):
        raise ZooError(f"task {spec.name + text!r} names no folder: {USAGE}")
    values = parse_options(options, ["size", "grey", "judge"])
    recipe = Recipe(_size(values.get("size", "32")), _flag(values.get("grey", "0")))
    judge = values.get("judge", "")
    check_judge(judge)
    folder = Path(unquote(path)).expanduser()
    prepared = prepare(folder, recipe)
    slug = re.sub("[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:32] or "images"
    label = f"{slug}-{recipe}-{prepared.content}"
    return _spec(spec, prepared, label, judge)


def folder(content: str = "") -> Task:
    """Load prepared images by their content hash and judge, as in "1f3a5c7e9b0d+efficientnet-lite0".

    Labels are those of sub-folders; the judges here know no classes. At most 10,000 images of each held-out split are
    used.

    Raises:
        DataError: If nothing is named, the cache does not have it, or a held-out split has fewer than two images.
    """
    if not content:
        raise DataError(f"task 'folder' names no folder: {USAGE}")
    key, _, judge = content.partition("+")
    prepared = _opened(key)
    images = torch.from_numpy(prepared.images)
    labels = None if prepared.labels is None else torch.from_numpy(prepared.labels)
    train, validation = prepared.about["ends"]

    def split(start: int, end: int) -> Split:
        return Split(images[start:end], None if labels is None else labels[start:end])

    held_out = split(train, min(validation, train + MOST)), split(validation, min(len(images), validation + MOST))
    if min(map(len, held_out)) < 2:
        raise DataError(f"{len(images):,} images leave fewer than two for validation or test: add some")
    samples = max(LEAST, len(held_out[1]))
    return Task(split(0, train), *held_out, named_judge(judge, images.shape[1]), modes=0, samples=samples)


def prepared_of(spec: TaskSpec) -> Prepared:
    """Return the prepared images that a variant's spec stands for."""
    return _opened(spec.argument.partition("+")[0])


def _from_result(spec: TaskSpec, text: str) -> TaskSpec:
    match = _RESULT_NAME.fullmatch(text)
    if not match:
        raise ZooError(f"task {spec.name + text!r} is no name of prepared images: {USAGE}")
    return _spec(spec, _opened(match["content"]), match["label"], match["judge"] or "")


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


def _opened(content: str) -> Prepared:
    prepared = open_prepared(content)
    if prepared is None:
        raise DataError(f"prepared images {content} are not in the cache: name their folder again ({USAGE})")
    return prepared


def _size(text: str) -> int:
    if not text.isdecimal() or int(text) not in SIZES:
        raise ZooError(f"size={text} of a folder must be a whole number of pixels from {SIZES[0]} to {SIZES[-1]}")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ZooError(f"grey={text} of a folder must be 0 or 1")
    return text == "1"

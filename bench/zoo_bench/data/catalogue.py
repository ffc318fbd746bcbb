"""The tasks that come with the harness, described; imports no torch."""

from __future__ import annotations

from typing import Any

from zoo.specs import TaskSpec
from zoo_bench.data.sources import SOURCES

DOWNLOAD = "a download, or files under $ZOO_DATA"


def _images(name: str, loader: str, shape: tuple[int, int, int], modes: int, summary: str, **fields: Any) -> TaskSpec:
    """Describe an image task; one without modes also accepts another judge."""
    if name in SOURCES:
        fields |= {"needs": DOWNLOAD, "files": SOURCES[name].files, "instead": SOURCES[name].instead}
    if not modes:
        fields |= {"takes": "?judge=NAME", "variants": "zoo_bench.data.options:with_judge"}
    target = f"zoo_bench.data.sets.{loader}"
    return TaskSpec(
        name=name, target=target, summary=summary, data="images", shape=shape, modes=modes, version="1", **fields
    )


def _points(name: str, modes: int, summary: str) -> TaskSpec:
    target = f"zoo_bench.data.sets.mixtures:{name}"
    return TaskSpec(name=name, target=target, summary=summary, data="points", shape=(2,), modes=modes, version="1")


TASKS = (
    _images("digits", "digits:digits", (1, 8, 8), 10, "UCI digits, 1,797 real images; no network."),
    _points("ring8", 8, "8 Gaussians on a circle, std 0.01."),
    _points("grid25", 25, "25 Gaussians on a grid, std 0.05."),
    _images("stacked-digits", "stacked:stacked_digits", (3, 8, 8), 1000, "Three UCI digits in red, green and blue."),
    _images("mnist", "mnist:mnist", (1, 28, 28), 10, "70,000 handwritten digits."),
    _images("fashion-mnist", "mnist:fashion", (1, 28, 28), 10, "70,000 garments."),
    _images("kmnist", "mnist:kuzushiji", (1, 28, 28), 0, "70,000 cursive Japanese characters, 10 classes."),
    _images("stacked-mnist", "stacked:stacked_mnist", (3, 28, 28), 1000, "Three MNIST digits in red, green and blue."),
    _images("cifar10", "cifar:cifar10", (3, 32, 32), 0, "60,000 photographs, 10 classes."),
    _images("cifar100", "cifar:cifar100", (3, 32, 32), 0, "60,000 photographs, 100 classes."),
    _images("svhn", "svhn:svhn", (3, 32, 32), 0, "99,289 house numbers, 10 digits."),
    _images("celeba64", "celeba:celeba64", (3, 64, 64), 0, "202,599 aligned faces, the central 140 pixels at 64."),
    TaskSpec(
        name="folder",
        target="zoo_bench.data.pictures.folder:folder",
        summary="Your own images.",
        data="images",
        shape=(),
        modes=0,
        version="1",
        needs="a folder: folder:PATH?size=32&grey=1",
        takes=":PATH?size=32&grey=1&range=0:4095&group=folder&judge=NAME",
        variants="zoo_bench.data.pictures.folder:variant",
    ),
    TaskSpec(
        name="hf",
        target="zoo_bench.data.pictures.hub:hf",
        summary="Images that Hugging Face `datasets` reads.",
        data="images",
        shape=(),
        modes=0,
        version="1",
        needs="a name or path: hf:NAME?size=32, and genzoo[hf]",
        takes=":NAME?split=NAME&image=COLUMN&label=COLUMN&config=NAME&size=32&grey=1&range=0:4095&judge=NAME",
        variants="zoo_bench.data.pictures.hub:variant",
    ),
    TaskSpec(
        name="few",
        target="zoo_bench.data.sets.few:few",
        summary="A random share of another task's training split.",
        data="images",
        shape=(),
        modes=0,
        version="1",
        needs="a task: few:TASK?fraction=0.05&draw=0",
        takes=":TASK?fraction=0.05&draw=0",
        variants="zoo_bench.data.sets.few:variant",
    ),
)

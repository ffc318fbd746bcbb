"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), through torchvision: its file names and its checksums."""

from __future__ import annotations

import torch

from zoo.task import Split, Task
from zoo_bench.data.sources import CIFAR10, CIFAR100, Source
from zoo_bench.data.splits import hold_out, labelled, to_tensor
from zoo_bench.judges.named import named_judge

VALIDATION, SAMPLES = 5_000, 10_000


def cifar10(judge: str = "") -> Task:
    """Load ``cifar10``: 45,000 training, 5,000 validation and 10,000 test images, (N, 3, 32, 32) uint8, 10 classes.

    Args:
        judge: A name of :func:`zoo_bench.judges.named.named_judge`.

    Raises:
        DataError: If the files are absent and cannot be downloaded, or are damaged.
    """
    return _task(CIFAR10, "CIFAR10", 10, judge)


def cifar100(judge: str = "") -> Task:
    """Load ``cifar100``, with its 100 fine classes; sizes, argument and errors as :func:`cifar10`."""
    return _task(CIFAR100, "CIFAR100", 100, judge)


def _task(source: Source, class_name: str, classes: int, judge: str) -> Task:
    import torchvision.datasets

    def load(root: str, download: bool) -> list[Split]:
        parts = [
            getattr(torchvision.datasets, class_name)(root, train=part, download=download) for part in (True, False)
        ]
        return [
            labelled(source, to_tensor(p.data).permute(0, 3, 1, 2), torch.tensor(p.targets), classes) for p in parts
        ]

    train, test = source.read(load)
    return Task(*hold_out(train, VALIDATION), test, named_judge(judge, channels=3), modes=0, samples=SAMPLES)

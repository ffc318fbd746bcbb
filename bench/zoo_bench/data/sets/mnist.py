"""MNIST and the sets in its format, through torchvision: its file names, its checksums, its mirrors.

MNIST: LeCun, Bottou, Bengio and Haffner 1998. Fashion-MNIST: Xiao, Rasul and Vollgraf 2017. Kuzushiji-MNIST: Clanuwat
et al. 2018.
"""

from __future__ import annotations

from typing import Any

from zoo.task import Split, Task
from zoo_bench.data.sources import FASHION_MNIST, KMNIST, MNIST, Source
from zoo_bench.data.splits import hold_out, labelled
from zoo_bench.judges.classifier import ClassifierJudge
from zoo_bench.judges.named import named_judge

VALIDATION, SAMPLES = 10_000, 10_000
CLASSES = 10
Splits = tuple[Split, Split, Split]


def splits() -> Splits:
    """Return MNIST: 50,000 training, 10,000 validation and 10,000 test images, (N, 1, 28, 28) uint8.

    Raises:
        DataError: If the files are absent and cannot be downloaded, or are damaged.
    """
    return _splits(MNIST)


def fashion_splits() -> Splits:
    """Return Fashion-MNIST; sizes and errors as :func:`splits`."""
    return _splits(FASHION_MNIST)


def mnist() -> Task:
    """Load the task ``mnist``."""
    return _task(splits(), ClassifierJudge.shipped("mnist-cnn"), CLASSES)


def fashion() -> Task:
    """Load the task ``fashion-mnist``."""
    return _task(fashion_splits(), ClassifierJudge.shipped("fashion-mnist-cnn"), CLASSES)


def kuzushiji(judge: str = "") -> Task:
    """Load the task ``kmnist``, with the default judge or another named one."""
    return _task(_splits(KMNIST), named_judge(judge, channels=1), 0)


def _task(parts: Splits, judge: Any, modes: int) -> Task:
    train, validation, test = parts
    return Task(train, validation, test, judge, modes, samples=SAMPLES)


def _splits(source: Source) -> Splits:
    import torchvision.datasets

    dataset_class = getattr(torchvision.datasets, source.folder.split("/")[0])

    def load(root: str, download: bool) -> tuple[Split, Split]:
        train, test = (dataset_class(root, train=part, download=download) for part in (True, False))
        return tuple(labelled(source, s.data.unsqueeze(1), s.targets, CLASSES) for s in (train, test))  # type: ignore[return-value]

    train, test = source.read(load)
    return *hold_out(train, VALIDATION), test

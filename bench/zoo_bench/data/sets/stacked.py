"""Three grey digits as the channels of one colour image: 1000 known modes (Metz et al. 2017; Lin et al. 2018)."""

from __future__ import annotations

import torch

from zoo.task import Split, Task
from zoo_bench.data.sets import digits, mnist
from zoo_bench.judges.classifier import ClassifierJudge
from zoo_bench.judges.stacked import StackedJudge

TRAIN, VALIDATION = 50_000, 10_000
MODES = 1000


def stack(split: Split, n: int, seed: int) -> Split:
    """Stack ``n`` triples of images (N, 1, H, W): (n, 3, H, W) with modes 100 a + 10 b + c, red first.

    Every mode occurs equally often, up to a difference of one, in a random order, and its digits are drawn with
    replacement: so the true distribution of modes is uniform, although that of the digits is not quite.

    Raises:
        ValueError: If a digit is absent.
    """
    assert split.modes is not None
    generator = torch.Generator().manual_seed(seed)
    modes = torch.randperm(n, generator=generator) % MODES
    digit = torch.stack([modes // 100, modes // 10 % 10, modes % 10], dim=1)
    counts = torch.bincount(split.modes, minlength=10)
    if not counts.all():
        raise ValueError(f"digit {int(counts.argmin())} is absent")
    by_digit, start = split.modes.argsort(stable=True), counts.cumsum(0) - counts
    within = (torch.rand(n, 3, generator=generator) * counts[digit]).long().clamp_max(counts[digit] - 1)
    return Split(split.data[by_digit[start[digit] + within]].squeeze(2), modes)


def stacked_digits() -> Task:
    """Load ``stacked-digits``, from UCI digits: 10,000 items of each held-out split, 3x8x8."""
    return _task(digits.splits(), "digits-cnn", 10_000)


def stacked_mnist() -> Task:
    """Load ``stacked-mnist``, 3x28x28, scored with 26,000 samples against 26,000.

    The literature trains on 128,000 triples; 50,000 distinct ones are three times lighter to hold and to score.
    """
    return _task(mnist.splits(), "mnist-cnn", 26_000)


def _task(splits: tuple[Split, Split, Split], judge: str, samples: int) -> Task:
    sizes = (TRAIN, VALIDATION, samples)
    train, validation, test = (stack(s, n, seed) for seed, (s, n) in enumerate(zip(splits, sizes, strict=True)))
    return Task(train, validation, test, StackedJudge(ClassifierJudge.shipped(judge)), MODES, samples)

"""The floor of FID beside what real items score against real items, at 12 sizes of each of three data sets.

``python bench/simulations/floor.py`` prints two Markdown tables in two minutes on one core. It needs MNIST and a folder
of 5,000 colour images, ``cifar10-sample``, in the data root; what is absent is left out.

Held-out items are split at random into a validation split, a test split and a pool; training items are those that the
judge was trained on. The floor is estimated from the three splits, and fresh items are drawn from the pool, of which
the estimate has seen none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.data import data_root
from zoo.errors import ZooError
from zoo.evaluation import Judged
from zoo.registry import installed
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.data.loading import load_task
from zoo_bench.score.metrics.floor import floor_of
from zoo_bench.score.metrics.frechet import expected_null, frechet_infinity

REPETITIONS = 12
FRESH_SETS = 5
TRAINING_PER_TEST_ITEM = 8
"""As in a folder, of which a tenth is the test split and a tenth the validation split."""


@dataclass
class Source:
    """Features of real items.

    Attributes:
        name: What they are.
        training: Those of items that the judge was trained on, (T, F) float64; None if it was trained on none.
        held_out: Those of others, (N, F) float64.
    """

    name: str
    training: Tensor | None
    held_out: Tensor

    def draw(self, m: int) -> list[Tensor]:
        """Return a training split, a validation and a test split of ``m`` items each, and a pool."""
        n = TRAINING_PER_TEST_ITEM * m
        items = _shuffled(self.held_out)
        if self.training is not None:
            return [_shuffled(self.training)[:n], items[:m], items[m : 2 * m], items[2 * m :]]
        n = min(n, (len(items) - 2 * m) // 2)
        return [items[:n], items[n : n + m], items[n + m : n + 2 * m], items[n + 2 * m :]]


def _shuffled(items: Tensor) -> Tensor:
    return items[torch.randperm(len(items))]


def source(title: str, task_name: str, is_judge_trained: bool) -> Source:
    """Load the features of a task's items under its judge.

    Raises:
        ZooError: If its data are absent.
    """
    task = load_task(installed().tasks.get(task_name))
    splits = (task.train, task.validation, task.test)
    features = [Judged(task.judge, split.data, keep=True).features for split in splits]
    if is_judge_trained:
        return Source(title, features[0], torch.cat(features[1:]))
    return Source(title, None, torch.cat(features))


def sources() -> Iterator[tuple[Source, tuple[int, ...], tuple[int, ...]]]:
    """Yield data sets with sizes of their test splits and numbers of fresh items."""
    folder = f"folder:{data_root() / 'cifar10-sample'}?size=32"
    for title, task, is_judge_trained, sizes, fresh in (
        ("digits", "digits", True, (39, 92, 150, 200), (100, 200, 300)),
        ("MNIST", "mnist", True, (39, 92, 300, 1000), (100, 1000, 5000)),
        ("folder", folder, False, (39, 92, 300, 1000), (100, 300, 1000)),
    ):
        try:
            yield source(title, task, is_judge_trained), sizes, fresh
        except ZooError as error:
            print(error, file=sys.stderr)


def stacks(real: Source, originals: int) -> Callable[[], list[Tensor]]:
    """Return how to draw splits of 5,000 triples of originals, of which each held-out split has few."""

    def triples(items: Tensor) -> Tensor:
        return items[torch.randint(len(items), (5000, 3))].flatten(1)

    def draw() -> list[Tensor]:
        training, validation, test, pool = real.draw(originals)
        return [*map(triples, (training, validation, test)), pool[: len(pool) // 3 * 3].reshape(-1, 3 * pool.shape[1])]

    return draw


def row(name: str, draw: Callable[[], list[Tensor]], n: int, size: str) -> str:
    """Return a row of the table."""
    floors, means, first_order, deviations = [], [], [], []
    for _ in range(REPETITIONS):
        training, validation, test, pool = draw()
        std, mean = torch.std_mean(test, dim=0)
        training, validation, test, pool = ((x - mean) / std for x in (training, validation, test, pool))
        floor = floor_of(training, validation, test, n)
        scores = [frechet_distance(_shuffled(pool)[:n], test) for _ in range(FRESH_SETS)]
        floors.append(floor)
        means.append(np.mean(scores))
        first_order.append(expected_null(test, n, len(test)))
        deviations.append(np.array(scores) - floor.mean)
    mean, sd = np.mean(floors, axis=0)
    off = np.array(deviations)
    inside = np.mean(np.abs(off) < 2 * np.array([[floor.sd] for floor in floors]))
    cells = [np.mean(means), np.std(means, ddof=1), mean, sd, np.sqrt(np.mean(off**2)), np.mean(first_order)]
    return f"| {name} | {size} | {n:,} | " + " | ".join(f"{cell:.3g}" for cell in cells) + f" | {100 * inside:.0f} % |"


def extrapolated(real: Source, per_feature: float) -> str:
    """Return the mean of ``fid_inf`` of real items over that of their FID."""
    n = round(per_feature * real.held_out.shape[1])
    found = []
    for _ in range(REPETITIONS):
        x, y = _shuffled(real.held_out)[: 2 * n].split(n)
        std, mean = torch.std_mean(y, dim=0)
        x, y = (x - mean) / std, (y - mean) / std
        found.append((frechet_infinity(x, y), frechet_distance(x, y)))
    infinite, plain = np.mean(found, axis=0)
    return f"{infinite / plain:.2f}"


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| data | test items | samples | real | ± | floor | its sd | off by | Gaussian | within 2 sd |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    loaded = []
    for real, sizes, fresh in sources():
        loaded.append(real)
        for m in sizes:
            for n in fresh:
                print(row(real.name, lambda real=real, m=m: real.draw(m), n, f"{m:,}"), flush=True)
    for real in loaded:
        if real.name == "digits":
            for originals in (50, 100):
                print(row("stacked digits", stacks(real, originals), 100, f"5,000 of {originals}"), flush=True)
    print("\n| items per feature | " + " | ".join(real.name for real in loaded) + " |")
    print("|--:|" + "--:|" * len(loaded))
    for per_feature in (0.6, 1.4, 3, 5, 10):
        print(f"| {per_feature} | " + " | ".join(extrapolated(real, per_feature) for real in loaded) + " |", flush=True)


if __name__ == "__main__":
    main()

"""What the birthday estimate says of perfect data, of supports of known size, and beside duplicates in the test split.

Run as ``python bench/simulations/support.py``; it prints two Markdown tables and takes about two minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import torch
from torch import Generator, Tensor

from zoo.evaluation import Evaluation, Judged
from zoo.registry import installed
from zoo.task import Split, Task
from zoo_bench.data.loading import load_task
from zoo_bench.score.metrics.support import support

N = 600
FEATURES = 16
REPETITIONS = 200
SIZES = (100, 1000, 3000, 10_000, 100_000, None)
"""Numbers of different items that are generated; None: always new ones, as a perfect model does."""

DUPLICATES = (0, 1, 20)
IMAGES = 12_000
"""Images of a task that are drawn from."""


class Given:
    """A judge whose features are the data."""

    name, sha256 = "given", "0"

    def to(self, device: torch.device) -> Given:
        """Return the judge unchanged."""
        return self

    def features(self, data: Tensor) -> Tensor:
        """Return the data."""
        return data

    def modes(self, data: Tensor) -> None:
        """Return None: it has no classes."""


def found(size: int | None, duplicates: int, seed: int, n: int = N) -> dict[str, float]:
    """Return what ``support`` says of ``n`` items of which ``size`` differ.

    Features are correlated normal ones; test items appear twice as often as ``duplicates`` says.
    """
    generator = Generator().manual_seed(seed)
    mixing = torch.randn(FEATURES, FEATURES, generator=Generator().manual_seed(0), dtype=torch.float64)
    real, items = (torch.randn(k, FEATURES, generator=generator, dtype=torch.float64) @ mixing for k in (n, size or n))
    real[:duplicates] = real[n - duplicates :]
    chosen = torch.randint(size, (n,), generator=generator) if size else torch.arange(n)
    split = Split(real)
    task = Task(split, split, split, Given(), modes=None, samples=n)
    return support(Evaluation(task, items[chosen]))


def rows(repetitions: int = REPETITIONS, n: int = N) -> Iterator[tuple[int | None, int, float, float, float, float]]:
    """Yield size, duplicates, share with a value, its median, the median lower bound and how often that holds."""
    for size in SIZES:
        for duplicates in DUPLICATES:
            results = [found(size, duplicates, seed, n) for seed in range(repetitions)]
            values = [result["support"] for result in results if "support" in result]
            lows = [result["support_low"] for result in results]
            holds = sum(low <= (size or float("inf")) for low in lows) / repetitions
            yield size, duplicates, len(values) / repetitions, median(values or [float("nan")]), median(lows), holds


def of_images(name: str, repetitions: int = 1000, n: int = 400) -> float:
    """Return the share of cases in which ``n`` real images of a task have a value against ``n`` others."""
    task = load_task(installed().tasks.get(name))
    images = torch.cat([task.train.data, task.test.data])
    images = images[torch.randperm(len(images), generator=Generator().manual_seed(0))[:IMAGES]]
    features, found = Judged(task.judge, images).features, 0
    for seed in range(repetitions):
        drawn = features[torch.randperm(len(features), generator=Generator().manual_seed(seed))]
        split = Split(drawn[:n])
        task = Task(split, split, split, Given(), modes=None, samples=n)
        found += "support" in support(Evaluation(task, drawn[n : 2 * n]))
    return found / repetitions


def tables() -> Iterator[str]:
    """Yield the lines of two Markdown tables."""
    yield "| different items | duplicates | with a value | median value | median `support_low` | it holds |"
    yield "|--:|--:|--:|--:|--:|--:|"
    for size, duplicates, share, value, low, holds in rows():
        shown = f"{value:,.0f}" if share else ""
        yield f"| {f'{size:,}' if size else 'all'} | {duplicates} | {share:.1%} | {shown} | {low:,.0f} | {holds:.1%} |"
    yield ""
    yield "| 400 real images against 400 others | with a value |"
    yield "|---|--:|"
    for name in ("digits", "mnist", "fashion-mnist"):
        yield f"| `{name}` | {of_images(name):.1%} |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("\n".join(tables()))

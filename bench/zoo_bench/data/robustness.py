"""What a judge holds: its accuracy and the classes that it still tells apart under known disturbances.

``python -m zoo_bench.data.robustness`` prints the table of ``docs/metrics.md`` for the judges that come with the
package; it takes about a minute on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from zoo.evaluation import Judged, feature_scale
from zoo.task import Judge, Split, Task
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.data.disturbances import DISTURBANCES, STRENGTHS, disturbed
from zoo_bench.data.sets import digits, mnist, stacked

ITEMS = 2000
"""Test items that the table is made with."""

SHOWN = (0.5, 1.0)
TASKS: tuple[Callable[[], Task], ...] = (
    digits.digits,
    mnist.mnist,
    mnist.fashion,
    stacked.stacked_digits,
    stacked.stacked_mnist,
)


class Held(NamedTuple):
    """What a judge holds under a disturbance.

    Attributes:
        accuracy: Share of items whose class it names, 0 to 1.
        modes: Classes that it names at least a tenth as often as they occur.
        fid: Fréchet distance of its features to those of the same items undisturbed, in units of the latter.
    """

    accuracy: float
    modes: int
    fid: float


def examine(judge: Judge, items: Split, name: str, strengths: tuple[float, ...] = STRENGTHS) -> list[Held]:
    """Return what a judge holds of real items under one of ``DISTURBANCES``, undisturbed first, then by strength."""
    assert items.modes is not None
    counts = torch.bincount(items.modes)
    clear = Judged(judge, items.data)
    mean, units = feature_scale(clear.features)
    real = (clear.features - mean) / units
    held = []
    for judged in (clear, *(Judged(judge, disturbed(items.data, name, strength)) for strength in strengths)):
        named = torch.bincount(judged.modes, minlength=len(counts))[: len(counts)]
        held.append(
            Held(
                accuracy=float((judged.modes == items.modes).double().mean()),
                modes=int(((named >= 0.1 * counts) & (counts > 0)).sum()),
                fid=max(0.0, frechet_distance((judged.features - mean) / units, real)),
            )
        )
    return held


def table() -> Iterator[str]:
    """Yield the lines of a Markdown table: three rows per judge, a column per disturbance."""
    yield "| judge | | real items | " + " | ".join(DISTURBANCES) + " |"
    yield "|---|---|--:|" + "--:|" * len(DISTURBANCES)
    for load in TASKS:
        task = load()
        assert task.test.modes is not None
        items = Split(task.test.data[:ITEMS], task.test.modes[:ITEMS])
        found = [examine(task.judge, items, name, SHOWN) for name in DISTURBANCES]
        rows = {
            "accuracy": [[f"{held.accuracy:.3f}" for held in row] for row in found],
            "classes": [[f"{held.modes}" for held in row] for row in found],
            "FID": [[f"{held.fid:.{0 if held.fid > 9.95 else 1}f}" for held in row] for row in found],
        }
        for label, cells in rows.items():
            name = f"`{task.judge.name}`" if label == "accuracy" else ""
            yield f"| {name} | {label} | {cells[0][0]} | " + " | ".join(", ".join(row[1:]) for row in cells) + " |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("\n".join(table()))

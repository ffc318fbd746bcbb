"""Which metric detects which failing of a model.

``python -m zoo_bench.score.sanity`` prints the table of ``docs/metrics.md``.

The failings are known ones, after the sanity checks of Räisä, van Breugel and van der Schaar 2025 (arXiv 2505.22450).
In each, a metric's value for a model that fails is compared with its spread over models that do not. Deterministic;
takes about 15 s on one core.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zoo.evaluation import Evaluation
from zoo.task import Split, Task
from zoo_bench.score.metrics.specs import METRICS

ITEMS, DIMENSIONS, NULL_REPEATS = 1000, 8, 10
MIN_DEVIATIONS = 4.0
"""Standard deviations, of a metric's values for models that do not fail, beyond which a change counts."""

Aspect = Literal["fidelity", "diversity", "both"]
Draw = Callable[[int, torch.Generator], Tensor]
Cell = Literal["yes", "no", "wrong", "quiet", "blames"]

ASPECTS: dict[str, Aspect] = {"overall": "both", "fidelity": "fidelity", "diversity": "diversity"}
MEASURES: dict[str, Aspect] = {
    column.name: ASPECTS[column.group]
    for spec in METRICS
    if not spec.judge
    for column in spec.columns
    if column.group in ASPECTS and column.name != "support"  # it has no value where no sample repeats
}
"""The aspect that each column under the task's judge is meant to measure."""

HIGHER_IS_BETTER = {column.name for spec in METRICS for column in spec.columns if column.better == "higher"} | {"vendi"}
SYMBOLS: dict[Cell, str] = {"yes": "✓", "no": "✗", "wrong": "✗✗", "quiet": "", "blames": "!"}


@dataclass(frozen=True)
class Failing:
    """Real data, and a model of them that fails in a known way.

    Attributes:
        name: For the table.
        aspect: What it harms.
        real: Draws real items, and so those of a perfect model.
        fake: Draws items of the model that fails.
    """

    name: str
    aspect: Aspect
    real: Draw
    fake: Draw


def gaussian(mean: float = 0.0, std: float = 1.0, dimensions: int = DIMENSIONS) -> Draw:
    """Normal, with the mean only in the first ``dimensions``."""

    def draw(n: int, generator: torch.Generator) -> Tensor:
        items = std * torch.randn(n, DIMENSIONS, generator=generator, dtype=torch.float64)
        items[:, :dimensions] += mean
        return items

    return draw


def modes(weights: list[float]) -> Draw:
    """Gaussians of standard deviation 0.2 with given weights, around corners of a cube, always the same."""
    corners = 2.0 * torch.randint(2, (64, DIMENSIONS), generator=torch.Generator().manual_seed(0)).double() - 1.0
    centres = corners.unique(dim=0)[: len(weights)]

    def draw(n: int, generator: torch.Generator) -> Tensor:
        components = torch.multinomial(torch.tensor(weights), n, replacement=True, generator=generator)
        return centres[components] + 0.2 * torch.randn(n, DIMENSIONS, generator=generator, dtype=torch.float64)

    return draw


def mixed(first: Draw, second: Draw, share: float) -> Draw:
    """A mixture: the given share of items from ``second``, the rest from ``first``."""

    def draw(n: int, generator: torch.Generator) -> Tensor:
        count = round(share * n)
        items = torch.cat([first(n - count, generator), second(count, generator)])
        return items[torch.randperm(n, generator=generator)]

    return draw


def cube(side: float) -> Draw:
    """Uniform in a centred cube."""
    return lambda n, generator: side * (torch.rand(n, DIMENSIONS, generator=generator, dtype=torch.float64) - 0.5)


def sphere(radius: float) -> Draw:
    """Uniform on the surface of a sphere."""

    def draw(n: int, generator: torch.Generator) -> Tensor:
        items = torch.randn(n, DIMENSIONS, generator=generator, dtype=torch.float64)
        return radius * items / items.norm(dim=1, keepdim=True)

    return draw


def torus(tube: float) -> Draw:
    """On a torus of radius 1 in the first three dimensions, with noise of 0.01 in all."""

    def draw(n: int, generator: torch.Generator) -> Tensor:
        around, across = 2 * torch.pi * torch.rand(2, n, generator=generator, dtype=torch.float64)
        radius = 1.0 + tube * across.cos()
        items = 0.01 * torch.randn(n, DIMENSIONS, generator=generator, dtype=torch.float64)
        items[:, :3] += torch.stack([radius * around.cos(), radius * around.sin(), tube * across.sin()], dim=1)
        return items

    return draw


TEN_MODES, FIVE_MODES, ONE_LARGE_MODE = [1.0] * 10, [1.0] * 5 + [0.0] * 5, [5.5] + [0.5] * 9
FAILINGS = (
    Failing("mean shifted by 0.5", "both", gaussian(), gaussian(0.5)),
    Failing("one of 8 dimensions disjoint", "both", gaussian(), gaussian(8.0, dimensions=1)),
    Failing("std 0.7 for 1", "diversity", gaussian(), gaussian(std=0.7)),
    Failing("std 1.4 for 1", "fidelity", gaussian(), gaussian(std=1.4)),
    Failing("5 % outliers", "fidelity", gaussian(), mixed(gaussian(), gaussian(6.0), 0.05)),
    Failing("all far off, like 1 % of real", "both", mixed(gaussian(), gaussian(6.0), 0.01), gaussian(4.5)),
    Failing("half of the weight on 1 of 10 modes", "diversity", modes(TEN_MODES), modes(ONE_LARGE_MODE)),
    Failing("5 of 10 modes dropped", "diversity", modes(TEN_MODES), modes(FIVE_MODES)),
    Failing("5 modes invented beside 5", "fidelity", modes(FIVE_MODES), modes(TEN_MODES)),
    Failing("cube of side 0.8 in one of 1", "diversity", cube(1.0), cube(0.8)),
    Failing("cube of side 1.2 around one of 1", "fidelity", cube(1.0), cube(1.2)),
    Failing("sphere of radius 0.8 in one of 1", "both", sphere(1.0), sphere(0.8)),
    Failing("normal for a sphere, equal covariance", "fidelity", sphere(DIMENSIONS**0.5), gaussian()),
    Failing("torus of tube 0.2 in one of 0.4", "both", torus(0.4), torus(0.2)),
)


class _PassThrough:
    name, sha256 = "pass-through", "0"

    def to(self, device: torch.device) -> _PassThrough:
        return self

    def features(self, data: Tensor) -> Tensor:
        return data

    def modes(self, data: Tensor) -> None:
        return None


def scores(training: Tensor, real: Tensor, generated: Tensor) -> dict[str, float]:
    """Return every column of :data:`MEASURES`."""
    train, test = Split(training), Split(real)
    task = Task(train, test, test, _PassThrough(), modes=0, samples=len(generated))
    evaluation = Evaluation(task, generated)
    specs = [spec for spec in METRICS if MEASURES.keys() & {column.name for column in spec.columns}]
    values = {name: value for spec in specs for name, value in spec.load()(evaluation).items()}
    return {name: values[name] for name in MEASURES}


def examine(failing: Failing) -> dict[str, Cell]:
    """Return how every column reacts to a failing.

    If the failing harms the column's aspect: "yes" if the column gets worse, "no" if it does not change clearly,
    "wrong" if it gets better. If the failing harms another aspect only: "blames" if the column gets worse all the same,
    "quiet" if it does not.
    """
    generator = torch.Generator().manual_seed(0)

    def sets(fake: Draw) -> dict[str, float]:
        return scores(*(draw(ITEMS, generator) for draw in (failing.real, failing.real, fake)))

    sound = [sets(failing.real) for _ in range(NULL_REPEATS)]
    harmed = [sets(failing.fake) for _ in range(3)]
    cells: dict[str, Cell] = {}
    for name, aspect in MEASURES.items():
        baseline = [values[name] for values in sound]
        change = statistics.fmean(values[name] for values in harmed) - statistics.fmean(baseline)
        worse = (-change if name in HIGHER_IS_BETTER else change) / max(statistics.stdev(baseline), 1e-9)
        relevant = "both" in (aspect, failing.aspect) or aspect == failing.aspect
        if relevant:
            cells[name] = "yes" if worse > MIN_DEVIATIONS else "wrong" if worse < -MIN_DEVIATIONS else "no"
        else:
            cells[name] = "blames" if worse > MIN_DEVIATIONS else "quiet"
    return cells


def table() -> Iterator[str]:
    """Yield the lines of a Markdown table: a row per failing, a column per column of results."""
    yield "| failing | harms | " + " | ".join(f"`{name}`" for name in MEASURES) + " |"
    yield "|---|---|" + ":-:|" * len(MEASURES)
    for failing in FAILINGS:
        cells = examine(failing)
        yield f"| {failing.name} | {failing.aspect} | " + " | ".join(SYMBOLS[cells[name]] for name in MEASURES) + " |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("\n".join(table()))

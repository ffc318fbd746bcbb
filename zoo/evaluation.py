"""What a metric receives: generated items, real items, and results that metrics share, computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from zoo.cache import cached
from zoo.distances import nearest
from zoo.errors import ZooError
from zoo.signs import alive
from zoo.task import ConfidentJudge, Judge, Task

T = TypeVar("T")
JUDGE_BATCH_SIZE = 256
MIN_CACHED_BYTES = 2**22
"""Size of images from which a judge's results are cached on disk: smaller sets are quickly judged again."""

NEARLY_CONSTANT = 0.1
"""Share of the median standard deviation of real features below which a feature is nearly constant.

No feature of the shipped judges is below 0.39 of it, even among a hundred items, nor one of the pixels' components or
of random weights below 0.48 on digits, garments and photographs.
"""

ROUNDING = 1e-5
"""Share of the largest standard deviation below which a feature varies by rounding alone and is not in the median."""


class Judged:
    """Items as a judge sees them: in one pass if it can, else each part when it is asked for.

    Args:
        judge: The judge.
        data: Stored items.
        keep: Whether the results are kept on disk, keyed by the hashes of judge and items. Only those of images are,
            and only from 4 MB on: smaller sets are quickly judged again.
    """

    def __init__(self, judge: Judge, data: Tensor, keep: bool = False) -> None:
        self._judge = judge
        self._data = data
        self._keep = keep and data.dtype == torch.uint8 and data.numel() >= MIN_CACHED_BYTES

    @property
    def features(self) -> Tensor:
        """(N, F) float64 on the CPU, a new tensor each time; the judge's result is kept in its own precision."""
        return (self._judgement["features"] if self._judgement is not None else self._features_only).double()

    @cached_property
    def _features_only(self) -> Tensor:
        if self._keep:
            return self._cached(lambda: {"features": self._each(self._judge.features)})["features"]
        return self._each(self._judge.features)

    @cached_property
    def modes(self) -> Tensor:
        """(N,) int64 on the CPU.

        Raises:
            ZooError: If the judge knows no modes.
        """
        if self._judgement is not None:
            return self._judgement["modes"]
        batches = in_batches(self._judge.modes, self._data)
        if any(modes is None for modes in batches):
            raise ZooError(f"judge {self._judge.name!r} knows no modes")
        return torch.cat([modes for modes in batches if modes is not None]).cpu()

    @property
    def confidence(self) -> Tensor | None:
        """The probability of each mode, (N,) float, 0 to 1, or None if the judge gives none."""
        return None if self._judgement is None else self._judgement["confidence"]

    @cached_property
    def _judgement(self) -> dict[str, Tensor] | None:
        judge = self._judge
        if not isinstance(judge, ConfidentJudge):
            return None

        def compute() -> dict[str, Tensor]:
            batches = in_batches(judge.judge, self._data)
            return {
                name: torch.cat(parts).cpu()
                for name, parts in zip(batches[0]._fields, zip(*batches, strict=True), strict=True)
            }

        return self._cached(compute) if self._keep else compute()

    def _each(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.cat([part.cpu() for part in in_batches(function, self._data)])

    def _cached(self, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        return cached(f"judged 1 {self._judge.name} {self._judge.sha256} {digest(self._data)}", compute)


def in_batches(function: Callable[[Tensor], T], data: Tensor) -> list[T]:
    """Return what a judge's function returns for each batch of stored items."""
    results = []
    for batch in data.split(JUDGE_BATCH_SIZE):
        alive()
        results.append(function(batch))
    return results


def feature_scale(real: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of real features and the units in which features are compared, their standard deviations.

    A nearly constant feature, one whose standard deviation is below a tenth of their median, says nothing of the unit
    in which to measure it: divided by its own it would decide every distance alone. It is measured in the median.

    Args:
        real: (N, F) float64. If no feature varies, all units are 1.

    Returns:
        (F,) float64 each.
    """
    std, mean = torch.std_mean(real, dim=0)
    varying = std[std > ROUNDING * std.max()]
    if not len(varying):
        return mean, torch.ones_like(std)
    median = varying.quantile(0.5)
    return mean, torch.where(std < NEARLY_CONSTANT * median, median, std)


def digest(data: Tensor) -> str:
    """Return the SHA-256 of a tensor's shape, type and content."""
    checksum = hashlib.sha256(f"{tuple(data.shape)} {data.dtype}".encode())
    checksum.update(data.contiguous().flatten().numpy().data)
    return checksum.hexdigest()


class Reference:
    """The real side of a comparison. Several evaluations may share it, and so what is computed from it.

    Attributes:
        task: The task.
        test: The test split as the judge sees it.
        train: The training split as the judge sees it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.test = Judged(task.judge, task.test.data, keep=True)
        self.train = Judged(task.judge, task.train.data, keep=True)
        self._results: dict[Hashable, Any] = {}

    @cached_property
    def features(self) -> Tensor:
        """Standardised features of the test split, (N, F) float64."""
        return self.standardise(self.test.features)

    @cached_property
    def features_train(self) -> Tensor:
        """Features of the training split in the same units, (T, F) float64."""
        return self.standardise(self.train.features)

    def standardise(self, features: Tensor) -> Tensor:
        """Subtract the mean of the test split's features and divide by their units, see :func:`feature_scale`."""
        mean, units = self._scale
        return (features - mean).div_(units)

    @property
    def nearly_constant(self) -> list[int]:
        """Features that hardly vary in the test split and are measured in the median unit of the others."""
        return [int(i) for i in (self.features.std(dim=0) < NEARLY_CONSTANT).nonzero()]

    def once(self, function: Callable[..., T], *arguments: Hashable) -> T:
        """Return ``function(reference, *arguments)``, computed once: for what depends on real items alone."""
        return _once(self, self._results, function, arguments)

    @cached_property
    def _scale(self) -> tuple[Tensor, Tensor]:
        return feature_scale(self.test.features)


class Evaluation:
    """Generated items and the task's test split, to be compared.

    Features are float64 on the CPU and standardised by the mean and standard deviation of the real features, so that
    no metric depends on the scale that a judge happens to have; see :func:`feature_scale` for those that hardly vary.

    Attributes:
        task: The task.
        generated: Images (M, C, H, W) uint8, or points (M, D) float32.
        real: The test split's items.
        reference: The real side of the comparison.
        judged: The generated items as the judge sees them.

    Args:
        task: The task.
        generated: The items.
        reference: That of another evaluation on the same task, to share its work.
    """

    def __init__(self, task: Task, generated: Tensor, reference: Reference | None = None) -> None:
        self.task = task
        self.generated = generated
        self.real = task.test.data
        self.reference = reference or Reference(task)
        self.judged = Judged(task.judge, generated)
        self._results: dict[Hashable, Any] = {}

    @property
    def features_real(self) -> Tensor:
        """Standardised features of the test split, (N, F) float64."""
        return self.reference.features

    @cached_property
    def features_generated(self) -> Tensor:
        """Features of the generated items in the same units, (M, F) float64."""
        return self.reference.standardise(self.judged.features)

    @property
    def features_train(self) -> Tensor:
        """Features of the training split in the same units, (T, F) float64."""
        return self.reference.features_train

    @cached_property
    def nearest_train(self) -> tuple[Tensor, Tensor]:
        """The nearest training item of every generated item: its distance, (M,) float64, and its index, (M,) int64."""
        distances, indices = nearest(self.features_generated, self.features_train)
        return distances[:, 0], indices[:, 0]

    @property
    def modes_real(self) -> Tensor:
        """True modes of the test split, (N,) int64."""
        if self.task.test.modes is None:
            raise ZooError("the task's test split has no labels")
        return self.task.test.modes

    @property
    def modes_generated(self) -> Tensor:
        """Modes of the generated items as the judge sees them, (M,) int64."""
        return self.judged.modes

    def once(self, function: Callable[..., T], *arguments: Hashable) -> T:
        """Return ``function(evaluation, *arguments)``, computed once: for what several metrics share."""
        return _once(self, self._results, function, arguments)


def _once(
    owner: object, results: dict[Hashable, Any], function: Callable[..., T], arguments: tuple[Hashable, ...]
) -> T:
    key = (function, *arguments)
    if key not in results:
        results[key] = function(owner, *arguments)
    result: T = results[key]
    return result

"""What a metric receives: generated items, real items, and results that metrics share, computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from zoo.cache import cached
from zoo.distances import nearest
from zoo.errors import ZooError
from zoo.shared import Seal, Shared
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


class Judged(Shared):
    """Items as a judge sees them: in one pass if it can, else each part when it is asked for.

    Args:
        judge: The judge.
        data: Stored items.
        keep: Whether the results are kept on disk, keyed by the hashes of judge and items. Only those of images are,
            and only from 4 MB on: smaller sets are quickly judged again.
    """

    def __init__(self, judge: Judge, data: Tensor, keep: bool = False) -> None:
        super().__init__()
        self._judge = judge
        self._data = data
        self._keep = keep and data.dtype == torch.uint8 and data.numel() >= MIN_CACHED_BYTES
        self._seal = Seal(judge if self._keep else None)

    @property
    def features(self) -> Tensor:
        """(N, F) float64 on the CPU, a new tensor each time; the judge's result is kept in its own precision."""
        judgement = self.once(_judgement)
        return (self.once(_features_only) if judgement is None else judgement["features"]).to(torch.float64, copy=True)

    @property
    def modes(self) -> Tensor:
        """(N,) int64 on the CPU.

        Raises:
            ZooError: If the judge knows no modes.
        """
        judgement = self.once(_judgement)
        return self.once(_modes_only) if judgement is None else judgement["modes"]

    @property
    def confidence(self) -> Tensor | None:
        """The probability of each mode, (N,) float, 0 to 1, or None if the judge gives none."""
        judgement = self.once(_judgement)
        return None if judgement is None else judgement["confidence"]

    def _kept(self, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        if not self._keep or self._seal.broken():  # what a judge says that was changed does not belong to its hash
            return compute()
        return cached(f"judged 1 {self._judge.name} {self._judge.sha256} {digest(self._data)}", compute)


def _judgement(judged: Judged) -> dict[str, Tensor] | None:
    judge = judged._judge
    if not isinstance(judge, ConfidentJudge):
        return None

    def compute() -> dict[str, Tensor]:
        batches = in_batches(judge.judge, judged._data)
        return {
            name: torch.cat(parts).cpu()
            for name, parts in zip(batches[0]._fields, zip(*batches, strict=True), strict=True)
        }

    return judged._kept(compute)


def _features_only(judged: Judged) -> Tensor:
    def compute() -> dict[str, Tensor]:
        return {"features": torch.cat([part.cpu() for part in in_batches(judged._judge.features, judged._data)])}

    return judged._kept(compute)["features"]


def _modes_only(judged: Judged) -> Tensor:
    batches = in_batches(judged._judge.modes, judged._data)
    if any(modes is None for modes in batches):
        raise ZooError(f"judge {judged._judge.name!r} knows no modes")
    return torch.cat([modes for modes in batches if modes is not None]).cpu()


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


class Reference(Shared):
    """The real side of a comparison. Several evaluations may share it, and so what is computed from it.

    Attributes:
        task: The task.
        test: The test split as the judge sees it.
        train: The training split as the judge sees it.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.test = Judged(task.judge, task.test.data, keep=True)
        self.train = Judged(task.judge, task.train.data, keep=True)

    @property
    def features(self) -> Tensor:
        """Standardised features of the test split, (N, F) float64."""
        return self.once(_features_real)

    @property
    def features_train(self) -> Tensor:
        """Features of the training split in the same units, (T, F) float64."""
        return self.once(_features_train)

    def standardise(self, features: Tensor) -> Tensor:
        """Subtract the mean of the test split's features and divide by their units, see :func:`feature_scale`."""
        mean, units = self.once(_scale)
        return (features - mean).div_(units)

    @property
    def nearly_constant(self) -> list[int]:
        """Features that hardly vary in the test split and are measured in the median unit of the others."""
        return [int(i) for i in (self.features.std(dim=0) < NEARLY_CONSTANT).nonzero()]


def _scale(reference: Reference) -> tuple[Tensor, Tensor]:
    return feature_scale(reference.test.features)


def _features_real(reference: Reference) -> Tensor:
    return reference.standardise(reference.test.features)


def _features_train(reference: Reference) -> Tensor:
    return reference.standardise(reference.train.features)


class Evaluation(Shared):
    """Generated items and the task's test split, to be compared.

    Features are float64 on the CPU and standardised by the mean and standard deviation of the real features, so that
    no metric depends on the scale that a judge happens to have; see :func:`feature_scale` for those that hardly vary.

    Metrics share all that is here: none may write into it. The harness notices one that does, fails it, and computes
    again what the others read.

    Attributes:
        task: The task.
        generated: Images (M, C, H, W) uint8, or points (M, D) float32.
        real: The test split's items.
        reference: The real side of the comparison.
        judged: The generated items as the judge sees them.
        labels: The class that was asked for of every generated item, (M,) int64, of a model that is given labels; None
            of others.

    Args:
        task: The task.
        generated: The items.
        reference: That of another evaluation on the same task, to share its work.
        labels: The class that was asked for of every item.
    """

    def __init__(
        self, task: Task, generated: Tensor, reference: Reference | None = None, labels: Tensor | None = None
    ) -> None:
        super().__init__()
        self.task = task
        self.generated = generated
        self.real = task.test.data
        self.reference = reference or Reference(task)
        self.judged = Judged(task.judge, generated)
        self.labels = labels

    @property
    def features_real(self) -> Tensor:
        """Standardised features of the test split, (N, F) float64."""
        return self.reference.features

    @property
    def features_generated(self) -> Tensor:
        """Features of the generated items in the same units, (M, F) float64."""
        return self.once(_features_generated)

    @property
    def features_train(self) -> Tensor:
        """Features of the training split in the same units, (T, F) float64."""
        return self.reference.features_train

    @property
    def nearest_train(self) -> tuple[Tensor, Tensor]:
        """The nearest training item of every generated item: its distance, (M,) float64, and its index, (M,) int64."""
        return self.once(_nearest_train)

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


def _features_generated(evaluation: Evaluation) -> Tensor:
    return evaluation.reference.standardise(evaluation.judged.features)


def _nearest_train(evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    distances, indices = nearest(evaluation.features_generated, evaluation.features_train)
    return distances[:, 0], indices[:, 0]

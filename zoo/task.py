"""A task: data in three splits, and a judge that no model is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor


def to_model(batch: Tensor) -> Tensor:
    """Turn stored items into what a model sees: uint8 images become float32 in [-1, 1]; points stay as they are."""
    return batch.float().div_(127.5).sub_(1.0) if batch.dtype == torch.uint8 else batch


def to_storage(samples: Tensor) -> Tensor:
    """Turn a model's images, float (N, C, H, W), into uint8, clipped to [-1, 1] and rounded, never stretched."""
    return samples.float().clamp(-1.0, 1.0).add(1.0).mul(127.5).round().to(torch.uint8)


@dataclass(frozen=True)
class Split:
    """Items of one split.

    Attributes:
        data: Images (N, C, H, W) uint8, or points (N, D) float32.
        modes: The known mode (class, mixture component) of each item, (N,) int64, or None.
    """

    data: Tensor
    modes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.data)

    def at(self, which: Tensor | slice) -> Split:
        """Return some of the items: those at indices (n,) int64, where a mask (N,) is true, or of a slice."""
        return Split(self.data[which], None if self.modes is None else self.modes[which])


@dataclass(frozen=True)
class Mixture:
    """The truth behind a mixture of isotropic Gaussians with equal weights.

    Attributes:
        centres: (K, D) float32.
        std: Standard deviation of every component.
    """

    centres: Tensor
    std: float


class Judge(Protocol):
    """Turns items into features to compare and modes to count. It belongs to the task, and no model is given it.

    Attributes:
        name: What it is, for example "digits-cnn"; printed wherever its scores are.
        sha256: Hash of its weights or definition, in every row.
    """

    name: str
    sha256: str

    def to(self, device: torch.device) -> Judge:
        """Move to a device."""
        ...

    def features(self, data: Tensor) -> Tensor:
        """Map stored items (N, ...) to features (N, F), float."""
        ...

    def modes(self, data: Tensor) -> Tensor | None:
        """Map stored items (N, ...) to the index of their mode, (N,) int64, or None if it has no modes."""
        ...


class Judgement(NamedTuple):
    """What a judge returns for some items.

    Attributes:
        features: (N, F) float.
        modes: The most likely mode of each, (N,) int64.
        confidence: Calibrated probability of that mode, (N,) float, 0 to 1.
    """

    features: Tensor
    modes: Tensor
    confidence: Tensor


@runtime_checkable
class ConfidentJudge(Judge, Protocol):
    """A judge that gives features, modes and its confidence in one pass; judges need not offer this."""

    def judge(self, data: Tensor) -> Judgement:
        """Judge stored items (N, ...); features and modes are those of the other two methods."""
        ...


@dataclass(frozen=True)
class Task:
    """Data and judge, ready to use.

    Attributes:
        train: What models see.
        validation: For choosing checkpoints; never scored.
        test: What samples are scored against; no model is given it.
        judge: Features and modes.
        modes: Number of known modes, 0 if unknown.
        samples: How many items each model generates for evaluation.
        mixture: The known truth of a mixture task.
        panel: Judges beside ``judge``, under which a claim has to hold too. The harness adds them.
    """

    train: Split
    validation: Split
    test: Split
    judge: Judge
    modes: int
    samples: int
    mixture: Mixture | None = None
    panel: tuple[Judge, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """One item: (C, H, W) or (D,)."""
        return tuple(self.train.data.shape[1:])

    @property
    def classes(self) -> int:
        """Number of classes that a model can be given as labels: the known modes, or those of the training split."""
        labels = self.train.modes
        return 0 if labels is None else self.modes or int(labels.max()) + 1

    @property
    def offers(self) -> set[str]:
        """What metrics may need: "images" or "points", "features", and "modes" or "mixture" where known."""
        kind = "images" if len(self.shape) == 3 else "points"
        truth = {"mixture"} if self.mixture else {"modes"} if self.modes else set()
        return {kind, "features"} | truth

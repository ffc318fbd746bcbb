"""Types of the arguments of run hooks: what a plugin may rely on, whichever harness calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class RunSpec(Protocol):
    """What a run's weights are a function of."""

    @property
    def run_id(self) -> str:
        """The run's key, 64 hex digits: equal specs have equal keys."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def plugin(self) -> str:
        """The distribution that provides the model."""

    @property
    def plugin_version(self) -> str:
        """The version of that distribution."""

    @property
    def config(self) -> Mapping[str, Any]:
        """All settings of the model, resolved for the task's shape."""

    @property
    def task(self) -> str:
        """The task's name."""

    @property
    def task_version(self) -> str:
        """The version of the task's data and splits."""

    @property
    def seed(self) -> int | None:
        """The training seed, 0 or more; None of samples that were made elsewhere."""

    @property
    def budget(self) -> str:
        """The budget, such as "200k" or "90s"."""

    @property
    def precision_mode(self) -> str:
        """The arithmetic: "fp32" or "bf16", and "+compile" if losses are compiled."""

    @property
    def device(self) -> str:
        """The kind of device: "cpu", "cuda" or "mps"."""

    @property
    def threads(self) -> int | None:
        """The CPU threads; None on a GPU."""


class RunProgress(Protocol):
    """How far a run is."""

    @property
    def share(self) -> float:
        """Share of the budget spent, 0 to 1."""

    @property
    def images(self) -> int:
        """Real training images charged."""

    @property
    def images_per_s(self) -> float:
        """Real images per second so far."""

    @property
    def losses(self) -> Mapping[str, float]:
        """The last loss of each player by name."""


class RunRecord(Protocol):
    """The result of a run. What does not apply or was not reached is None.

    A record has further fields, those of ``docs/schema/run-record.json``.
    """

    @property
    def run_id(self) -> str:
        """The run's key, as in its spec."""

    @property
    def spec(self) -> RunSpec:
        """What the run is a function of."""

    @property
    def status(self) -> str:
        """How it ended: "ok", "diverged", "error", "timeout" or "interrupted"."""

    @property
    def error(self) -> str:
        """One sentence if it did not end ok; else ""."""

    @property
    def images(self) -> int | None:
        """Real training images charged."""

    @property
    def train_seconds(self) -> float | None:
        """Wall-clock of training."""

    @property
    def params(self) -> int | None:
        """Trainable parameters."""

    @property
    def judge(self) -> str:
        """The judge that scored it: its name and the first 8 hex digits of its hash."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """The value of every column of quality."""

    @property
    def throughput(self) -> Mapping[str, float]:
        """Speeds and memory by column."""

    @property
    def losses(self) -> Mapping[str, float]:
        """The last loss of each player by name."""

    @property
    def history(self) -> Sequence[Mapping[str, Any]]:
        """``images``, ``seconds`` and ``losses`` by player, along the budget."""

    @property
    def curve(self) -> Sequence[Mapping[str, Any]]:
        """Share, images, seconds, FLOPs and validation FID at shares of the budget."""

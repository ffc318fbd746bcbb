"""The inputs of which a run is a pure function; their hash is the run's key."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from zoo_bench.plan.labels import changed, describe

PrecisionMode = Literal["fp32", "bf16", "fp32+compile", "bf16+compile"]
"""bf16 is autocast, with weights in fp32; compile is ``torch.compile`` of every player's loss."""


class RunSpec(BaseModel):
    """Everything that a run's result depends on; its hash is the run's key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="Model name")
    plugin: str = Field(description="Distribution that provides the model")
    plugin_version: str = Field(description="Version of that distribution")
    config: dict[str, Any] = Field(description="All settings of the model, resolved for the task's shape")
    task: str = Field(description="Task name")
    task_version: str = Field(description="Version of the task's data, splits and judge")
    judge: str = Field(description="Judge's name and the first 8 hex digits of its hash")
    metrics: tuple[str, ...] = Field(description="Names of the metrics computed")
    seed: int = Field(ge=0, description="Training seed")
    budget: str = Field(description="Canonical text of the budget")
    precision_mode: PrecisionMode = Field(description="Arithmetic of forward and backward passes, and compilation")
    device: str = Field(description='Kind of device: "cpu", "cuda" or "mps"')

    @cached_property
    def run_id(self) -> str:
        """SHA-256 of the canonical JSON of this spec, 64 hex digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def with_changes(self, **fields: Any) -> RunSpec:
        """Return a spec with new values in these fields, and therefore another key."""
        return RunSpec(**{**self.model_dump(), **fields})

    def __hash__(self) -> int:
        return hash(self.run_id)

    @cached_property
    def label(self) -> str:
        """The model with the settings that are not its defaults, as ``--models`` reads it: ``gan[packing=2]``."""
        return describe(self.model, changed(self.model, self.task, self.config))

    def __str__(self) -> str:
        return f"{self.label} on {self.task}, seed {self.seed}"

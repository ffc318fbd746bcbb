"""The inputs of which a run's weights are a pure function; their hash is the run's key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from zoo_bench.core.seeds import Axis, derive
from zoo_bench.plan.labels import changed, describe

PrecisionMode = Literal["fp32", "bf16", "fp32+compile", "bf16+compile"]
"""bf16 is autocast, with weights in fp32; compile is ``torch.compile`` of every player's loss."""


Count = Annotated[int, Field(ge=0, lt=2**63)]
"""A number that a column of whole numbers can hold."""

LATER_FIELDS = ("seeds", "samples")
"""Fields that are no part of a key while they are empty, so that a key does not change when a field is added."""


def key(fields: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a spec's fields, 64 hex digits."""
    used = {name: value for name, value in fields.items() if value or name not in LATER_FIELDS}
    return hashlib.sha256(json.dumps(used, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class RunSpec(BaseModel):
    """Everything that a run's weights depend on; its hash is the run's key.

    How the run is scored is not part of it: every score has a key of its own, see
    :class:`zoo_bench.plan.record.Score`. Samples that were made elsewhere have a spec as well, without a plugin, a
    budget and what else is not known of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    model: str = Field(description="Model name; of samples made elsewhere, the name that they were given")
    plugin: str = Field(description="Distribution that provides the model")
    plugin_version: str = Field(description="Version of that distribution")
    config: dict[str, Any] = Field(description="All settings of the model, resolved for the task's shape")
    task: str = Field(description="Task name; never an address such as folder:PATH", pattern="^[^:?]*$")
    task_version: str = Field(description="Version of the task's data and splits")
    seed: int | None = Field(ge=0, lt=2**63, description="Training seed; None if it is not known")
    seeds: dict[Axis, int] = Field({}, description="Seeds of single axes of randomness, where they are not `seed`")
    budget: str = Field(description="Canonical text of the budget")
    precision_mode: PrecisionMode | Literal[""] = Field(
        description="Arithmetic of forward and backward passes, and compilation"
    )
    device: str = Field(description='Kind of device: "cpu", "cuda" or "mps"')
    threads: Count | None = Field(description="CPU threads, which change sums in their last digits; None on a GPU")
    samples: str = Field("", description="SHA-256 of samples that were made elsewhere; else empty")

    @cached_property
    def run_id(self) -> str:
        """SHA-256 of the canonical JSON of this spec, 64 hex digits; see :func:`key`."""
        return key(json.loads(self.model_dump_json()))

    @property
    def outside(self) -> bool:
        """Whether this describes samples that were made elsewhere, and no run."""
        return bool(self.samples)

    @property
    def conditional(self) -> bool:
        """Whether the model is given labels."""
        return bool(self.config.get("conditional"))

    def seed_of(self, axis: Axis) -> int:
        """Return the 63-bit seed of one axis of randomness."""
        return derive(self.seeds.get(axis, self.seed or 0), axis)

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
        return f"{self.label} on {self.task}" + ("" if self.seed is None else f", seed {self.seed}")

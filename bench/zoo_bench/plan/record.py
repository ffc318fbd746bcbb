"""The record of one run: what is stored as JSON, and the columns of ``results.csv`` derived from it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,  # pydantic needs these before Python 3.12
    Self,
)

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from typing_extensions import TypedDict

from zoo.version import __version__
from zoo_bench.core.environment import environment
from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.spec import RunSpec

SCHEMA_VERSION = 2


Status = Literal["ok", "diverged", "error", "timeout", "interrupted"]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


EscapedText = Annotated[str, PlainSerializer(_encodable, return_type=str)]
"""Text such as an exception with a file name that is not UTF-8; what JSON cannot represent is escaped."""


class HistoryPoint(TypedDict):
    """What was spent up to a round of training, and the last loss of each player there."""

    images: int
    seconds: float
    losses: dict[str, float]


class CurvePoint(TypedDict):
    """Quality at a share of the budget: FID of samples against the validation split, and what was spent."""

    share: NotRequired[float]
    images: int
    seconds: NotRequired[float]
    flops: NotRequired[int]
    fid: float


class RunRecord(BaseModel):
    """One run. What does not apply or was not reached is None, never 0."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")

    run_id: str = Field(description="SHA-256 of the spec's canonical JSON")
    spec: RunSpec = Field(description="What the run is a function of")
    status: Status = Field(description="How it ended")
    error: EscapedText = Field("", description="One sentence if it did not end ok")
    traceback: EscapedText = Field("", description="Where an exception came from")
    images: int | None = Field(None, description="Real training images charged")
    rounds: int | None = Field(None, description="Rounds played")
    updates: int | None = Field(None, description="Optimiser steps of all players")
    train_seconds: float | None = Field(None, description="Training wall-clock")
    flops: int | None = Field(None, description="Operations of matrix products and convolutions in training")
    evaluate_seconds: float | None = Field(None, description="Wall-clock of sampling, judge and metrics")
    threads: int = Field(description="CPU threads given to the run")
    contended: bool = Field(description="Whether other runs shared the machine, so that its speeds are a lower bound")
    params: int | None = Field(None, description="Trainable parameters")
    metrics: dict[str, float] = Field(default_factory=dict, description="Value of every metric column")
    metric_errors: dict[str, EscapedText] = Field(
        default_factory=dict, description="Why a metric could not be computed"
    )
    throughput: dict[str, float] = Field(default_factory=dict, description="Speeds and memory, by column")
    losses: dict[str, float] = Field(default_factory=dict, description="Last loss of each player")
    history: list[HistoryPoint] = Field(default_factory=list, description="Images, seconds, losses along the budget")
    curve: list[CurvePoint] = Field(
        default_factory=list, description="Share, images, seconds, flops and validation FID at shares of the budget"
    )
    started_at: datetime = Field(description="UTC")
    environment: dict[str, Any] = Field(default_factory=dict, description="Machine and library versions")
    zoo_version: str = Field(__version__, description="Version of genzoo")
    schema_version: int = Field(SCHEMA_VERSION, description="Version of this layout")

    @classmethod
    def begun(cls, spec: RunSpec, resources: Resources) -> Self:
        """Return the record of a run that begins now."""
        return cls(
            run_id=spec.run_id,
            spec=spec,
            status="ok",
            threads=resources.threads,
            contended=resources.contended,
            started_at=datetime.now(UTC),
            environment=environment(),
        )

    @classmethod
    def failed(cls, spec: RunSpec, resources: Resources, status: Status, error: str, **fields: Any) -> Self:
        """Return the record of a run that ended without a result.

        Args:
            spec: The run.
            resources: The resources it had.
            status: How it ended.
            error: Why, in one sentence.
            fields: Other fields that are known.
        """
        return cls.begun(spec, resources).model_copy(update={"status": status, "error": error, **fields})


@dataclass
class Outcome:
    """A record and the other files of its run, by suffix: ``.safetensors``, ``.png``."""

    record: RunRecord
    files: dict[str, bytes] = field(default_factory=dict)


def row(record: RunRecord) -> dict[str, Any]:
    """Flatten a record into one row of ``results.csv``; absent values are None."""
    spec_columns = record.spec.model_dump(include=set(LEADING_COLUMNS))
    record_columns = record.model_dump(include=set(LEADING_COLUMNS))
    metric_errors = "; ".join(f"{name}: {message}" for name, message in record.metric_errors.items())
    record_columns["error"] = record_columns["error"] or metric_errors
    setting_columns = {"judge": record.spec.judge, "config": json.dumps(record.spec.config, sort_keys=True)}
    columns = {**record.metrics, **record.throughput, **spec_columns, **record_columns, **setting_columns}
    further = sorted(columns.keys() - {*LEADING_COLUMNS, *TRAILING_COLUMNS})
    return {column: columns.get(column) for column in (*LEADING_COLUMNS, *further, *TRAILING_COLUMNS)}


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        share: Share of the budget spent, 0 to 1.
        images: Real training images charged.
        images_per_s: Real images per second so far.
        losses: Last loss of each player.
    """

    share: float
    images: int
    images_per_s: float
    losses: dict[str, float]

"""The record of one run: what is stored as JSON, and the columns of ``results.csv`` derived from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,  # pydantic needs these before Python 3.12
    Self,
)

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter
from typing_extensions import TypedDict

from zoo.version import __version__
from zoo_bench.core.environment import environment
from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.spec import Count, RunSpec

SCHEMA_VERSION = 3

Status = Literal["ok", "diverged", "error", "timeout", "interrupted"]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


EscapedText = Annotated[str, PlainSerializer(_encodable, return_type=str)]
"""Text such as an exception with a file name that is not UTF-8; what JSON cannot represent is escaped."""

Flops = Annotated[int, Field(ge=0, le=10**30)]
"""Operations of a run: a large GPU reaches 2**63 within hours."""


class HistoryPoint(TypedDict):
    """What was spent up to a round of training, and the last loss of each player there."""

    images: Count
    seconds: float
    losses: dict[str, float]


class CurvePoint(TypedDict):
    """Quality at a share of the budget: FID of samples against the validation split, and what was spent."""

    share: NotRequired[float]
    images: Count
    seconds: NotRequired[float]
    flops: NotRequired[Flops]
    fid: float


class Score(BaseModel):
    """What one metric found, with its key: a score is good as long as metric, version and judge are the same."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")

    plugin: str = Field(description="Distribution that provides the metric")
    version: str = Field(description="Version of the metric, or else of that distribution; empty if unknown")
    judge: str = Field(description="Judge's name and the first 8 hex digits of its hash")
    code: str = Field("", description="Fingerprint of the metric's files, if it can change without its version")
    values: dict[str, float] = Field(default_factory=dict, description="By column")
    error: EscapedText = Field("", description="Why there are none, in one sentence")

    def has_key_of(self, other: Score) -> bool:
        """Whether both are of the same metric in the same version under the same judge.

        A judge without a hash, because its weights are not on this machine, is taken for the one of its name.
        """
        same_judge = self.judge == other.judge or self.judge.partition("@")[0] == other.judge
        return same_judge and (self.plugin, self.version) == (other.plugin, other.version)


SCORES = TypeAdapter(dict[str, dict[str, Score]])


def stored_scores(content: Mapping[str, Any]) -> dict[str, dict[str, Score]]:
    """Read the scores in a file of a task's controls: ``{control: {metric: score}}``; nothing if there are none.

    Raises:
        ValueError: If they are damaged.
    """
    return SCORES.validate_python(content.get("scores", {}))


LEARNING_CURVE = "learning curve"
"""The name among scores of what the learning curve says; no metric can have it."""


class RunRecord(BaseModel):
    """One run. What does not apply or was not reached is None, never 0."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")

    run_id: str = Field(description="SHA-256 of the spec's canonical JSON")
    spec: RunSpec = Field(description="What the run is a function of")
    status: Status = Field(description="How it ended")
    error: EscapedText = Field("", description="One sentence if it did not end ok")
    traceback: EscapedText = Field("", description="Where an exception came from")
    images: Count | None = Field(None, description="Real training images charged")
    rounds: Count | None = Field(None, description="Rounds played")
    updates: Count | None = Field(None, description="Optimiser steps of all players")
    train_seconds: float | None = Field(None, description="Training wall-clock")
    cpu_seconds: float | None = Field(None, description="CPU time of all threads in training")
    cpu_share: float | None = Field(
        None, description="CPU time of the thread that trains over its wall-clock, 0 to 1; None on a GPU"
    )
    flops: Flops | None = Field(None, description="Operations of matrix products and convolutions in training")
    evaluate_seconds: float | None = Field(None, description="Wall-clock of sampling, judge and metrics")
    threads: Count | None = Field(description="CPU threads given to the run; None of samples made elsewhere")
    contended: bool | None = Field(
        description="Whether other runs or programs shared the machine, so that its speeds are a lower bound"
    )
    params: Count | None = Field(None, description="Trainable parameters")
    shape: tuple[Count, ...] = Field((), description="Of one item: (C, H, W) or (D,); empty if it is not known")
    judge: str = Field("", description="The task's judge when it was scored: name and first 8 hex digits of its hash")
    scores: dict[str, Score] = Field(default_factory=dict, description="By metric, and of the learning curve")
    diagnostics: dict[str, float] = Field(default_factory=dict, description="What the model says of itself, by column")
    diagnostics_error: EscapedText = Field("", description="Why it says nothing")
    notes: list[EscapedText] = Field(default_factory=list, description="What is odd about the run, in sentences")
    marks: list[EscapedText] = Field(
        default_factory=list, description="What speaks against the run's figures, in clauses"
    )
    throughput: dict[str, float] = Field(default_factory=dict, description="Speeds and memory, by column")
    losses: dict[str, float] = Field(default_factory=dict, description="Last loss of each player")
    history: list[HistoryPoint] = Field(default_factory=list, description="Images, seconds, losses along the budget")
    curve: list[CurvePoint] = Field(
        default_factory=list, description="Share, images, seconds, flops and validation FID at shares of the budget"
    )
    mode_counts: list[Count] = Field(
        default_factory=list, description="Samples of each known mode, as the judge sees them; empty above 100 modes"
    )
    mode_counts_real: list[Count] = Field(
        default_factory=list, description="Items of the test split of each of these modes"
    )
    curve_judge: str = Field("", description="Judge of the curve's FIDs: name and first 8 hex digits of its hash")
    seed_plan: Literal["", "auto"] = Field(
        "", description='"auto" if seeds were added until models were separable; empty if they were fixed'
    )
    code: str = Field("", description="Fingerprint of the files of the model's plugin")
    task_code: str = Field("", description="Fingerprint of the task's files, if they can change without its version")
    started_at: AwareDatetime = Field(description="UTC")
    environment: dict[str, Any] = Field(default_factory=dict, description="Machine and library versions")
    zoo_version: str = Field(__version__, description="Version of genzoo")
    schema_version: Count = Field(SCHEMA_VERSION, description="Version of this layout")

    @property
    def metrics(self) -> dict[str, float]:
        """The value of every column of quality: scores, and what the model says of itself."""
        values = dict(self.diagnostics)
        for score in self.scores.values():
            values |= score.values
        return values

    @property
    def metric_errors(self) -> dict[str, str]:
        """Why a metric, or "diagnostics", has no values."""
        errors = {name: score.error for name, score in self.scores.items() if score.error}
        return errors | ({"diagnostics": self.diagnostics_error} if self.diagnostics_error else {})

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
    spec, metric_errors = record.spec, record.metric_errors
    columns: dict[str, Any] = {**record.metrics, **record.throughput}
    columns |= spec.model_dump(include=set(LEADING_COLUMNS)) | record.model_dump(include=set(LEADING_COLUMNS))
    further_costs = {"cpu_seconds": record.cpu_seconds, "cpu_share": record.cpu_share}
    columns |= {name: value for name, value in further_costs.items() if value is not None}
    columns["error"] = record.error or "; ".join(f"{name}: {message}" for name, message in metric_errors.items())
    columns |= {
        "judge": record.judge,
        "metric_versions": metric_versions(record),
        "seeds": json.dumps(spec.seeds, sort_keys=True) if spec.seeds else None,
        "samples": spec.samples or None,
        "labels": "given" if spec.conditional else None,
        "seed_plan": record.seed_plan or None,
        "notes": "; ".join(record.notes) or None,
        "marks": "; ".join(record.marks) or None,
        "config": json.dumps(spec.config, sort_keys=True),
    }
    further = sorted(columns.keys() - {*LEADING_COLUMNS, *TRAILING_COLUMNS})
    return {column: columns.get(column) for column in (*LEADING_COLUMNS, *further, *TRAILING_COLUMNS)}


def metric_versions(record: RunRecord) -> str:
    """Return JSON with the columns, with spaces, of every metric version: ``{"genzoo 1": "fid fid_floor kid"}``.

    Where a metric has a judge of its own, its name follows: ``"genzoo 1 under inception-v3-compat@6726825d"``. Versions
    that older layouts did not record are left out.
    """
    columns_of: dict[str, list[str]] = {}
    for score in (score for score in record.scores.values() if score.version):
        under = "" if score.judge == record.judge else f" under {score.judge}"
        columns_of.setdefault(f"{score.plugin} {score.version}{under}", []).extend(score.values)
    return json.dumps({version: " ".join(sorted(columns)) for version, columns in sorted(columns_of.items())})


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

    def figures(self) -> dict[str, Any]:
        """Return what a record of a run that ends here has of it, by field."""
        seconds = self.images / self.images_per_s if self.images_per_s else None
        return {"images": self.images, "train_seconds": seconds, "losses": self.losses}

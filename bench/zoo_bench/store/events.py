"""``events.jsonl``: what happened in a bench's folder, one JSON object a line, from all processes that work there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zoo_bench.core.owner import Owner, this_process
from zoo_bench.plan.record import Progress, RunRecord
from zoo_bench.plan.spec import RunSpec

NAME = "events.jsonl"

MIN_SECONDS, MAX_SECONDS, SHARE = 5.0, 60.0, 0.01
"""Progress of a run is written after this share of its time so far, within these limits: 500 lines in six hours."""


class RunEvent(BaseModel):
    """A line: what happened to a run, and in which process."""

    model_config = ConfigDict(ser_json_inf_nan="null")

    time: datetime
    event: Literal["planned", "started", "progress", "finished", "failed", "interrupted"]
    run: str = Field(description="The run's key, 64 hex digits")
    task: str
    model: str = Field(description="With settings that are not its defaults")
    seed: int | None
    owner: Owner = Field(description="The bench's process")
    share: float | None = Field(None, description="Of the budget that is spent, 0 to 1")
    images_per_s: float | None = None


class EventLog:
    """Appends to the events of a folder. What cannot be written is left out: no run ends for it.

    Args:
        root: The bench's folder.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / NAME
        self._begun: dict[RunSpec, float] = {}
        self._written: dict[RunSpec, float] = {}

    def planned(self, specs: Iterable[RunSpec]) -> None:
        """Write that runs are to be trained."""
        self._append([_event("planned", spec) for spec in specs], before="\n" if _is_torn(self._path) else "")

    def started(self, spec: RunSpec) -> None:
        """Write that a run has begun."""
        self._begun[spec] = self._written[spec] = time.monotonic()
        self._append([_event("started", spec)])

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        """Write how far a run is, if the last line about it is old enough."""
        now = time.monotonic()
        begun = self._begun.setdefault(spec, now)
        pause = min(max(MIN_SECONDS, SHARE * (now - begun)), MAX_SECONDS)
        if now - self._written.get(spec, begun) >= pause:
            self._written[spec] = now
            event = _event("progress", spec, share=progress.share, images_per_s=progress.images_per_s)
            self._append([event])

    def ended(self, record: RunRecord) -> None:
        """Write how a run has ended."""
        ends = {"ok": "finished", "interrupted": "interrupted"}
        self._append([_event(ends.get(record.status, "failed"), record.spec)])

    def _append(self, events: list[RunEvent], before: str = "") -> None:
        """Append lines in one write, so that those of several processes do not mix."""
        lines = "".join(f"{event.model_dump_json(exclude_none=True)}\n" for event in events)
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(descriptor, f"{before}{lines}".encode())
            finally:
                os.close(descriptor)


def _is_torn(path: Path) -> bool:
    """Return whether a file ends within a line, because a process was killed in writing it."""
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"
    except OSError:
        return False


def _event(kind: str, spec: RunSpec, **fields: float) -> RunEvent:
    where = {"run": spec.run_id, "task": spec.task, "model": spec.label, "seed": spec.seed}
    return RunEvent.model_validate(
        {"time": datetime.now(UTC), "event": kind, **where, "owner": this_process(), **fields}
    )


def read_events(root: Path) -> Iterator[RunEvent]:
    """Yield the events of a folder in the order of their lines; a line that was torn, or is none, is left out."""
    try:
        with (root / NAME).open("rb") as lines:
            for line in lines:
                try:
                    yield RunEvent.model_validate_json(line)
                except ValidationError:
                    continue
    except OSError:
        return

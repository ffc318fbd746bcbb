"""What goes on in a bench's folder: which runs are under way, done, failed and missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo_bench.core.owner import Owner
from zoo_bench.store.events import RunEvent, read_events
from zoo_bench.store.records import stream

SILENT_SECONDS = 3600.0
"""Without a line for so long, a process on another host, of which nothing else is known, counts as gone."""


@dataclass
class Status:
    """The runs of a folder by their state, each as a row with ``run``, ``task``, ``model`` and ``seed``.

    Attributes:
        running: Runs under way, with ``host``, ``pid``, ``share`` of the budget (0 to 1), ``images_per_s``,
            ``eta_seconds`` and ``silent_seconds`` (since the last line about it); what is not known yet is None.
        done: Runs that ended ok.
        failed: Runs that ended otherwise, with ``status`` and ``error``.
        missing: Planned runs that are neither stored nor under way.
        problems: One sentence per file that is no record.
    """

    running: list[dict[str, Any]] = field(default_factory=list)
    done: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def folder_status(root: Path, now: datetime | None = None) -> Status:
    """Return what goes on in a folder of results; nothing is written.

    Planned are the runs of the benches that work there, or else those of the last one. A run whose process is gone is
    missing.

    Args:
        root: The folder.
        now: The time; None: that of the clock.

    Raises:
        ZooError: If the folder is absent, or no bench has written into it.
    """
    if not any((root / name).exists() for name in ("bench.toml", "runs")):
        raise ZooError(f"no results in {str(root)!r}: name a folder that `zoo bench --out` writes")
    now, status = now or datetime.now(UTC), Status()
    begun: dict[str, RunEvent] = {}
    latest: dict[str, RunEvent] = {}
    planned: dict[Owner, dict[str, RunEvent]] = {}
    heard: dict[Owner, datetime] = {}
    for event in read_events(root):
        heard[event.owner] = event.time
        if event.event == "planned":
            planned.setdefault(event.owner, {})[event.run] = event
            continue
        latest[event.run] = event
        if event.event == "started":
            begun[event.run] = event
    alive = {owner for owner, time in heard.items() if _is_alive(owner, (now - time).total_seconds())}
    under_way = {
        run: event for run, event in latest.items() if event.event in ("started", "progress") and event.owner in alive
    }
    status.running = [_running(event, begun.get(run, event), now) for run, event in under_way.items()]
    ended = set(under_way)
    for _, record in stream(root, status.problems):
        if record.run_id in under_way or record.status == "interrupted":
            continue
        ended.add(record.run_id)
        spec = record.spec
        row = {"run": record.run_id, "task": spec.task, "model": spec.label, "seed": spec.seed}
        if record.status == "ok":
            status.done.append(row)
        else:
            status.failed.append({**row, "status": record.status, "error": record.error})
    benches = [owner for owner in planned if owner in alive] or list(planned)[-1:]
    wanted = {run: event for owner in benches for run, event in planned[owner].items()}
    status.missing = [_row(event) for run, event in wanted.items() if run not in ended]
    return status


def _is_alive(owner: Owner, silent: float) -> bool:
    gone = owner.is_gone()
    return silent < SILENT_SECONDS if gone is None else not gone


def _row(event: RunEvent) -> dict[str, Any]:
    return {"run": event.run, "task": event.task, "model": event.model, "seed": event.seed}


def _running(event: RunEvent, begun: RunEvent, now: datetime) -> dict[str, Any]:
    """Return the row of a run that goes on; its end is estimated from the time that its share took."""
    silent, eta = (now - event.time).total_seconds(), None
    if event.share:
        left = (event.time - begun.time).total_seconds() * (1 - event.share) / event.share
        eta = max(0.0, left - silent)
    where = {"host": event.owner.host, "pid": event.owner.pid}
    progress = {"share": event.share, "images_per_s": event.images_per_s, "eta_seconds": eta, "silent_seconds": silent}
    return {**_row(event), **where, **progress}

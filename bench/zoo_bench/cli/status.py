"""``zoo status``. Imports nothing heavy until a command runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from zoo_bench.report.read.status import Status

MAX_FAILURES = 20
"""Failed runs that are named; more are counted."""


def status(
    folder: Annotated[Path, typer.Argument(help="A folder that `zoo bench --out` writes.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what runs in a folder of results, and what is done, failed and missing; from any terminal, at any time.

    Runs under way are shown with the host and the process of their bench, the share of their budget that is spent,
    their speed, and when their training will end at the pace so far. What is missing is what the benches that are at
    work planned, or else the last one.
    """
    from zoo_bench.report.read.status import folder_status

    found = folder_status(folder)
    if as_json:
        print(json.dumps({"folder": str(folder), **asdict(found)}, indent=2))
    else:
        _print(found, folder)


def _print(found: Status, folder: Path) -> None:
    import sys

    from zoo.tables import print_table
    from zoo_bench.report.text import plural, visible

    if found.running:
        headers = ["task", "model", "seed", "host", "process", "share", "images/s", "training ends in", "last sign"]
        print_table(headers, [[visible(cell) for cell in _cells(row)] for row in found.running])
    for row in found.failed[:MAX_FAILURES]:
        print(visible(f"{row['model']} on {row['task']}, seed {row['seed']}: {row['status']}: {row['error']}"))
    if len(found.failed) > MAX_FAILURES:
        print(f"and {len(found.failed) - MAX_FAILURES} more")
    counts = f"{len(found.done)} done, {len(found.failed)} failed, {len(found.missing)} missing"
    running = f"{plural(len(found.running), 'run')} under way" if found.running else "nothing runs here"
    print(f"{folder}: {running}; {counts}")
    for problem in found.problems:
        print(f"zoo: warning: {problem}", file=sys.stderr)


def _cells(row: dict[str, Any]) -> list[str]:
    share, speed, eta = row["share"], row["images_per_s"], row["eta_seconds"]
    return [
        row["task"],
        row["model"],
        "" if row["seed"] is None else str(row["seed"]),
        row["host"],
        str(row["pid"]),
        "starting" if share is None else f"{share:.0%}",
        "" if speed is None else f"{speed:,.0f}",
        "" if eta is None else _duration(eta),
        f"{_duration(row['silent_seconds'])} ago",
    ]


def _duration(seconds: float) -> str:
    """Return "40 s", "12 min" or "3 h 20 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"

"""``zoo compare``. Imports nothing heavy until it runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo_bench.report.read.compare import Change


def compare(
    folders: Annotated[list[Path], typer.Argument(help="Two folders, A and B; or one with --models.")],
    models: Annotated[str, typer.Option(help="Two models of one folder: A,B.")] = "",
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", help="Exit with 1 if B's mean is beyond: fid:+5%, modes_captured:-1. Repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say by how much B differs from A: difference, interval and p-value of every metric, and a verdict.

    B is compared with A only where task, judge, budget, precision and device are the same. --fail-if looks at the
    estimate, whether or not the runs are many enough to separate it from no change.
    """
    from zoo_bench.plan.variants import split

    names = [name for name in split(models) if name]
    if len(folders) + len(names) // 2 != 2 or len(names) not in (0, 2):
        raise ZooError("give two folders, or one folder and --models A,B")

    from zoo_bench.report.read import compare as comparison
    from zoo_bench.report.read.results import load_once

    limits = [comparison.Limit.parse(text) for text in fail_if or []]
    loaded = [load_once([folder]) for folder in folders]
    notes = [sentence for results in loaded for sentence in results.problems]
    if names:
        changes = comparison.models(loaded[0], *names)
    else:
        changes, omissions = comparison.folders(*loaded)
        notes += omissions
    failed = [sentence for limit in limits for sentence in limit.violations(changes)]
    for sentence in notes:
        print(f"zoo: {sentence}", file=sys.stderr)
    _print_changes(changes, as_json)
    for sentence in failed:
        print(f"zoo: {sentence}", file=sys.stderr)
    return 1 if failed else 0


def _print_changes(changes: Sequence[Change], as_json: bool) -> None:
    if as_json:
        rows = [{k: _plain(v) for k, v in change.row().items()} for change in changes]
        print(json.dumps(rows, indent=2))
        return
    from rich.console import Console

    from zoo_bench.report.show.terminal import change_tables

    console = Console()
    for part in change_tables(changes):
        console.print(part)


def _plain(value: object) -> object:
    import math

    return None if isinstance(value, float) and not math.isfinite(value) else value

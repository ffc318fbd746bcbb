"""``zoo compare``. Imports nothing heavy until it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.errors import UnknownNameError, ZooError

if TYPE_CHECKING:
    from zoo_bench.report.read.changes import Change
    from zoo_bench.report.read.gate import Gate

FORMATS = ("table", "markdown", "json", "junit")


def compare(
    folders: Annotated[list[Path], typer.Argument(help="Two folders, A and B; or one with --models.")],
    models: Annotated[str, typer.Option(help="Two models of one folder: A,B.")] = "",
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", help="Exit with 1 if B is separably beyond: fid:+5%, modes_captured:-1. Repeatable."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="--fail-if looks at the mean, separable or not.")] = False,
    columns: Annotated[
        str, typer.Option(help="Metrics with commas, as results.csv calls them.", show_default="all")
    ] = "",
    format_: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.", show_default="table")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> int:
    """Say by how much B differs from A: difference, interval and p-value of every metric, and a verdict.

    B is compared with A only where task, judge, budget, precision and device are the same. --fail-if is a gate for CI:
    it fails where B's mean is beyond the limit and the seeds separate it from A's, where fewer runs finish, and where
    it cannot be judged. Where nothing changed and every run finished, at most 5 % of commands fail.
    """
    from zoo_bench.plan.variants import split

    names = [name for name in split(models) if name]
    if len(folders) + len(names) // 2 != 2 or len(names) not in (0, 2):
        raise ZooError("give two folders, or one folder and --models A,B")
    if as_json and format_:
        raise ZooError("--json is --format json: give one of them")
    output_format = "json" if as_json else format_ or "table"
    if output_format not in FORMATS:
        raise UnknownNameError("format", output_format, FORMATS)
    if (strict or output_format == "junit") and not fail_if:
        raise ZooError(f"{'--strict' if strict else '--format junit'} is about gates: give one with --fail-if")
    if output_format == "junit" and columns:
        raise ZooError("--columns needs --format table, markdown or json: junit has the gates only")

    from zoo_bench.report.read import compare as comparison
    from zoo_bench.report.read.gate import Limit, gates
    from zoo_bench.report.read.results import load_once
    from zoo_bench.report.text import visible

    limits = [Limit.parse(text) for text in fail_if or []]
    loaded = [load_once([folder]) for folder in folders]
    notes = [sentence for results in loaded for sentence in results.problems]
    if names:
        changes = comparison.models(loaded[0], *names)
    else:
        changes, omissions = comparison.folders(*loaded)
        notes += omissions
    judged = gates(limits, changes, strict=strict)
    shown = _shown(changes, columns, judged)
    for sentence in notes:
        print(visible(f"zoo: {sentence}"), file=sys.stderr)
    _print(shown, judged, output_format)
    for gate in judged:
        print(visible(f"zoo: {'passed' if gate.passed else 'failed'}: {gate}"), file=sys.stderr)
    passed = sum(gate.passed for gate in judged)
    if judged:
        print(f"zoo: {passed} of {len(judged)} gates passed", file=sys.stderr)
    return 0 if passed == len(judged) else 1


def _shown(changes: Sequence[Change], names: str, judged: Sequence[Gate]) -> list[Change]:
    """Return the changes of some metrics, and those that have a gate."""
    available = {change.metric.name for change in changes if change.compared}
    wanted = {name.strip() for name in names.split(",")} - {""} if names.strip(", ") not in ("", "all") else available
    for name in sorted(wanted - available):
        raise UnknownNameError("column", name, available)
    gated = {id(gate.change) for gate in judged}
    return [c for c in changes if id(c) in gated or (c.compared and c.metric.name in wanted)]


def _print(changes: Sequence[Change], judged: Sequence[Gate], output_format: str) -> None:
    from zoo_bench.report.show import changes as forms

    if output_format == "markdown":
        sys.stdout.write(forms.markdown(changes, judged))
    elif output_format == "json":
        print(forms.as_json(changes, judged))
    elif output_format == "junit":
        print(forms.junit(judged))
    else:
        from rich.console import Console

        console = Console()
        for part in forms.tables(changes):
            console.print(part)

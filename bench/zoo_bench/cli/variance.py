"""``zoo variance``. Imports nothing heavy until it runs."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zoo_bench.executors import Event
    from zoo_bench.report.read.variance import Interval
    from zoo_bench.variance import Study


def variance(
    model: Annotated[str, typer.Argument(help="Name of a model, or with settings as in `zoo bench`.")],
    task: Annotated[str, typer.Option(help="Name of a task; see `zoo tasks`.")] = "digits",
    budget: Annotated[str, typer.Option(help="Of every run, as in `zoo bench`.")] = "50k",
    bases: Annotated[int, typer.Option(help="Base seeds, which differ in all axes.")] = 10,
    repeats: Annotated[
        int, typer.Option(help="Runs around each base that differ in one axis only, the base among them.")
    ] = 2,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Set a setting of the model: dcgan.width=32. Repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for runs; those that it has are not run again.")] = Path(
        "results/variance"
    ),
    workers: Annotated[int | None, typer.Option(help="Runs at once.", show_default="one per core")] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads of each run.", show_default="cores / workers")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no line per run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the study as JSON.")] = False,
) -> int:
    """Say how much of the spread of FID comes from initialisation, data order, training noise and sampling.

    Around every base seed one axis at a time has other seeds. That costs bases x (1 + 3 x (repeats - 1)) trainings;
    for the axis of sampling, the bases' weights are sampled again. More bases narrow every interval, more repeats
    those of the axes.
    """
    from zoo_bench.core.processes import warm_up

    warm_up()

    from zoo_bench.executors import Options
    from zoo_bench.plan.options import DEFAULTS, BenchOptions
    from zoo_bench.plan.planning import parse_settings
    from zoo_bench.store.records import Store
    from zoo_bench.variance import design, study

    settings = parse_settings(set_ or [])
    asked = BenchOptions(
        models=model, task=task, budget=budget, settings=settings, precision="fp32", workers=workers, threads=threads
    )
    planned, store = design(asked, bases, repeats), Store(out)
    on_event = (lambda event: None) if quiet else _print_event
    try:
        found = study(planned, store, Options(workers, threads, DEFAULTS.timeout), on_event)
    except KeyboardInterrupt:
        print("interrupted: finished runs are stored; the same command does the rest", file=sys.stderr)
        raise
    for problem in store.problems:
        print(f"zoo: warning: {problem}", file=sys.stderr)
    _show(found, as_json)
    print(f"runs: {out}", file=sys.stderr)
    return 1 if found.failed else 0


def _print_event(event: Event) -> None:
    from zoo_bench.executors import Finished
    from zoo_bench.report.text import visible
    from zoo_bench.variance import described

    if isinstance(event, Finished):
        record = event.outcome.record
        end = f"FID {record.metrics['fid']:.3g}" if "fid" in record.metrics else record.error
        print(visible(f"{described(event.spec)}: {record.status}, {end}"), file=sys.stderr)


def _show(study: Study, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from zoo.tables import print_table
    from zoo_bench.report.read.variance import AXES
    from zoo_bench.report.text import figure, visible

    sentences = list(study.components.sentences())
    for sentence in study.failed:
        print(visible(sentence), file=sys.stderr)
    if as_json:
        print(json.dumps(_plain({**asdict(study), "sentences": sentences}), indent=2))
        return
    components = study.components
    rows = [
        [AXES[c.axis], _finished(c.runs, c.failed), *_deviation(c.deviation), *_share(c.share)] for c in components.axes
    ]
    rows.append(["all", _finished(components.bases, components.failed), *_deviation(components.total), "", ""])
    print_table(["axis", "runs", "deviation", "95 %", "share", "95 %"], rows)
    print(
        f"{study.label} on {study.task}, budget {study.budget}, judge {study.judge}: FID {figure(components.mean)}. "
        "Deviation: of FID where this axis alone varies. Share: of the variance where all vary."
    )
    for sentence in sentences:
        print(sentence)


def _finished(runs: int, failed: int) -> str:
    return f"{runs - failed}/{runs}" if failed else f"{runs}"


def _deviation(interval: Interval) -> tuple[str, str]:
    """Write a deviation of log FID in percent of FID."""
    from zoo_bench.report.text import figure

    value, low, high = (figure(100 * math.expm1(end)) for end in (interval.value, interval.low, interval.high))
    return (f"{value}%", f"{low} to {high}%") if interval.value >= 0 else ("-", "")


def _share(interval: Interval) -> tuple[str, str]:
    """Write a share in percent; none is above 100."""
    value, low, high = (f"{min(1.0, end):.1%}" for end in (interval.value, interval.low, interval.high))
    return (value, f"{low[:-1]} to {high}") if interval.value >= 0 else ("-", "")


def _plain(value: object) -> object:
    """Return a value for JSON, which has no NaN."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value

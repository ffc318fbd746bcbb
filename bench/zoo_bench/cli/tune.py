"""``zoo tune``. Imports nothing heavy until it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.errors import ZooError
from zoo.text import visible

if TYPE_CHECKING:
    from zoo_bench.executors import Event
    from zoo_bench.report.read.best_of_n import BestOf
    from zoo_bench.tune import Study


def tune(
    models: Annotated[str, typer.Option(help="Names or '*' patterns with commas, or all.")] = "all",
    task: Annotated[str, typer.Option(help="Name of a task; see `zoo tasks`.")] = "digits",
    budget: Annotated[str, typer.Option(help="Of every run, as in `zoo bench`.")] = "50k",
    trials: Annotated[int, typer.Option(help="Settings tried for each model; the first are the defaults.")] = 20,
    final_budget: Annotated[
        str | None, typer.Option(help="The three best trials run again with it, and decide.", show_default="no finals")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Training runs of each trial.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the sampler that suggests settings.")] = 0,
    sampler: Annotated[
        str, typer.Option(help="Of settings: random, or tpe, which after ten random draws learns from values.")
    ] = "tpe",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Fix a setting of every trial: dcgan.width=32. Repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for studies; what it has is not run again.")] = Path("results/tune"),
    workers: Annotated[int | None, typer.Option(help="Runs at once.", show_default="one per core")] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads of each run.", show_default="cores / workers")
    ] = None,
    show: Annotated[Path | None, typer.Option(help="Show the studies of this folder, and run nothing.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no line per run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the studies as JSON.")] = False,
) -> int:
    """Search the settings of each model with the same number of trials, the same budget and the same seed.

    What is searched is declared by each model's config, but for what --set fixes. Settings are chosen by FID against
    the validation split, on training seeds that no bench uses, and every trial is recorded. At the end it says what
    the best of n trials is expected to be, for every n, and from how many trials on another model is the better one.
    """
    if show:
        from zoo_bench.tune import read_studies

        problems: list[str] = []
        studies = read_studies(show, problems)
        for problem in problems:
            print(visible(f"zoo: {problem}"), file=sys.stderr)
        _show(studies, show, as_json)
        return 0
    from zoo_bench.core.processes import warm_up

    warm_up()

    from zoo_bench.executors import Options
    from zoo_bench.plan.options import DEFAULTS, check_positive
    from zoo_bench.plan.planning import parse_settings
    from zoo_bench.store.records import Store
    from zoo_bench.tune import Effort, tunable
    from zoo_bench.tune import tune as search

    check_positive(workers=workers, threads=threads)
    effort = Effort(task, budget, trials, seeds, seed, sampler, final_budget, parse_settings(set_ or []))
    names, left_out = tunable(models, task, effort.fixed)
    if not names:
        raise ZooError(f"nothing to tune: {'; '.join(left_out)}")
    for sentence in left_out:
        print(visible(f"left out: {sentence}"), file=sys.stderr)
    store, options = Store(out), Options(workers, threads, DEFAULTS.timeout)
    on_event = (lambda event: None) if quiet else _print_event
    try:
        studies = [search(name, effort, store, options, on_event) for name in names]
    except KeyboardInterrupt:
        print("interrupted: finished runs are stored; the same command does the rest", file=sys.stderr)
        raise
    _show(studies, out, as_json)
    print(f"studies: {out}", file=sys.stderr)
    return 0


def _print_event(event: Event) -> None:
    from zoo_bench.executors import Finished

    if isinstance(event, Finished):
        record = event.outcome.record
        end = f"validation FID {record.curve[-1]['fid']:.3g}" if record.curve else record.error
        print(visible(f"{record.spec}: {record.status}, {end}"), file=sys.stderr)


def _show(studies: list[Study], folder: Path, as_json: bool) -> None:
    import json
    from itertools import groupby

    from zoo.tables import print_table
    from zoo_bench.core.names import file_name

    if as_json:
        print(json.dumps([study.model_dump(mode="json") for study in studies], indent=2))
        return
    for (task, budget, judge, seeds, _), group in groupby(studies, key=lambda study: study.key):
        alike = list(group)
        title = f"{task}, {budget} a run, {seeds} seed{'s' * (seeds > 1)} a trial, judge {judge}"
        print(visible(title))
        finals = any(study.finals for study in alike)
        heads = ["model", "trials", "default", "best", *["final"] * finals, "settings of the best"]
        print_table(heads, [_found(study, finals) for study in alike])
        _show_curves(title, alike, folder / file_name(f"best-of-n-{task}-{budget}-{judge}.png"))


def _found(study: Study, finals: bool) -> list[str]:
    """Return the row of a study: what it found."""
    import json
    import shlex

    best = study.best
    trial = next((trial for trial in study.trials if trial.settings == best.settings), best)
    settings = {**study.fixed, **best.settings}
    texts = {name: json.dumps(value, separators=(",", ":")) for name, value in settings.items()}
    options = " ".join(f"--set {shlex.quote(f'{study.model}.{name}={value}')}" for name, value in texts.items())
    values = [_number(t.value) for t in [study.trials[0], trial, *[best] * finals]]
    return [study.model, str(len(study.trials)), *values, options or "the defaults"]


def _show_curves(title: str, studies: list[Study], path: Path) -> None:
    """Say what the best of n trials is expected to be, where curves cross, and draw them."""
    from itertools import combinations

    from zoo.files import write_atomically
    from zoo.tables import print_table
    from zoo_bench.report.read.best_of_n import crossing
    from zoo_bench.report.show.tuning import tuning_curves

    curves = {study.model: study.best_of_n for study in studies}
    longest = max(map(len, curves.values()))
    if longest < 2:
        return
    shown = sorted({*(2**i for i in range(longest.bit_length())), longest})
    print("Expected best of n trials, the defaults and n - 1 random draws, with 95 % bands:")
    rows = [[name, *(_best(curve[n - 1]) if n <= len(curve) else "" for n in shown)] for name, curve in curves.items()]
    print_table(["model", *(f"n = {n}" for n in shown)], rows)
    for first, second in combinations(curves, 2):
        if sentence := crossing(first, curves[first], second, curves[second]):
            print(sentence[0].upper() + sentence[1:])
    if any(len(study.draws) < len(study.trials) - 1 for study in studies):
        print("The curves end where TPE learns from values, as its draws depend on each other then: --sampler random.")
    write_atomically(path, tuning_curves(title, curves))
    print(f"curves: {path}", file=sys.stderr)


def _best(best: BestOf) -> str:
    band = f" ({best.low:.3g} to {best.high:.3g})" if best.low < best.high else ""
    return _number(best.expected) + band


def _number(value: float | None) -> str:
    return "-" if value is None or value == float("inf") else f"{value:.3g}"

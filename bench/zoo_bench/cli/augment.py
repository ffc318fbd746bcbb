"""``zoo augment``. Imports nothing heavy until it runs."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo_bench.executors import Event
    from zoo_bench.report.read.augmentation import Gain, Measured
    from zoo_bench.report.read.statistics import Estimate


def augment(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for runs; those that it has are not repeated.")],
    models: Annotated[str, typer.Option(help="Names or '*' patterns with commas, or all.")] = "vae,dcgan",
    task: Annotated[str, typer.Option(help="Name of a task of images with classes.")] = "digits",
    fraction: Annotated[str, typer.Option(help="Shares of the real training images, with commas.")] = "0.02,0.1,0.5",
    seeds: Annotated[str, typer.Option(help="How many draws of real images, each with a training of its seed.")] = "5",
    budget: Annotated[str, typer.Option(help="Of every run, as in `zoo bench`.")] = "50k",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Set a setting of a model: dcgan.width=32. Repeatable.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Runs at once.", show_default="one per core")] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads of each run.", show_default="cores / workers")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no line per run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> int:
    """Say whether generated images help to train a classifier on few real ones, and from where on they do not.

    For every fraction and seed, each model is trained with labels on a share of the real images, and a small classifier
    on these images, on generated ones, and on both. The folder gets augmentation.csv, .svg and .png.
    """
    from zoo_bench.core.processes import warm_up

    warm_up()

    from zoo.files import write_atomically
    from zoo_bench.augment import design, study
    from zoo_bench.executors import Options
    from zoo_bench.plan.options import DEFAULTS, BenchOptions
    from zoo_bench.plan.planning import parse_settings
    from zoo_bench.report.read.augmentation import gains, sentences
    from zoo_bench.report.show.augmentation import augmentation
    from zoo_bench.report.show.figures import file
    from zoo_bench.report.text import visible
    from zoo_bench.store.records import Store

    asked = BenchOptions(
        models=models, task=task, budget=budget, seeds=seeds, settings=parse_settings(set_ or []), precision="fp32",
        workers=workers, threads=threads,
    )  # fmt: skip
    if asked.seed_limit is not None:
        raise ZooError("--seeds auto is for `zoo bench`: name a number of seeds")
    on_event = (lambda event: None) if quiet else _print_event
    planned, store = design(asked, [part.strip() for part in fraction.split(",")]), Store(folder)
    try:
        measured, failed = study(planned, store, Options(workers, threads, DEFAULTS.timeout), on_event)
    except KeyboardInterrupt:
        print("interrupted: finished runs are stored; the same command does the rest", file=sys.stderr)
        raise
    for sentence in [*(f"zoo: warning: {problem}" for problem in store.problems), *failed]:
        print(visible(sentence), file=sys.stderr)
    if not measured:
        return 1
    found = gains(measured)
    write_atomically(folder / "augmentation.csv", _csv(measured).encode())
    figure = augmentation(found, task)
    for suffix in (".svg", ".png"):
        write_atomically(folder / f"augmentation{suffix}", file(figure, suffix))
    if as_json:
        _print_json(found)
    else:
        _print_table(found)
        for sentence in sentences(found):
            print(visible(sentence))
    print(f"table, figure and runs: {folder}", file=sys.stderr)
    return 1 if failed else 0


def _print_event(event: Event) -> None:
    from zoo_bench.executors import Finished
    from zoo_bench.report.text import visible

    if isinstance(event, Finished):
        record = event.outcome.record
        found = {name: record.metrics.get(f"accuracy_{name}", math.nan) for name in ("real", "generated", "both")}
        end = ", ".join(f"{name} {value:.1%}" for name, value in found.items()) if record.metrics else record.error
        print(visible(f"{event.spec}: {record.status}, {end}"), file=sys.stderr)


def _csv(measured: list[Measured]) -> str:
    """Return one row per model, fraction, seed and training set."""
    import pandas as pd

    from zoo_bench.store.tables import csv_text

    keys = ["model", "fraction", "seed"]
    frame = pd.DataFrame(measured).melt(keys, var_name="trained_on", value_name="accuracy")
    return csv_text(frame.sort_values(keys, kind="stable"))


def _print_json(found: list[Gain]) -> None:
    import pandas as pd

    frame = pd.DataFrame(found).assign(verdict=[one.verdict for one in found])
    print(frame.to_json(orient="records", indent=2, double_precision=15))


def _print_table(found: list[Gain]) -> None:
    from zoo.tables import print_table

    heads = ["model", "fraction", "seeds", "real", "generated", "both", "gain", "Holm p"]
    rows = [
        [
            one.model, f"{one.fraction:g}", f"{one.gain.n}", *map(_percent, (one.real, one.generated, one.both)),
            _percent(one.gain, "+"), "-" if math.isnan(one.p) else f"{one.p:.2g}",
        ]
        for one in found
    ]  # fmt: skip
    print_table(heads, rows)
    print(
        "Accuracy on real test images in percent, by what the classifier was trained on; gain: both less real. "
        "Means over seeds with Student's 95 % intervals; p: paired t test, Holm-corrected over all rows."
    )


def _percent(share: Estimate, sign: str = "") -> str:
    """Write a mean share, or difference of shares, in percent, and half its interval."""
    half = f"±{50 * (share.high - share.low):.1f}" if share.n > 1 else ""
    return f"{100 * share.mean + 0.0:{sign}.1f}{half}"

"""``zoo score``. Imports nothing heavy until it runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.errors import ZooError
from zoo_bench.core.budget import parse_timeout
from zoo_bench.plan.options import DEFAULTS, MAX_JUDGE_SEED, check_positive

if TYPE_CHECKING:
    from zoo_bench.store.records import Store


def score(
    what: Annotated[
        Path,
        typer.Argument(help="A folder that `zoo bench --out` wrote; or samples: .npz, .npy or a folder of images."),
    ],
    metrics: Annotated[str, typer.Option(help="Names of metrics with commas, or all.")] = DEFAULTS.metrics,
    task: Annotated[str, typer.Option(help="Of samples: the task that they are scored on.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Of samples: folder of results in which they become a row.", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(help="Of samples: their name.", show_default="that of the file")] = "",
    run_seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="Of samples: the training seed of the model, if several are scored."),
    ] = None,
    value_range: Annotated[str, typer.Option("--range", help="Of samples that are floats: 0,1 or -1,1.")] = "",
    judge_seed: Annotated[
        int | None,
        typer.Option(help="Seed of the second judge of each task.", show_default="the folder's, or a new one"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute also what is there already.")] = False,
    workers: Annotated[int | None, typer.Option(help="Runs at once.", show_default="one per core")] = None,
    timeout: Annotated[str, typer.Option(help="A run without progress for so long is hung; or never.")] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="Print rows as JSON instead of tables.")] = False,
) -> int:
    """Score stored runs again, or samples that were made elsewhere; nothing is trained.

    Of a folder of results, every run is scored with the metrics that it lacks, or has of another version or judge, from
    its samples if they were kept, or else from its weights. Samples that were made elsewhere become a row beside the
    models, marked as outside: their budget is unknown, so they take part in no claim.
    """
    from zoo_bench.core.processes import warm_up

    warm_up()
    from zoo_bench.executors import Options
    from zoo_bench.scoring import score_outside, score_stored
    from zoo_bench.store.records import Store

    check_positive(workers=workers)
    check_positive(MAX_JUDGE_SEED, judge_seed=judge_seed)
    options = Options(workers=workers, timeout=parse_timeout(timeout))
    about_samples = {"--task": task, "--out": out, "--name": name, "--run-seed": run_seed, "--range": value_range}
    if what.is_dir() and (what / "runs").is_dir():
        for option, value in about_samples.items():
            if value not in ("", None):
                raise ZooError(f"{option} is for samples that were made elsewhere, and {str(what)!r} has stored runs")
        store = Store(what)
        try:
            complete = score_stored(store, metrics, options, force=force, judge_seed=judge_seed, log=_log)
        except KeyboardInterrupt:
            _log("interrupted: runs that were scored are stored; the same command does the rest")
            raise
    else:
        if not (task and out):
            raise ZooError(
                f"{str(what)!r} has no runs/, so it is read as samples that were made elsewhere: these need --task, "
                "and --out with the folder of results in which they become a row"
            )
        store, complete = Store(out), True
        score_outside(
            what,
            store,
            task,
            metrics,
            options,
            name=name,
            seed=run_seed,
            value_range=value_range,
            judge_seed=judge_seed,
            log=_log,
        )
    _show(store, as_json)
    return 0 if complete else 1


def _log(sentence: str) -> None:
    from zoo_bench.report.text import visible

    print(visible(sentence), file=sys.stderr, flush=True)


def _show(store: Store, as_json: bool) -> None:
    from zoo_bench.cli.report import terminal_text
    from zoo_bench.report.read.groups import groups
    from zoo_bench.report.read.results import load_store
    from zoo_bench.report.read.summary import summarise

    results = load_store(store)
    if as_json:
        frame = results.frame[[column for column in results.frame.columns if not column.startswith("_")]]
        print(json.dumps(json.loads(frame.to_json(orient="records", date_format="iso")), indent=2))
        return
    sys.stdout.write(terminal_text(results, [summarise(group, results.controls) for group in groups(results.frame)]))
    _log(f"table: {store.root}/results.csv   report: {store.root}/report.html")

"""``zoo bench``. Imports nothing heavy until a command runs."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.completion import names as completes
from zoo.errors import ZooError
from zoo_bench.core.budget import parse_timeout
from zoo_bench.plan.options import DEFAULTS, BenchOptions
from zoo_bench.plan.seeds import looks

if TYPE_CHECKING:
    from zoo_bench.benchmark import Bench


def _take_defaults(context: typer.Context, config: Path | None) -> Path | None:
    """Let the options in a file be the defaults of the command line."""
    from zoo_bench.plan.bench_file import read_bench_file

    if config and not context.resilient_parsing:  # as when a shell completes
        context.default_map = read_bench_file(config)
    return config


_what = partial(typer.Option, rich_help_panel="What")
_long = partial(typer.Option, rich_help_panel="How long")
_where = partial(typer.Option, rich_help_panel="Where")
_output = partial(typer.Option, rich_help_panel="Output")


def bench(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="The models, as in --models.", metavar="MODELS", autocompletion=completes("models")),
    ] = None,
    models: Annotated[
        str, _what(help="Names, '*' patterns, gan[packing=2], or all.", autocompletion=completes("models"))
    ] = DEFAULTS.models,
    task: Annotated[
        str, _what(help="Names of tasks with commas; see `zoo tasks`.", autocompletion=completes("tasks"))
    ] = DEFAULTS.task,
    metrics: Annotated[
        str, _what(help="Names of metrics with commas, or all.", autocompletion=completes("metrics"))
    ] = DEFAULTS.metrics,
    settings: Annotated[list[str] | None, _what("--set", help="Override a setting: dcgan.lr=1e-4. Repeatable.")] = None,
    judge_seed: Annotated[
        int | None, _what(help="Seed of the second judge of each task.", show_default="the folder's, or a new one")
    ] = None,
    config: Annotated[
        Path | None,
        _what(help="A file of options, such as bench.toml in --out.", is_eager=True, callback=_take_defaults),
    ] = None,
    budget: Annotated[
        str, _long(help="Per run: 200k or 2M training images, 90s, 5m, 3000rounds, 5PFLOP.")
    ] = DEFAULTS.budget,
    seeds: Annotated[str, _long(help="How many training seeds, or which: 0,3,5-9, or auto, see above.")] = str(
        DEFAULTS.seeds
    ),
    timeout: Annotated[str, _long(help="A run without progress for so long is hung; or never.")] = "1h",
    checkpoint_every: Annotated[
        str, _long(help="Time after which a run writes down where it is, to go on from there, or never.")
    ] = "5m",
    retry_failed: Annotated[bool, _long("--retry-failed", help="Run again what failed.")] = False,
    force: Annotated[bool, _long("--force", help="Run again everything.")] = False,
    device: Annotated[str, _where(help="auto, cpu, cuda or mps.")] = DEFAULTS.device,
    precision: Annotated[
        str, _where(help="fp32, bf16, either with +compile, or auto: the fastest found.")
    ] = DEFAULTS.precision,
    workers: Annotated[
        int | None, _where(help="Runs at once.", show_default="one per core, or measured on GPUs")
    ] = None,
    threads: Annotated[
        int | None, _where(help="CPU threads of each run.", show_default="cores / workers, or measured")
    ] = None,
    executor: Annotated[str, _where(help="Where runs are run: local or ray.")] = DEFAULTS.executor,
    address: Annotated[str, _where(help="Where the executor's cluster listens: auto for Ray.")] = DEFAULTS.address,
    out: Annotated[Path, _output(help="Folder for results; what it has is not run again.")] = DEFAULTS.out,
    keep_samples: Annotated[bool, _output("--keep-samples", help="Store the samples that are scored.")] = False,
    throughput: Annotated[
        bool | None,
        _output(help="Time every model alone when the runs are done.", show_default="with the local executor"),
    ] = None,
    track: Annotated[str, _output(help="Also report to tensorboard, mlflow, wandb or others.")] = DEFAULTS.track,
    dry_run: Annotated[bool, _output("--dry-run", help="Print the plan and stop.")] = False,
    profile: Annotated[
        bool, _output("--profile", help="Only say where the time of one run of each model goes.")
    ] = False,
    quiet: Annotated[bool, _output("--quiet", "-q", help="Show no progress: only tables and what went wrong.")] = False,
    verbose: Annotated[
        bool, _output("--verbose", "-v", help="Say when a run starts, and where in the code one failed.")
    ] = False,
    as_json: Annotated[bool, _output("--json", help="Print rows as JSON instead of tables.")] = False,
) -> int:
    """Train models under one identical budget and compare them.

    - `zoo bench --budget 20k`: all models on digits, three short runs of each.
    - `zoo bench dcgan vae --task mnist --seeds 5 --out results/mnist`: two models, five runs of each.
    - `zoo bench gan 'gan[packing=2]' --task ring8 --budget 90s`: one model with two settings, against the clock.

    Every run is trained on the same data order with the same budget, scored against data that no model was given, and
    stored as one JSON file with its weights and a sample sheet. The same command again runs only what is missing.
    The folder of results has it as bench.toml, for --config; options on the command line override the file.

    With --seeds auto, every model gets 4 seeds, then further ones as long as any pair that it is in is not separable by
    FID (or the first metric), up to 20 or, with --seeds auto:30, up to 30. The claims of all tables allow for that.
    """
    if names:
        source = context.get_parameter_source("models")
        if source and source.name == "COMMANDLINE":
            raise ZooError(
                f"models are named twice, {' '.join(names)!r} and --models {models!r}: leave out one of them"
            )
        models = ",".join(names)
    if quiet and verbose:
        raise ZooError("--quiet and --verbose contradict each other: leave out one of them")
    if address and executor == "local":
        raise ZooError(f"--address {address!r} is for a cluster: add --executor ray")
    if sys.stderr.isatty() and not quiet:  # elsewhere nobody waits for it
        print("loading libraries and data", file=sys.stderr)
    from zoo_bench.core.processes import warm_up

    warm_up()

    from zoo_bench.benchmark import begin, prepare, run
    from zoo_bench.plan.planning import parse_settings
    from zoo_bench.report.show.progress import Live

    options = BenchOptions(
        models=models,
        task=task,
        budget=budget,
        seeds=seeds,
        metrics=metrics,
        settings=parse_settings(settings or []),
        precision=precision,
        device=device,
        out=out,
        executor=executor,
        address=address,
        workers=workers,
        threads=threads,
        timeout=parse_timeout(timeout),
        checkpoint_every=parse_timeout(checkpoint_every, "--checkpoint-every"),
        retry_failed=retry_failed,
        force=force,
        keep_samples=keep_samples,
        judge_seed=judge_seed,
        throughput=executor == "local" if throughput is None else throughput,
        track=track,
    )
    log = _log_warnings if quiet else partial(print, file=sys.stderr)
    prepared = prepare(options, log, measure=not (dry_run or profile))
    for sentence in prepared.sentences():
        log(sentence)
    if dry_run:
        _print_plan(prepared, as_json)
        return 0
    if profile:
        return _print_profiles(prepared, threads or 1, as_json)
    prepared = begin(prepared)
    counts = len(prepared.plan.runs), len(prepared.missing)
    with Live(*counts, out, len(prepared.outdated), quiet=quiet, verbose=verbose) as live:
        try:
            frame = run(prepared, live.on_event)
        except KeyboardInterrupt:
            live.interrupted()
            raise
    for problem in prepared.store.problems:
        log(f"zoo: warning: {problem}")
    if as_json:
        print(frame.to_json(orient="records", indent=2, date_format="iso"))
    else:
        _print_tables(frame, prepared)
        log(f"report: {out / 'report.html'}\ntable: {out / 'results.csv'}\nrecords, weights and sheets: {out / 'runs'}")
    complete = len(frame) == len(prepared.plan.runs) and (frame["status"] == "ok").all()
    return 0 if complete and not live.unscored else 1


def _log_warnings(sentence: str) -> None:
    if sentence.startswith("zoo: "):
        print(sentence, file=sys.stderr)


def _print_plan(prepared: Bench, as_json: bool) -> None:
    missing = prepared.missing
    undecided = prepared.probes.get("precision", {}).get("chosen") == "auto"
    rows: list[dict[str, Any]] = [
        {
            "task": r.task,
            "model": r.label,
            "seed": r.seed,
            "budget": r.budget,
            "precision": "auto" if undecided else r.precision_mode,
            "run_id": None if undecided else r.run_id,
            "state": "to do" if r in missing else "to score" if r in prepared.outdated else "done",
        }
        for r in prepared.plan.runs
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    from zoo.tables import print_table
    from zoo_bench.report.text import plural

    keys = ["task", "model", "seed", "budget", "precision", "run_id", "state"]
    cells = [[str(r[key] or "")[:8] if key == "run_id" else str(r[key]) for key in keys] for r in rows]
    print_table(["run" if key == "run_id" else key for key in keys], cells)
    scored = f", {len(prepared.outdated)} to score" if prepared.outdated else ""
    models, limit = sum(run.seed == 0 for run in prepared.plan.runs), prepared.options.seed_limit
    most = looks(limit)[-1][0] * models if limit else 0
    later = f", then up to {most} in all" if most > len(rows) else ""
    print(
        f"{len(missing)} of {plural(len(rows), 'run')} to do{scored}{later}, into {prepared.store.root}",
        file=sys.stderr,
    )


def _print_profiles(prepared: Bench, threads: int, as_json: bool) -> int:
    from zoo.tables import print_table
    from zoo_bench.measure.profile import profile
    from zoo_bench.report.text import visible

    firsts = {(spec.task, spec.label): spec for spec in reversed(prepared.plan.runs)}
    times, code = {}, 0
    for spec in sorted(firsts.values(), key=str):
        seconds_of, problem = profile(
            spec, threads, prepared.execution.scoring, prepared.store.root, prepared.options.timeout
        )
        if seconds_of:
            times[spec] = seconds_of
        if problem:
            print(visible(f"{spec}: {problem}"), file=sys.stderr)
            code = 1
    if as_json:
        rows = [
            {"task": s.task, "model": s.label, "phase": p, "seconds": v} for s, d in times.items() for p, v in d.items()
        ]
        print(json.dumps(rows, indent=2))
        return code
    if not times:
        return code
    phases = next(iter(times.values()))
    cells = [
        [phase, *(f"{run[phase]:.2f} s {run[phase] / sum(run.values()):4.0%}" for run in times.values())]
        for phase in phases
    ]
    print_table(["phase", *(f"{spec.label} on {spec.task}" for spec in times)], cells)
    print(f"for a viewer of Python's profiles: {prepared.store.root}/profile/*.prof", file=sys.stderr)
    return code


def _print_tables(frame: Any, prepared: Bench) -> None:
    from rich.console import Console

    from zoo_bench.measure.throughput import load_throughput
    from zoo_bench.report.read.groups import groups
    from zoo_bench.report.read.results import load_controls
    from zoo_bench.report.show.speeds import speed_tables
    from zoo_bench.report.show.terminal import tables
    from zoo_bench.report.text import failed

    console = Console()
    for part in tables(frame, console.width, load_controls(prepared.store.root, [])):
        console.print(part)
    speeds = load_throughput(prepared.store.root)
    planned = speeds["model"].isin([spec.label for spec in prepared.plan.runs]) & speeds["task"].isin(frame["task"])
    for part in speed_tables(speeds[planned]):
        console.print(part)
    for group in groups(frame):
        for sentence in failed(group.runs):
            print(sentence, file=sys.stderr)

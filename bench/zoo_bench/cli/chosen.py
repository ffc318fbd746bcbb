"""The run that a command is for: its arguments, and how it is found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo.completion import names as completes

Run = Annotated[Path, typer.Argument(help="A run's JSON file, or a folder of results and which of its runs.")]
ModelName = Annotated[str, typer.Option("--model", help="Of a folder: the model.", autocompletion=completes("models"))]
RunSeed = Annotated[int | None, typer.Option(help="Of a folder: the training seed.", show_default=False)]
Seed = Annotated[int, typer.Option(help="Sampling seed; the same seed gives every model the same latents.")]
Classes = Annotated[str, typer.Option("--class", help="Of a conditional model: 3, or 3,5.", show_default="all in turn")]


def find(run: Path, model: str, run_seed: int | None) -> Path:
    """Return the JSON file of the run that is meant; other code than it was trained with is told on stderr.

    Raises:
        ZooError: If there is none, or more than one.
    """
    from zoo.loading import find_run
    from zoo.registry import installed
    from zoo_bench.plan.code import is_changed
    from zoo_bench.store.records import read_record

    if run.is_dir() or model or run_seed is not None:
        run = find_run(run, model, run_seed)
    record = read_record(run)
    entry = {entry.spec.name: entry for entry in installed().models}.get(record.spec.model)
    if entry is not None and is_changed(entry, record.code):
        trained = f"{record.spec.plugin} {record.spec.plugin_version}"
        how = "its version has not" if trained == str(entry.plugin) else f"with {trained}; here is {entry.plugin}"
        sentence = f"the code of model {record.spec.model!r} has changed since this run was trained, {how}"
        print(f"zoo: {sentence}: `zoo bench --force` trains it again", file=sys.stderr)
    return run

"""``zoo export``. Imports nothing heavy until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zoo.completion import names as completes
from zoo.errors import UnknownNameError, ZooError

SUFFIXES = {"safetensors": ".safetensors", "onnx": ".onnx", "hub": "", "script": ".py"}
"""By format, how the name of its file ends; the Hub's is a folder."""


def export(
    run: Annotated[Path, typer.Argument(help="A run's JSON file, or a folder of results and which of its runs.")],
    format_: Annotated[str, typer.Option("--format", help=f"{', '.join(SUFFIXES)}.")],
    out: Annotated[Path, typer.Option(help="File to write; a new folder for hub.")],
    model: Annotated[str, typer.Option(help="Of a folder: the model.", autocompletion=completes("models"))] = "",
    run_seed: Annotated[int | None, typer.Option(help="Of a folder: the training seed.", show_default=False)] = None,
    licence: Annotated[
        str,
        typer.Option(
            "--license", help="hub: the licence of the weights, by the Hub's name for it.", show_default="unknown"
        ),
    ] = "",
) -> None:
    """Write a trained model as others take it.

    safetensors is one file that `zoo.load` reads; onnx runs without torch, from latents to items; hub is a folder with
    a card, as the Hugging Face Hub has it; script trains the model again without genzoo, on the data written beside it.
    """
    if format_ not in SUFFIXES:
        raise UnknownNameError("format", format_, SUFFIXES)
    if out.suffix != SUFFIXES[format_] and SUFFIXES[format_]:
        raise ZooError(f"--out {str(out)!r} must end in {SUFFIXES[format_]}")
    if not out.absolute().parent.is_dir() or (out.is_dir() and SUFFIXES[format_]):
        raise ZooError(f"--out {str(out)!r} must be in an existing folder, and none itself")
    if format_ == "hub" and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ZooError(f"--out {str(out)!r} is there: name a new folder")
    if licence and format_ != "hub":
        raise ZooError("--license is for --format hub: no other file has a field for it")

    import json

    from zoo.files import write_atomically
    from zoo.loading import find_run, load
    from zoo.registry import installed
    from zoo_bench.export.weights import described, weights_file
    from zoo_bench.store.records import read_record

    if run.is_dir() or model or run_seed is not None:
        run = find_run(run, model, run_seed)
    record, loaded = read_record(run), load(run)
    description = json.dumps(described(run, record), sort_keys=True)
    files: dict[Path, bytes] = {}
    if format_ == "safetensors":
        files[out] = weights_file(run, description)
    elif format_ == "onnx":
        from zoo_bench.export.onnx import onnx_file

        files[out] = onnx_file(loaded, record.spec.model, description)
    elif format_ == "script":
        from zoo_bench.data.loading import load_task
        from zoo_bench.export.script import script, training_data

        files[out] = script(loaded, record, out.name).encode()
        files[out.with_suffix(".npz")] = training_data(load_task(installed().tasks.get(record.spec.task)))
    else:
        from zoo_bench.export.hub import hub_files

        entry = installed().models.get(record.spec.model)
        content = hub_files(run, record, entry, description, licence or "unknown")
        files = {out / name: file for name, file in content.items()}
    for path, file in files.items():
        write_atomically(path, file)
        print(path)

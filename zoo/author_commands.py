"""``zoo check`` and ``zoo new-plugin``: what a plugin author runs. Imports nothing heavy until a command runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from zoo.catalogue import Entry
from zoo.completion import names
from zoo.errors import PluginError, UnknownNameError, ZooError, error_sentence, reraise_ctrl_c
from zoo.registry import installed
from zoo.specs import ModelSpec


def check(
    name: Annotated[
        str,
        typer.Argument(help="An installed model, task or metric.", autocompletion=names("models", "tasks", "metrics")),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Examine a model, task or metric by the contract and say what to change. Exits with 1 if a check fails."""
    try:
        entry = installed().find(name)
    except UnknownNameError as error:
        raise ZooError(f"{error} (`zoo plugins` lists what is installed)") from None
    _load(entry)

    from zoo.testing import CheckFailed, NotExamined, checks_for

    results = []
    for examine in checks_for(name):
        problem, label = "", "ok  "
        try:
            examine()
        except CheckFailed as failure:
            problem, label = str(failure), "FAIL"
        except NotExamined as reason:
            problem, label = str(reason), "    "
        ok = None if label.isspace() else not problem
        results.append({"check": examine.name, "claim": examine.rule.claim, "ok": ok, "problem": problem})
        if not as_json:
            print(f"{label} {examine.name}" + f": {problem}" * bool(problem), flush=True)
    passed = sum(bool(result["ok"]) for result in results)
    if as_json:
        print(json.dumps(results, indent=2))
    else:
        print(f"{name}: {passed} of {len(results)} checks pass")
    return 0 if passed == len(results) else 1


def _load(entry: Entry[Any]) -> None:
    try:
        entry.load()
    except BaseException as error:
        reraise_ctrl_c(error)
        sentence = f"target {entry.spec.target!r} of {entry.plugin} cannot be imported: {error_sentence(error)}"
        raise PluginError(sentence) from error
    if isinstance(entry.spec, ModelSpec):
        from zoo.model import load_class

        load_class(entry)


def new_plugin(
    name: Annotated[str, typer.Argument(help="Name of the model, in lower case: my-model.")],
    out: Annotated[Path, typer.Option(help="Folder in which the package's folder is made.")] = Path(),
) -> None:
    """Write a complete plugin package with one small model that trains, ready to be changed."""
    from zoo.scaffold import write_plugin

    folder = write_plugin(name, out)
    print(f"{folder}")
    print(f"next: python -m pip install -e {folder} && zoo check {name}", file=sys.stderr)

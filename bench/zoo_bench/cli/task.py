"""``zoo task``. Imports nothing heavy until a command runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.catalogue import Entry
from zoo.completion import names as completes
from zoo.errors import ZooError
from zoo.registry import installed
from zoo.specs import TaskSpec

if TYPE_CHECKING:
    from zoo.task import Split, Task

SHEET_ITEMS = 100


def task(
    name: Annotated[
        str,
        typer.Argument(help="A task, or folder:PATH?size=32&grey=1, or hf:NAME.", autocompletion=completes("tasks")),
    ],
    preview: Annotated[bool, typer.Option("--preview", help="Write a sheet of real items as PNG.")] = False,
    out: Annotated[Path, typer.Option(help="Where the sheet goes.", show_default="NAME.png")] = Path(""),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Describe a task: sizes, classes, pixel statistics, judge, and what real data score against real data."""
    from zoo.files import write_atomically
    from zoo_bench.core.names import file_name
    from zoo_bench.data.loading import load_task
    from zoo_bench.data.pictures.listing import printable
    from zoo_bench.data.pictures.task import prepared_of
    from zoo_bench.score.sheets import sheet

    if out.name and not preview:
        raise ZooError("--out is for the sheet: add --preview")
    if out.name and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise ZooError(f"--out {str(out)!r} must be a file in an existing folder")
    entry = installed().tasks.get(name)
    loaded = load_task(entry)
    prepared = prepared_of(entry.spec)
    facts = describe(entry, loaded, prepared.about["classes"] if prepared else [])
    if prepared:
        facts["duplicates left out"] = prepared.about["duplicates"]
        facts["unusable files left out"] = {printable(k): why for k, why in prepared.about["unusable"].items()} or 0
        facts["files passed over"] = prepared.about["passed_over"] or 0
        facts["read with faults"] = {fault: len(names) for fault, names in prepared.about["faults"].items()} or 0
        facts["near-duplicates held out"] = prepared.about["near_duplicates"]
    if preview:
        path = out if out.name else Path(file_name(f"{entry.spec.name}.png"))
        write_atomically(path, sheet(loaded.train.data[_spread(len(loaded.train))], loaded))
        facts["sheet"] = str(path)
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for key, value in facts.items():
        print(f"{key}: {_text(value)}")


def describe(entry: Entry[TaskSpec], loaded: Task, classes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the facts about a task, by the names that users see; ``classes`` are the names of its classes.

    ``real against real`` scores the validation split as if a model had made it; ``floor`` is what as many fresh real
    items score on average, and ``floor sd`` how far one score lies from it.
    """
    import torch

    from zoo.evaluation import Evaluation
    from zoo_bench.judges.named import judge_name
    from zoo_bench.score.scoring import score

    train = loaded.train
    facts: dict[str, Any] = {
        "name": entry.spec.name,
        "version": entry.spec.version,
        "item": "x".join(map(str, loaded.shape)),
        "items": {part: len(getattr(loaded, part)) for part in ("train", "validation", "test")},
        "samples per model": loaded.samples,
    }
    if train.modes is not None:
        facts["classes in train"] = _class_counts(train, classes)
    axes = [0, *range(2, train.data.dim())]
    rows = train.data[_spread(len(train), 10_000)].double()
    std, mean = torch.std_mean(rows, dim=axes)
    facts["mean by channel"] = [round(x, 3) for x in mean.tolist()]
    facts["std by channel"] = [round(x, 3) for x in std.tolist()]
    facts["judge"] = judge_name("", loaded)
    evaluation = Evaluation(loaded, loaded.validation.data[: loaded.samples])
    if loaded.modes and loaded.test.modes is not None:
        predictions = Evaluation(loaded, loaded.test.data).modes_generated
        facts["judge's accuracy on test"] = round(float((predictions == loaded.test.modes).double().mean()), 4)
    else:
        facts["judge's accuracy on test"] = "it knows no classes"
    scored = score(evaluation, [installed().metrics.get("fid")])
    facts["real against real"] = {
        "fid": scored.values.get("fid"),
        "floor": scored.values.get("fid_floor"),
        "floor sd": scored.values.get("fid_floor_sd"),
        "items": f"{len(evaluation.generated)} against {len(evaluation.real)}",
        **scored.errors,
    }
    return facts


def _spread(total: int, wanted: int = SHEET_ITEMS) -> list[int]:
    """Return up to ``wanted`` indices spread evenly over a split."""
    return [i * total // min(total, wanted) for i in range(min(total, wanted))]


def _class_counts(split: Split, names: Sequence[str]) -> Any:
    """Return the count of every class, or a summary if there are more than 100."""
    assert split.modes is not None
    counts = split.modes.bincount()
    if len(counts) <= 100:
        return dict(zip(names or range(len(counts)), counts.tolist(), strict=False))
    return f"{len(counts)}, with {int(counts.min())} to {int(counts.max())} items each"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)

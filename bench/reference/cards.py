"""Write ``zoo/reference.csv``, the reference results on the models' cards: ``python bench/reference/cards.py``.

One row per bench in ``results/reference/``, model, task and budget, of the runs of genzoo's own models with the
settings that are today's defaults. A setting that was added after a run counts with its default there.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import fmean

from pydantic import ValidationError

from zoo.card import REFERENCE
from zoo.catalogue import HOST
from zoo.errors import UnknownNameError
from zoo.model import configure
from zoo.registry import installed

RESULTS = Path(__file__).parents[2] / "results" / "reference"
Row = dict[str, str]


def table(results: Path = RESULTS) -> str:
    """Return the table as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["model", "task", "runs", "fid", "modes", "command"], lineterminator="\n")
    writer.writeheader()
    for path in sorted(results.glob("*/results.csv")):
        with path.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.DictReader(lines) if _is_included(row)]
        for row in rows:
            row["budget"] = row["budget"].replace("steps", "rounds")  # as tables of schema 1 called them
        writer.writerows(_summaries(rows))
    return text.getvalue()


def _is_included(row: Row) -> bool:
    return row["plugin"] == HOST and _is_default(row["model"], row["task"], row["config"])


@cache
def _is_default(model: str, task: str, config: str) -> bool:
    try:
        entry, shape = installed().models.get(model), installed().tasks.get(task).spec.shape
        cls, default = configure(entry, shape, {})
        return cls.Config.model_validate_json(config) == default
    except (UnknownNameError, ValidationError):
        return False


def _summaries(rows: list[Row]) -> Iterator[Row]:
    for key in dict.fromkeys((row["model"], row["task"], row["budget"]) for row in rows):
        model, task, budget = key
        group = [row for row in rows if (row["model"], row["task"], row["budget"]) == key]
        finished = [row for row in group if row["status"] == "ok"]
        fids = [float(row["fid"]) for row in finished if row["fid"]]
        modes = [float(row["modes_captured"]) for row in finished if row["modes_captured"]]
        yield {
            "model": model,
            "task": task,
            "runs": f"{len(finished)}/{len(group)}",
            "fid": f"{math.exp(fmean(map(math.log, fids))):.6g}" if fids else "",
            "modes": f"{fmean(modes):.3g}/{finished[0]['modes_total']}" if modes else "",
            "command": f"zoo bench --models {model} --task {task} --budget {budget} --seeds {len(group)}",
        }


def write() -> Path:
    """Write the table into the package and return its file."""
    REFERENCE.write_text(table(), encoding="utf-8")
    return REFERENCE


if __name__ == "__main__":
    print(write())

"""Take a bench's results into ``results/reference/``: ``python bench/reference/collect.py results/bench``.

Replaces ``results/reference/<task>/`` for every task in the folder: ``table.txt`` and ``table.md`` as ``zoo report``
shows them, ``results.csv``, ``throughput.csv``, ``environment.json``, ``controls.json``, ``modes.png`` and
``curves.png`` with every run, and a sheet per model, of its first seed. A second bench of a task goes beside the first
with ``--suffix wall-clock``. What models' cards show is brought up to date as well, see ``cards.py``.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
from cards import write
from figures import learning_curves, modes
from rich.console import Console

from zoo.errors import ZooError
from zoo_bench.core.names import file_name
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import Summary, headlines, summarise, with_columns
from zoo_bench.report.show import formats
from zoo_bench.report.show.speeds import speed_tables
from zoo_bench.report.show.terminal import summary_tables

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


def take(folder: Path, reference: Path = REFERENCE, suffix: str = "") -> list[Path]:
    """Write the reference folders of a bench's tasks, ``<task>`` or ``<task>-<suffix>``, and return them.

    Raises:
        ZooError: If there are no results in the folder.
    """
    results = load([folder])
    summaries = [summarise(group, results.controls) for group in groups(results.frame)]
    written = []
    for task, runs in results.frame.groupby("task"):
        out = reference / "-".join(filter(None, (file_name(str(task)), suffix)))
        new = out.with_name(f".{out.name}")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        selection = [summary for summary in summaries if summary.group.key["task"] == task]
        (speeds,) = results.speeds
        speeds = speeds[speeds["task"] == task].drop(columns="_folder")
        if not speeds.empty:
            speeds.to_csv(new / "throughput.csv", index=False)
        (new / "table.txt").write_text(_text(selection, speeds), encoding="utf-8")
        (new / "table.md").write_text(formats.markdown(with_columns(selection, headlines(selection))), encoding="utf-8")
        runs[[c for c in runs.columns if not c.startswith("_")]].to_csv(new / "results.csv", index=False)
        copies = {
            folder / "environment.json": "environment.json",
            folder / "controls" / f"{file_name(str(task))}.json": "controls.json",
        }
        for summary in selection:
            for label, files in summary.group.runs.sort_values("seed").groupby("_label")["_file"]:
                name = re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-")
                copies[Path(files.iloc[0]).with_suffix(".png")] = f"{name}.png"
        for summary in selection[:1]:
            if "modes_captured" in {metric.name for metric in summary.metrics}:
                (new / "modes.png").write_bytes(modes(summary))
            if any(str(run) in results.curves for run in summary.group.runs["run_id"]):
                (new / "curves.png").write_bytes(learning_curves(summary, results.curves))
        for source, name in copies.items():
            if source.is_file():
                shutil.copyfile(source, new / name)
        shutil.rmtree(out, ignore_errors=True)
        new.rename(out)
        written.append(out)
    return written


def _text(summaries: list[Summary], speeds: pd.DataFrame) -> str:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    for part in (*summary_tables(summaries, console.width), *speed_tables(speeds)):
        console.print(part)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"  # type: ignore[attr-defined]


def main() -> int:
    """Take a folder's results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `zoo bench --out` wrote")
    parser.add_argument("--suffix", default="", help="of the folders' names")
    arguments = parser.parse_args()
    try:
        for out in take(arguments.folder, suffix=arguments.suffix):
            print(out)
        print(write())
    except ZooError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

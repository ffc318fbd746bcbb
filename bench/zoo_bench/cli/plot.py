"""``zoo plot``. Imports nothing heavy until it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo.errors import UnknownNameError, ZooError

SUFFIXES = (".pdf", ".svg", ".png")


def plot(
    folders: Annotated[list[Path], typer.Argument(help="Folders that `zoo bench --out` wrote, or their tables.")],
    kind: Annotated[str, typer.Option(help="curves, pareto, modes or samples.")],
    out: Annotated[Path, typer.Option(help="File to write: .pdf, .svg or .png.")],
    task: Annotated[str, typer.Option(help="The task.", show_default="the only one")] = "",
    against: Annotated[
        str,
        typer.Option(
            help="Horizontal axis. curves: images, seconds or flops; pareto: sample_images_per_s, "
            "train_images_per_s or params.",
            show_default="the first",
        ),
    ] = "",
    metric: Annotated[
        str, typer.Option(help="pareto: vertical axis, as results.csv calls it.", show_default="fid")
    ] = "",
) -> None:
    """Draw a figure for a paper: one column wide, 8 point, with fonts embedded and the same bytes every time.

    Models differ in colour, marker and dashes. curves: validation FID along training; pareto: a metric against speed
    or size; modes: modes captured; samples: real items beside every model's. Several folders are merged.
    """
    if out.suffix not in SUFFIXES:
        raise ZooError(f"--out {str(out)!r} must end with {', '.join(SUFFIXES)}")
    if out.is_dir():
        raise ZooError(f"--out {str(out)!r} is a folder: name a file")

    from zoo.files import write_atomically
    from zoo_bench.report.read.groups import groups, kept_apart
    from zoo_bench.report.read.results import load_once
    from zoo_bench.report.read.summary import summarise
    from zoo_bench.report.show import kinds
    from zoo_bench.report.show.figures import PAPER, colours_of, file
    from zoo_bench.report.text import visible

    if kind not in kinds.KINDS:
        raise UnknownNameError("kind of plot", kind, kinds.KINDS)
    results = load_once(folders)
    summaries = [summarise(group, results.controls) for group in groups(results.frame)]
    tasks = list(dict.fromkeys(summary.group.key["task"] for summary in summaries))
    if task and task not in tasks:
        raise UnknownNameError("task of these runs", task, tasks)
    if not task and len(tasks) > 1:
        raise ZooError(f"the runs have several tasks: name one with --task: {', '.join(tasks)}")
    chosen = [summary for summary in summaries if summary.group.key["task"] == (task or tasks[0])]
    apart = kept_apart([summary.group for summary in chosen])
    for sentence in [*results.problems, *(f"{text} The first is drawn." for text in apart)]:
        print(visible(f"zoo: {sentence}"), file=sys.stderr)
    colours = colours_of(summaries)
    figure = kinds.plot(kind, chosen[0], results.curves, colours, against=against, metric=metric, style=PAPER)
    write_atomically(out, file(figure, out.suffix))
    print(out)

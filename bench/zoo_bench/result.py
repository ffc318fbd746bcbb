"""What ``zoo_bench.bench`` returns: a DataFrame of runs that knows its tables, plots and sheets."""

from __future__ import annotations

import io
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from zoo.errors import UnknownNameError, ZooError
from zoo.files import read_regular

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from zoo_bench.report.read.results import Results
    from zoo_bench.report.read.summary import Summary

FIRST = ("model", "task", "seed", "status", "fid", "modes_captured")
"""Columns that a result begins with, where it has them."""
LAST = "run_id"
"""The column that it ends with."""


class BenchResult(pd.DataFrame):
    """The runs of a bench, one row each, with the columns of ``results.csv``, and what they say together.

    It is used like any DataFrame; what is selected from it is a plain one. Means over seeds, intervals and plots are
    those of ``report.html``, about the runs of this bench alone.

    Args:
        runs: One row per run, as in ``results.csv``.
        folder: Where the runs are stored.

    Attributes:
        folder: Where records, weights and sheets are: ``zoo.load(result.folder, "vae", 0)`` gives a trained model.
            Without ``out`` they are kept as long as this object.
    """

    _metadata = ["folder", "_run_ids"]  # noqa: RUF012

    def __init__(self, runs: pd.DataFrame, folder: Path) -> None:
        first = [name for name in FIRST if name in runs]
        columns = [*first, *(name for name in runs if name not in (*FIRST, LAST)), LAST]
        super().__init__(runs[columns])  # type: ignore[call-arg]
        self.folder = folder
        self._run_ids = frozenset(runs[LAST])

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __reduce__(self) -> tuple[type[pd.DataFrame], tuple[pd.DataFrame]]:
        return pd.DataFrame, (pd.DataFrame(self),)  # another process may not have the folder

    @cached_property
    def _stored(self) -> Results:
        from zoo_bench.report.read.results import load

        results = load([self.folder])
        results.frame = results.frame[results.frame[LAST].isin(self._run_ids)]
        return results

    @cached_property
    def _summaries(self) -> list[Summary]:
        from zoo_bench.report.read.groups import groups
        from zoo_bench.report.read.summary import summarise

        return [summarise(group, self._stored.controls) for group in groups(self._stored.frame)]

    def _summary_of(self, task: str) -> Summary:
        """Return the summary of a task's runs, or the first of all."""
        by_task = {summary.group.key["task"]: summary for summary in reversed(self._summaries)}
        if task and task not in by_task:
            raise UnknownNameError("task of this bench", task, by_task)
        return by_task[task] if task else self._summaries[0]

    def summary(self) -> pd.DataFrame:
        """Return one row per task and model, best first by the leading metric, which is FID where there is one.

        Returns:
            ``task``, what else tells groups of a task apart, ``model``, ``runs``, ``ok`` (those that finished); of
            every headline metric the mean under its own name, geometric for FID and speeds, with the ends of its 95 %
            interval as ``fid_low`` and ``fid_high``; ``standing`` by the leading metric: "best", "tied" if the runs
            cannot tell the model from the best, "" if they can, and where nothing is claimed of the model "marked" if
            its figures are not to be trusted, "failed" if runs of it failed, "outside" if it was made elsewhere.
        """
        keys = _telling_apart(self._summaries)
        rows = []
        for summary in self._summaries:
            for model in summary.models:
                row: dict[str, Any] = {key: summary.group.key[key] for key in keys}
                row |= {"model": model.label, "runs": model.runs, "ok": model.ok}
                for metric in (metric for metric in summary.metrics if metric.headline):
                    estimate, name = model.estimates[metric.name], metric.name
                    row |= {name: estimate.mean, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
                rows.append({**row, "standing": summary.standing(model, summary.leading)})
        frame = pd.DataFrame(rows)
        return frame[[*(name for name in frame if name != "standing"), "standing"]]

    @property
    def verdict(self) -> str:
        """Which model is best by the leading metric, and what the runs do not support; a line per group of runs."""
        from zoo_bench.report.text import visible

        several = len(self._summaries) > 1
        lines = [f"{s.group.key['task']}: {s.verdict()}" if several else s.verdict() for s in self._summaries]
        return "\n".join(map(visible, lines))

    def plot(  # type: ignore[override]
        self, name: str, task: str = "", *, against: str = "", metric: str = ""
    ) -> Figure:
        """Return a plot of the report, which notebooks show and ``figure.savefig("curves.pdf")`` writes.

        Args:
            name: "curves" (validation FID along the budget), "pareto" (FID against speed or size), "modes", or
                "samples" (real items beside those of every model).
            task: The task, where the bench has several; "" for the first.
            against: The horizontal axis; "curves": "images", "seconds" or "flops"; "pareto": "sample_images_per_s",
                "train_images_per_s" or "params"; "" for the first.
            metric: The vertical axis of "pareto", a column with a direction; "" for FID.

        Raises:
            UnknownNameError: If there is no such plot, task, axis or metric.
            ZooError: If the runs have nothing to plot.
        """
        from zoo_bench.report.show import kinds
        from zoo_bench.report.show.figures import colours_of

        summary, colours = self._summary_of(task), colours_of(self._summaries)
        return kinds.plot(name, summary, self._stored.curves, colours, against=against, metric=metric)

    def sheet(self, model: str, seed: int | None = None, task: str = "") -> Image:
        """Return the sheet of samples that a run stored.

        Args:
            model: The model, named as in :meth:`summary`.
            seed: Training seed; None for the lowest.
            task: The task, where the bench has several; "" for the first.

        Raises:
            UnknownNameError: If there is no such model or task.
            ZooError: If there is no run of this seed, or no sheet of it.
        """
        from PIL import Image

        runs = self._summary_of(task).group.runs
        if model not in set(runs["_label"]):
            raise UnknownNameError("model of this bench", str(model), set(runs["_label"]))
        runs = runs[runs["_label"] == model].sort_values("seed")
        seeds = [int(number) for number in runs["seed"]]
        if seed is not None and seed not in seeds:
            raise ZooError(f"{model!r} has no run of seed {seed}: known: {', '.join(map(str, seeds))}")
        run = runs.iloc[0 if seed is None else seeds.index(seed)]
        try:
            return Image.open(io.BytesIO(read_regular(Path(run["_file"]).with_suffix(".png"))), formats=["PNG"])
        except (ZooError, OSError) as error:
            reason = f"the run ended with status {run['status']!r} or its file was moved"
            raise ZooError(f"{model!r}, seed {run['seed']}, has no readable sheet of samples: {reason}") from error

    def report(self) -> Path:
        """Return the path of ``report.html``, which has all runs of the folder."""
        return self.folder / "report.html"

    def _repr_html_(self) -> str:
        from zoo_bench.report.show.notebook import table

        try:
            return table(self._summaries)
        except ZooError:  # the folder is gone
            return pd.DataFrame(self)._repr_html_()  # type: ignore[operator]

    def __repr__(self) -> str:
        from rich.console import Console

        from zoo_bench.report.show.terminal import summary_tables

        console = Console(file=io.StringIO(), force_jupyter=False, color_system=None)
        try:
            with console.capture() as capture:
                console.print(*summary_tables(self._summaries, console.width), sep="\n")
        except ZooError:  # the folder is gone
            return repr(pd.DataFrame(self))
        return "\n".join(line.rstrip() for line in capture.get().strip().splitlines())


def _telling_apart(summaries: list[Summary]) -> list[str]:
    """Return the parts of a group's key that tell the groups apart: the task, and what differs within a task."""
    from zoo_bench.report.read.groups import KEYS

    values: dict[tuple[str, str], set[str]] = {}
    for key in (summary.group.key for summary in summaries):
        for name in KEYS:
            values.setdefault((key["task"], name), set()).add(key[name])
    return ["task", *(name for name in KEYS if any(len(v) > 1 for (_, n), v in values.items() if n == name))]

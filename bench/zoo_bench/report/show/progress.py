"""Live progress: a bar per run in terminals, and in notebooks with ipywidgets; elsewhere a line per finished run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from zoo_bench.executors import Event, Finished, Looked, Progressed, Started, Told
from zoo_bench.plan.record import RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.text import plural, visible


class Live:
    """Shows a bench while it runs.

    Args:
        planned: Number of runs in the plan.
        missing: Number of those that are not stored yet.
        folder: Where results are stored; None if they are not kept.
        outdated: Number of stored runs that are scored again.
        quiet: Whether nothing is shown but what :meth:`interrupted` says.
        verbose: Whether a line says when a run starts, and lines where in the code one failed.

    Attributes:
        unscored: Number of stored runs whose scores could not be computed.
    """

    def __init__(
        self,
        planned: int,
        missing: int,
        folder: Path | None,
        outdated: int = 0,
        *,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self.unscored = 0
        self._quiet, self._verbose = quiet, verbose
        self._planned, self._missing, self._outdated, self._folder = planned, missing, outdated, folder
        self._console = _console()
        whole = Column(no_wrap=True)
        name = Column(no_wrap=True, overflow="ellipsis", max_width=self._console.width // 2)
        rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)  # of the width: what else there is to say is cut
        self._bars = Progress(
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(bar_width=16, table_column=whole),
            TextColumn("{task.percentage:3.0f}%", table_column=whole),
            TimeRemainingColumn(compact=True, table_column=whole),
            TextColumn("{task.fields[detail]}", style="dim", markup=False, table_column=rest),
            console=self._console,
            disable=quiet or not (self._console.is_terminal or self._console.is_jupyter),
            expand=True,
        )
        self._total = self._bars.add_task("all runs", total=missing + outdated, detail="")
        self._running: dict[RunSpec, TaskID] = {}
        self._done = self._rescored = 0

    def __enter__(self) -> Self:
        """Start drawing."""
        stored = self._planned - self._missing
        already = f", {stored} stored already" if stored else ""
        scored = f", {self._outdated} of them to score" if self._outdated else ""
        into = f", into {self._folder}" if self._folder else ""
        self._tell(f"{plural(self._missing, 'run')} to do{already}{scored}{into}")
        self._bars.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._bars.stop()

    def on_event(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Started):
            self._running[event.spec] = self._bars.add_task(str(event.spec), total=1.0, detail="starting")
            if self._verbose:
                self._tell(f"{event.spec}: started")
        elif isinstance(event, Progressed):
            share = event.progress.share
            losses = "  ".join(f"{name} {loss:.3g}" for name, loss in event.progress.losses.items())
            detail = f"{event.progress.images_per_s:,.0f} images/s  {losses}" if share < 1 else "scoring"
            self._bars.update(self._running[event.spec], completed=share, detail=detail)
        elif isinstance(event, Finished):
            if event.spec in self._running:  # a run whose worker was lost may never have begun
                self._bars.remove_task(self._running.pop(event.spec))
            self._done += 1
            record = event.outcome.record
            self._tell(f"[{self._done}/{self._missing}] {event.spec}: {_sentence(record)}")
            for line in record.traceback.splitlines() if self._verbose else ():
                self._tell(f"  {line}")
        elif isinstance(event, Looked):
            self._planned += event.planned
            self._missing += event.missing
            self._outdated += event.outdated
            self._bars.update(self._total, total=self._missing + self._outdated)
            for sentence in event.sentences:
                self._tell(sentence)
        elif isinstance(event, Told):
            self._tell(event.sentence)
        else:
            self._rescored += 1
            self.unscored += event.record.status != "ok"
            self._tell(event.sentence())
        ended = self._done + self._rescored
        under_way = sum(task.completed for task in self._bars.tasks[1:])
        detail = "then controls and the report" if ended == self._missing + self._outdated else ""
        self._bars.update(self._total, completed=ended + under_way, detail=detail)

    def interrupted(self) -> None:
        """Print that the bench was interrupted and how to go on."""
        left = self._missing - self._done
        stored = self._planned - left
        self._print(f"interrupted: {plural(stored, 'run')} stored, {left} missing; the same command goes on")

    def _tell(self, text: str) -> None:
        if not self._quiet:
            self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(visible(text), markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    """Return where progress is shown: on stderr, or in the cell of a notebook that can show bars."""
    console = Console(stderr=True)
    if console.is_jupyter and not find_spec("ipywidgets"):
        # Jupyter sets FORCE_COLOR, but bars drawn with control characters would be one below the other.
        return Console(stderr=True, force_jupyter=False, force_terminal=False)
    return console


def _sentence(record: RunRecord) -> str:
    if record.status != "ok":
        return f"{record.status}: {record.error}"
    parts = [f"ok, {record.train_seconds:.1f} s"]
    if (fid := record.metrics.get("fid")) is not None:
        parts.append(f"FID {fid:.3g}")
    if (modes := record.metrics.get("modes_captured")) is not None:
        parts.append(f"modes {modes:.0f}/{record.metrics['modes_total']:.0f}")
    parts += [f"{name}: {message}" for name, message in record.metric_errors.items()]
    return ", ".join(parts)

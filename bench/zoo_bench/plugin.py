"""What the harness plugs into ``zoo``, through the same hooks as a third party. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator

import zoo
from zoo_bench.data.catalogue import TASKS
from zoo_bench.plan.columns import HARNESS
from zoo_bench.score.metrics.specs import METRICS


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    """Provide the harness's commands."""
    yield zoo.CommandSpec(
        name="bench", target="zoo_bench.cli.bench:bench", summary="Train models under one budget and compare them."
    )
    yield zoo.CommandSpec(
        name="sample", target="zoo_bench.cli.sample:sample", summary="Draw samples from a finished run's weights."
    )
    yield zoo.CommandSpec(
        name="score",
        target="zoo_bench.cli.score:score",
        summary="Score stored runs again, or samples made elsewhere.",
    )
    yield zoo.CommandSpec(
        name="report", target="zoo_bench.cli.report:report", summary="Show what benches found, in any format."
    )
    yield zoo.CommandSpec(
        name="plot", target="zoo_bench.cli.plot:plot", summary="Draw a figure for a paper: PDF, SVG or PNG."
    )
    yield zoo.CommandSpec(
        name="status", target="zoo_bench.cli.status:status", summary="Say what runs in a folder, and what is done."
    )
    yield zoo.CommandSpec(
        name="compare",
        target="zoo_bench.cli.compare:compare",
        summary="Say by how much two benches or models differ.",
    )
    yield zoo.CommandSpec(
        name="tune", target="zoo_bench.cli.tune:tune", summary="Search settings with equal effort for every model."
    )
    yield zoo.CommandSpec(
        name="variance",
        target="zoo_bench.cli.variance:variance",
        summary="Say where the spread over runs comes from.",
    )
    yield zoo.CommandSpec(name="data", target="zoo_bench.cli.data:data", summary="Fetch or verify the files of a task.")
    yield zoo.CommandSpec(
        name="task", target="zoo_bench.cli.task:task", summary="Describe a task's data and judge; show a sheet."
    )


@zoo.hookimpl
def zoo_executors() -> Iterator[zoo.ExecutorSpec]:
    """Provide the executors."""
    yield zoo.ExecutorSpec(
        name="local", target="zoo_bench.executors.local:run", summary="A fresh process per run on this machine."
    )
    yield zoo.ExecutorSpec(
        name="ray", target="zoo_bench.executors.ray:run", summary="The same on every node of a Ray cluster."
    )


@zoo.hookimpl
def zoo_trackers() -> Iterator[zoo.TrackerSpec]:
    """Provide the trackers; each needs the extra of its name."""
    yield zoo.TrackerSpec(
        name="tensorboard", target="zoo_bench.track.tensorboard:TensorBoard", summary="Event files for TensorBoard."
    )
    yield zoo.TrackerSpec(name="mlflow", target="zoo_bench.track.mlflow:MLflow", summary="Runs in MLflow.")


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    """Provide the tasks."""
    yield from TASKS


@zoo.hookimpl
def zoo_columns() -> Iterator[zoo.Column]:
    """Describe the columns that the harness fills."""
    yield from HARNESS


@zoo.hookimpl
def zoo_metrics() -> Iterator[zoo.MetricSpec]:
    """Provide the metrics."""
    yield from METRICS

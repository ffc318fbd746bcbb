"""What the harness plugs into ``zoo``, through the same hooks as a third party. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator

import zoo
from zoo_bench.data.catalogue import TASKS
from zoo_bench.plan.columns import HARNESS
from zoo_bench.score.metrics.specs import METRICS

COMMANDS = {
    "Train": {
        "bench": "Train models under one budget and compare them.",
        "status": "Say what runs in a folder, and what is done.",
        "tune": "Search settings with equal effort for every model.",
        "variance": "Say where the spread over runs comes from.",
        "augment": "Say whether generated images help where real ones are few.",
    },
    "Results": {
        "report": "Show what benches found, in any format.",
        "plot": "Draw a figure for a paper: PDF, SVG or PNG.",
        "compare": "Say by how much two benches or models differ.",
        "sample": "Draw samples from a finished run's weights.",
        "export": "Hand a trained model on: weights, ONNX, the Hub, a script.",
        "score": "Score stored runs again, or samples made elsewhere.",
    },
    "Look inside": {
        "interpolate": "Go from latent to latent: a sheet or a film.",
        "traverse": "Show what each dimension of the latent does.",
        "reconstruct": "Show test items encoded and decoded again.",
        "neighbours": "Show samples beside the nearest training items.",
    },
    "Models, tasks and metrics": {
        "task": "Describe a task's data and judge; show a sheet.",
        "data": "Fetch or verify the files of a task.",
    },
}
"""Name and summary of every command, by its heading in ``zoo --help``."""


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    """Provide the harness's commands."""
    for group, commands in COMMANDS.items():
        for name, summary in commands.items():
            yield zoo.CommandSpec(name=name, target=f"zoo_bench.cli.{name}:{name}", summary=summary, group=group)


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
    yield zoo.TrackerSpec(name="wandb", target="zoo_bench.track.wandb:WandB", summary="Runs in Weights & Biases.")


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

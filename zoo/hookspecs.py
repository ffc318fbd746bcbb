"""The hooks. A plugin is a module with ``@zoo.hookimpl`` functions, named in the entry-point group ``zoo``.

An implementation may take fewer arguments than the hook offers, so hooks can gain arguments without breaking plugins.

The :data:`RUN_HOOKS` are called during runs, in the process of ``zoo bench``, which waits for them. One that raises is
named in a sentence on stderr; the bench and the other plugins go on. ``tryfirst`` and ``trylast`` order them.
Implementations are called one by one, so that no hook can be wrapped: a plugin with a wrapper is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pluggy

from zoo.columns import Column
from zoo.runs import RunProgress, RunRecord, RunSpec
from zoo.specs import CommandSpec, ExecutorSpec, MetricSpec, ModelSpec, TaskSpec, TrackerSpec

PROJECT = "zoo"
RUN_HOOKS = ("zoo_run_started", "zoo_run_progress", "zoo_run_finished")
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def zoo_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Provide models.

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_models():
            yield zoo.ModelSpec(
                name="my-gan", target="my_package.model:MyGAN", summary="My GAN.", family="gan", data=("images",)
            )
    """


@hookspec
def zoo_tasks() -> Iterable[TaskSpec]:  # type: ignore[empty-body]
    """Provide tasks: data, splits and a judge.

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_tasks():
            yield zoo.TaskSpec(
                name="my-ring", target="my_package.tasks:my_ring", summary="Twelve modes on a ring.",
                data="points", shape=(2,), modes=12, version="1",
            )
    """


@hookspec
def zoo_metrics() -> Iterable[MetricSpec]:  # type: ignore[empty-body]
    """Provide metrics.

    A metric's ``version`` is raised when its values change. ``on_request=True`` keeps it out of ``--metrics all``, and
    ``judge`` names the judge of one that does not use the task's.

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_metrics():
            yield zoo.MetricSpec(
                name="mean-shift", target="my_package.metrics:mean_shift", summary="Distance of feature means.",
                columns=(zoo.Column("mean_shift", "lower", "Euclidean distance of the feature means, 0 to inf"),),
                needs=("features",), version="1",
            )
    """


@hookspec
def zoo_columns() -> Iterable[Column]:  # type: ignore[empty-body]
    """Describe columns that no metric fills, such as a harness's own.

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_columns():
            yield zoo.Column("energy_kwh", "lower", "Energy that the run drew, kWh", range=(0, None), cost=True)
    """


@hookspec
def zoo_executors() -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
    """Provide executors: where runs are run.

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_executors():
            yield zoo.ExecutorSpec(name="my-cluster", target="my_package.cluster:run", summary="Runs on my cluster.")
    """


@hookspec
def zoo_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]
    """Provide subcommands of ``zoo``.

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_commands():
            yield zoo.CommandSpec(name="hello", target="my_package.commands:hello", summary="Say hello.")
    """


@hookspec
def zoo_trackers() -> Iterable[TrackerSpec]:  # type: ignore[empty-body]
    """Provide trackers: what ``zoo bench --track NAME`` reports runs to.

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_trackers():
            yield zoo.TrackerSpec(name="my-tracker", target="my_package.tracker:MyTracker", summary="Reports to mine.")
    """


@hookspec
def zoo_run_started(spec: RunSpec) -> None:
    """React to the start of a run.

    Args:
        spec: What the run is a function of: ``model``, ``task``, ``seed``, ``budget``, ``config`` and more.

    Example::

        import sys

        import zoo

        @zoo.hookimpl
        def zoo_run_started(spec):
            print(f"{spec.model} on {spec.task} has begun with seed {spec.seed}", file=sys.stderr)
    """


@hookspec
def zoo_run_progress(spec: RunSpec, progress: RunProgress) -> None:
    """React to the progress of a run; called a few times a second at most.

    Args:
        spec: As in :func:`zoo_run_started`.
        progress: ``share`` of the budget spent, 0 to 1; ``images`` charged; ``images_per_s``; ``losses``, the last
            loss of each player by name.

    Example::

        import sys

        import zoo

        @zoo.hookimpl
        def zoo_run_progress(spec, progress):
            print(f"{spec.run_id[:8]} {progress.share:.0%} {progress.losses}", file=sys.stderr)
    """


@hookspec
def zoo_run_finished(spec: RunSpec, record: RunRecord, files: Mapping[str, Path]) -> None:
    """React to the end of a run, successful or not, when it is stored.

    Args:
        spec: As in :func:`zoo_run_started`.
        record: The result: ``status``, ``error``, ``metrics``, ``throughput``, ``history``, ``curve`` and more.
        files: The run's files by suffix: ".json", and ".safetensors", ".png" and ".neighbours.png" where there are any.

    Example::

        import sys

        import zoo

        @zoo.hookimpl
        def zoo_run_finished(record, files):
            if record.status != "ok":
                print(f"{files['.json']}: {record.status}, {record.error}", file=sys.stderr)
    """

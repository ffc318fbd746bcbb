"""The hooks. A plugin is a module with ``@zoo.hookimpl`` functions, named in the entry-point group ``zoo``.

An implementation may take fewer arguments than the hook offers, so hooks can gain arguments without breaking plugins.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from zoo.specs import CommandSpec, ExecutorSpec, MetricSpec, ModelSpec, TaskSpec

PROJECT = "zoo"
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

    Example::

        import zoo

        @zoo.hookimpl
        def zoo_metrics():
            yield zoo.MetricSpec(
                name="mean-shift", target="my_package.metrics:mean_shift", summary="Distance of feature means.",
                columns=(zoo.Column("mean_shift", "lower", "Euclidean distance of the feature means, 0 to inf"),),
                needs=("features",),
            )
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

"""The plugin moons: a task. It imports no torch."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    """Provide the task."""
    yield zoo.TaskSpec(
        name="moons",
        target="zoo_plugin_moons.task:moons",
        summary="Two interleaved half circles, noise 0.05: modes that are curves.",
        data="points",
        shape=(2,),
        modes=2,
        version="1",
    )

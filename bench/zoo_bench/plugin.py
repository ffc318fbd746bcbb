"""What the harness plugs into ``zoo``, on the same path as a third party. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator

import zoo

DOWNLOAD = "a download, or files under $ZOO_DATA"


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    """Provide ``zoo bench`` and ``zoo sample``."""
    yield zoo.CommandSpec(
        name="bench", target="zoo_bench.commands:bench", summary="Train models under one budget and compare them."
    )
    yield zoo.CommandSpec(
        name="sample", target="zoo_bench.commands:sample", summary="Draw samples from a finished run's weights."
    )


@zoo.hookimpl
def zoo_executors() -> Iterator[zoo.ExecutorSpec]:
    """Provide the local executor."""
    yield zoo.ExecutorSpec(
        name="local", target="zoo_bench.executors.local:run", summary="A fresh process per run on this machine."
    )


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    """Provide the tasks."""
    yield zoo.TaskSpec(
        name="digits", target="zoo_bench.tasks.digits:digits", summary="UCI digits, 1,797 real images; no network.",
        data="images", shape=(1, 8, 8), modes=10, version="1",
    )  # fmt: skip
    yield zoo.TaskSpec(
        name="ring8", target="zoo_bench.tasks.mixtures:ring8", summary="8 Gaussians on a circle, std 0.01.",
        data="points", shape=(2,), modes=8, version="1",
    )  # fmt: skip
    yield zoo.TaskSpec(
        name="grid25", target="zoo_bench.tasks.mixtures:grid25", summary="25 Gaussians on a grid, std 0.05.",
        data="points", shape=(2,), modes=25, version="1",
    )  # fmt: skip
    yield zoo.TaskSpec(
        name="mnist", target="zoo_bench.tasks.mnist:mnist", summary="70,000 handwritten digits.",
        data="images", shape=(1, 28, 28), modes=10, version="1", needs=DOWNLOAD,
    )  # fmt: skip


MODE_COLUMNS = (
    zoo.Column("modes_captured", "higher", "Known modes that samples reach, a count"),
    zoo.Column("modes_total", "", "Known modes of the task, a count"),
    zoo.Column("mode_kl", "lower", "KL(generated || real) of mode shares, nats, 0 to inf"),
    zoo.Column("mode_tv", "lower", "Total variation of mode shares, 0 to 1"),
)


@zoo.hookimpl
def zoo_metrics() -> Iterator[zoo.MetricSpec]:
    """Provide the metrics."""
    yield zoo.MetricSpec(
        name="fid",
        target="zoo_bench.metrics.fid:fid",
        summary="Fréchet distance of the judge's features to the held-out split.",
        columns=(
            zoo.Column("fid", "lower", "Fréchet distance of standardised judge features, 0 to inf"),
            zoo.Column("fid_floor", "", "Expected FID of real data against real data at these sample sizes"),
        ),
        needs=("features",),
    )
    yield zoo.MetricSpec(
        name="class-modes",
        target="zoo_bench.metrics.modes:classes",
        summary="Classes captured and their shares, as the judge sees them.",
        columns=MODE_COLUMNS,
        needs=("modes",),
    )
    yield zoo.MetricSpec(
        name="mixture-modes",
        target="zoo_bench.metrics.modes:mixture",
        summary="Modes, their shares and sharpness on known mixtures.",
        columns=(
            *MODE_COLUMNS,
            zoo.Column(
                "high_quality", "higher", "Share of samples within 3 std of a centre, 0 to 1; real data: 0.98889"
            ),
            zoo.Column("mode_spread", "", "Std of a captured mode over the true one; 1 is right"),
        ),
        needs=("mixture",),
    )

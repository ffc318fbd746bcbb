"""Metrics of modes, classes or components of a mixture, and the columns that they fill. Imports nothing heavy."""

from __future__ import annotations

from zoo.columns import Column
from zoo.specs import MetricSpec

MODE_COLUMNS = (
    Column(
        "modes_captured",
        "higher",
        "Known modes that samples reach, a count",
        title="modes",
        range=(0, None),
        integer=True,
        total="modes_total",
        headline=True,
        group="modes",
    ),
    Column(
        "modes_total",
        "",
        "Known modes of the task, or classes of its test split, a count",
        integer=True,
        group="companion",
    ),
    Column(
        "mode_kl",
        "lower",
        "KL(generated || real) of mode shares, nats, 0 to inf",
        title="KL",
        range=(0, None),
        headline=True,
        group="modes",
    ),
    Column("mode_tv", "lower", "Total variation of mode shares, 0 to 1", title="mode TV", scale="share", group="modes"),
)

MODE_METRICS = (
    MetricSpec(
        name="class-modes",
        target="zoo_bench.score.metrics.modes:classes",
        summary="Classes captured and their shares, as the judge sees them.",
        columns=MODE_COLUMNS,
        needs=("modes",),
        version="2",
    ),
    MetricSpec(
        name="class-shares",
        target="zoo_bench.score.metrics.class_shares:class_shares",
        summary="Class shares in the other direction, symmetric, and tested.",
        columns=(
            Column(
                "mode_kl_reverse",
                "lower",
                "KL(real || generated) of mode shares, nats; inf if a class is missing",
                title="KL, reverse",
                range=(0, None),
                infinite=True,
                group="modes",
            ),
            Column(
                "mode_js",
                "lower",
                "Jensen-Shannon divergence of mode shares, nats, 0 to 0.693",
                title="mode JS",
                range=(0, None),
                group="modes",
            ),
            Column(
                "mode_chi2_p",
                "",
                "P-value of equal mode shares, chi-square test, 0 to 1",
                title="mode χ² p",
                scale="share",
                group="modes",
            ),
        ),
        needs=("modes",),
        version="1",
    ),
    MetricSpec(
        name="class-corrected",
        target="zoo_bench.score.metrics.corrected:corrected_shares",
        summary="Class shares corrected for the judge's mistakes.",
        columns=(
            Column(
                "mode_kl_corrected",
                "lower",
                "KL(generated || real) of corrected mode shares, nats, 0 to inf",
                title="KL, corrected",
                range=(0, None),
                group="modes",
            ),
            Column(
                "mode_tv_corrected",
                "lower",
                "Total variation of corrected mode shares, 0 to 1",
                title="mode TV, corrected",
                scale="share",
                group="modes",
            ),
        ),
        needs=("modes",),
        version="1",
    ),
    MetricSpec(
        name="junk",
        target="zoo_bench.score.metrics.corrected:junk",
        summary="Samples of no class: the judge is unsure of them, or they are far from real ones.",
        columns=(
            Column(
                "junk",
                "lower",
                "Share of samples unsure or far as 1 % of real items are, 0 to 1; real data: 0.01",
                scale="share",
                group="modes",
            ),
        ),
        needs=("modes",),
        version="1",
    ),
    MetricSpec(
        name="utility",
        target="zoo_bench.score.metrics.utility:utility",
        summary="Accuracy on real images of a classifier trained on generated ones, labelled by the judge.",
        columns=(
            Column(
                "tstr",
                "higher",
                "Accuracy on real test images after training on generated ones, 0 to 1",
                title="TSTR",
                scale="share",
                group="utility",
            ),
            Column(
                "trtr",
                "",
                "The same after training on as many real ones, 0 to 1",
                title="TRTR",
                scale="share",
                group="utility",
            ),
            Column(
                "augmentation",
                "",
                "What generated images add to trtr beside real ones, -1 to 1; above 0 they help",
                group="utility",
            ),
        ),
        needs=("images", "modes"),
        version="1",
    ),
    MetricSpec(
        name="mixture-modes",
        target="zoo_bench.score.metrics.modes:mixture",
        summary="Modes, their shares and sharpness on known mixtures.",
        columns=(
            *MODE_COLUMNS,
            Column(
                "high_quality",
                "higher",
                "Share of samples within 3 std of a centre, 0 to 1; real data: 0.98889",
                title="HQ",
                scale="share",
                headline=True,
                group="modes",
            ),
            Column(
                "mode_spread",
                "",
                "Std of a captured mode over the true one, 0 to inf; 1 is right",
                title="mode spread",
                range=(0, None),
                group="modes",
            ),
        ),
        needs=("mixture",),
        version="2",
    ),
)

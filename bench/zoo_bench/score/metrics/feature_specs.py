"""Metrics of the judge's features, and the columns that they fill. Imports nothing heavy."""

from __future__ import annotations

from zoo.columns import Column
from zoo.specs import MetricSpec

FEATURE_METRICS = (
    MetricSpec(
        name="fid",
        target="zoo_bench.score.metrics.fid:fid",
        summary="Fréchet distance of the judge's features to the held-out split.",
        columns=(
            Column(
                "fid",
                "lower",
                "Fréchet distance of standardised judge features, 0 to inf",
                title="FID",
                scale="log",
                floor="fid_floor",
                headline=True,
                group="overall",
            ),
            Column("fid_floor", "", "Expected FID of as many fresh real items", group="companion"),
            Column("fid_floor_sd", "", "Standard deviation of the FID of such items about it", group="companion"),
        ),
        needs=("features",),
        version="2",
    ),
    MetricSpec(
        name="fid-inf",
        target="zoo_bench.score.metrics.fid:fid_inf",
        summary="FID extrapolated to infinitely many samples.",
        columns=(
            Column(
                "fid_inf",
                "lower",
                "FID without its sample-size bias, any sign; real data: about 0; empty below 3 items per feature",
                title="FID∞",
                group="overall",
            ),
        ),
        needs=("features",),
        version="2",
    ),
    MetricSpec(
        name="fid-train",
        target="zoo_bench.score.metrics.fid:fid_train",
        summary="FID to the training split; clearly below FID for a model that memorises.",
        columns=(
            Column(
                "fid_train",
                "",
                "FID to as many training items as are held out, 0 to inf",
                title="FID to train",
                group="memorisation",
            ),
        ),
        needs=("features",),
        version="1",
    ),
    MetricSpec(
        name="kid",
        target="zoo_bench.score.metrics.kid:kid",
        summary="Unbiased kernel distance to the held-out split, over all pairs.",
        columns=(
            Column(
                "kid",
                "lower",
                "Squared MMD of standardised features, cubic kernel, any sign; real data: about 0",
                title="KID",
                group="overall",
            ),
            Column("kid_se", "", "Standard error of kid", group="companion"),
        ),
        needs=("features",),
        version="1",
    ),
    MetricSpec(
        name="mind",
        target="zoo_bench.score.metrics.mind:mind",
        summary="Sliced Wasserstein distance to the held-out split.",
        columns=(
            Column(
                "mind",
                "lower",
                "Mean squared difference of sorted projections, times 3 F, 0 to inf; real data: above 0, as 1/n",
                title="MIND",
                range=(0, None),
                group="overall",
            ),
        ),
        needs=("features",),
        version="2",
    ),
    MetricSpec(
        name="neighbours",
        target="zoo_bench.score.metrics.neighbours:neighbours",
        summary="Fidelity and coverage by nearest-neighbour balls.",
        columns=(
            Column(
                "precision",
                "higher",
                "Share of samples within the real manifold, 0 to 1; real data: below 1",
                scale="share",
                group="fidelity",
            ),
            Column(
                "recall",
                "higher",
                "Share of real items within the generated manifold, 0 to 1; real data: below 1",
                scale="share",
                group="diversity",
            ),
            Column(
                "density",
                "higher",
                "Real balls that hold a sample, over 5, 0 to N / 5; real data: about 1",
                range=(0, None),
                group="fidelity",
            ),
            Column(
                "coverage",
                "higher",
                "Share of real balls that hold a sample, 0 to 1; real data: 0.97",
                scale="share",
                group="diversity",
            ),
            Column(
                "clipped_density",
                "higher",
                "Share of good samples by fidelity, 0 to 1; real data: about 1, of few items 0.9",
                scale="share",
                group="fidelity",
            ),
            Column(
                "clipped_coverage",
                "higher",
                "Share of good samples by coverage, 0 to 1; real data: about 1, of few items 0.9",
                scale="share",
                group="diversity",
            ),
        ),
        needs=("images", "features"),
        version="1",
    ),
    MetricSpec(
        name="vendi",
        target="zoo_bench.score.metrics.vendi:vendi",
        summary="Effective number of different samples, over that of real items.",
        columns=(
            Column(
                "vendi",
                "",
                "Vendi score over that of real items, above 0; 1 is as diverse as real data",
                title="Vendi",
                range=(0, None),
                group="diversity",
            ),
        ),
        needs=("features",),
        version="1",
    ),
    MetricSpec(
        name="support",
        target="zoo_bench.score.metrics.support:support",
        summary="Number of different samples, by how often they repeat.",
        columns=(
            Column(
                "support",
                "higher",
                "Birthday estimate of different samples, 1 to inf; empty unless they repeat more than real items",
                range=(0, None),
                group="diversity",
            ),
            Column("support_low", "", "Its lower bound at 97.5 %, 0 to inf", group="companion"),
        ),
        needs=("images", "features"),
        version="2",
    ),
    MetricSpec(
        name="ndb",
        target="zoo_bench.score.metrics.ndb:ndb",
        summary="Bins of feature space that are filled too much or too little.",
        columns=(
            Column(
                "ndb",
                "lower",
                "Share of k-means bins whose shares differ at 5 %, 0 to 1; real data: about 0.05",
                title="NDB",
                scale="share",
                group="overall",
            ),
            Column(
                "ndb_js",
                "lower",
                "Jensen-Shannon divergence of the bins' shares, nats, 0 to 0.693",
                title="NDB JS",
                range=(0, None),
                group="overall",
            ),
        ),
        needs=("features",),
        version="1",
    ),
    MetricSpec(
        name="authentic",
        target="zoo_bench.score.metrics.memorisation:authentic",
        summary="Share of samples that are no near copies of training items.",
        columns=(
            Column(
                "authentic",
                "higher",
                "Share of samples that are no near copies, 0 to 1; real images: 0.5 to 0.8, points of a plane: 0.38",
                scale="share",
                group="memorisation",
            ),
        ),
        needs=("features",),
        version="1",
    ),
    MetricSpec(
        name="copies",
        target="zoo_bench.score.metrics.copies:copies",
        summary="Share of images that are training images up to noise, a shift by a pixel or mirroring.",
        columns=(
            Column(
                "copies",
                "lower",
                "Share of images at most half as far from one training image as from others, 0 to 1; real data: 0",
                scale="share",
                floor="copies_real",
                group="memorisation",
            ),
            Column("copies_real", "", "Share of held-out images for which that holds, 0 to 1", group="companion"),
            Column("copies_se", "", "Standard error of the difference of the two, above 0", group="companion"),
        ),
        needs=("images",),
        version="1",
    ),
    MetricSpec(
        name="data-copying",
        target="zoo_bench.score.metrics.memorisation:data_copying",
        summary="Whether samples are nearer to training items than held-out items are.",
        columns=(
            Column(
                "ct",
                "",
                "C_T, mean z-score per cell; real data: about 0, copies: below -3",
                title="C_T",
                group="memorisation",
            ),
        ),
        needs=("images", "features"),
        version="1",
    ),
)

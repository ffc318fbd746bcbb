"""Every metric of the harness and the columns it fills. Imports nothing heavy."""

from __future__ import annotations

from zoo.specs import Column, MetricSpec

MODE_COLUMNS = (
    Column("modes_captured", "higher", "Known modes that samples reach, a count"),
    Column("modes_total", "", "Known modes of the task, a count"),
    Column("mode_kl", "lower", "KL(generated || real) of mode shares, nats, 0 to inf"),
    Column("mode_tv", "lower", "Total variation of mode shares, 0 to 1"),
)

METRICS = (
    MetricSpec(
        name="fid",
        target="zoo_bench.score.metrics.fid:fid",
        summary="Fréchet distance of the judge's features to the held-out split.",
        columns=(
            Column("fid", "lower", "Fréchet distance of standardised judge features, 0 to inf"),
            Column("fid_floor", "", "Expected FID of real data against real data at these sample sizes"),
            Column("fid_best", "lower", "FID of the checkpoint that was best on the validation split, 0 to inf"),
            Column("fid_auc", "lower", "Mean validation FID over the logarithm of the budget from 1/32 on, 0 to inf"),
            Column("images_to_target", "lower", "Images until validation FID is 5 times its floor; empty if never"),
            Column("seconds_to_target", "lower", "Training seconds until then; empty if never"),
        ),
        needs=("features",),
    ),
    MetricSpec(
        name="fid-inf",
        target="zoo_bench.score.metrics.fid:fid_inf",
        summary="FID extrapolated to infinitely many samples.",
        columns=(Column("fid_inf", "lower", "FID without its sample-size bias, any sign; real data: about 0"),),
        needs=("features",),
    ),
    MetricSpec(
        name="fid-train",
        target="zoo_bench.score.metrics.fid:fid_train",
        summary="FID to the training split; clearly below FID for a model that memorises.",
        columns=(Column("fid_train", "", "FID to as many training items as are held out, 0 to inf"),),
        needs=("features",),
    ),
    MetricSpec(
        name="kid",
        target="zoo_bench.score.metrics.kid:kid",
        summary="Unbiased kernel distance to the held-out split, over all pairs.",
        columns=(
            Column("kid", "lower", "Squared MMD of standardised features, cubic kernel, any sign; real data: about 0"),
            Column("kid_se", "", "Standard error of kid"),
        ),
        needs=("features",),
    ),
    MetricSpec(
        name="mind",
        target="zoo_bench.score.metrics.mind:mind",
        summary="Sliced Wasserstein distance to the held-out split.",
        columns=(Column("mind", "lower", "Mean squared difference of sorted projections, times 3 F, 0 to inf"),),
        needs=("features",),
    ),
    MetricSpec(
        name="neighbours",
        target="zoo_bench.score.metrics.neighbours:neighbours",
        summary="Fidelity and coverage by nearest-neighbour balls.",
        columns=(
            Column("precision", "higher", "Share of samples within the real manifold, 0 to 1; real data: below 1"),
            Column("recall", "higher", "Share of real items within the generated manifold, 0 to 1; real data: below 1"),
            Column("density", "higher", "Real balls that hold a sample, over 5, 0 to N / 5; real data: about 1"),
            Column("coverage", "higher", "Share of real balls that hold a sample, 0 to 1; real data: 0.97"),
            Column("clipped_density", "higher", "Share of good samples by fidelity, 0 to 1; real data: about 1"),
            Column("clipped_coverage", "higher", "Share of good samples by coverage, 0 to 1; real data: about 1"),
        ),
        needs=("images", "features"),
    ),
    MetricSpec(
        name="vendi",
        target="zoo_bench.score.metrics.vendi:vendi",
        summary="Effective number of different samples, over that of real items.",
        columns=(Column("vendi", "", "Vendi score over that of real items, above 0; 1 is as diverse as real data"),),
        needs=("features",),
    ),
    MetricSpec(
        name="class-modes",
        target="zoo_bench.score.metrics.modes:classes",
        summary="Classes captured and their shares, as the judge sees them.",
        columns=MODE_COLUMNS,
        needs=("modes",),
    ),
    MetricSpec(
        name="class-shares",
        target="zoo_bench.score.metrics.class_shares:class_shares",
        summary="Class shares in the other direction, symmetric, and tested.",
        columns=(
            Column("mode_kl_reverse", "lower", "KL(real || generated) of mode shares, nats; inf if a class is missing"),
            Column("mode_js", "lower", "Jensen-Shannon divergence of mode shares, nats, 0 to 0.693"),
            Column("mode_chi2_p", "", "P-value of equal mode shares, chi-square test, 0 to 1"),
        ),
        needs=("modes",),
    ),
    MetricSpec(
        name="class-corrected",
        target="zoo_bench.score.metrics.corrected:corrected_shares",
        summary="Class shares corrected for the judge's mistakes.",
        columns=(
            Column("mode_kl_corrected", "lower", "KL(generated || real) of corrected mode shares, nats, 0 to inf"),
            Column("mode_tv_corrected", "lower", "Total variation of corrected mode shares, 0 to 1"),
        ),
        needs=("modes",),
    ),
    MetricSpec(
        name="junk",
        target="zoo_bench.score.metrics.corrected:junk",
        summary="Samples of no class: the judge is unsure of them, or they are far from real ones.",
        columns=(
            Column("junk", "lower", "Share of samples unsure or far as 1 % of real items are, 0 to 1; real data: 0.01"),
        ),
        needs=("modes",),
    ),
    MetricSpec(
        name="utility",
        target="zoo_bench.score.metrics.utility:utility",
        summary="Accuracy on real images of a classifier trained on generated ones, labelled by the judge.",
        columns=(
            Column("tstr", "higher", "Accuracy on real test images after training on generated ones, 0 to 1"),
            Column("trtr", "", "The same after training on as many real ones, 0 to 1"),
            Column(
                "augmentation", "", "What generated images add to trtr beside real ones, -1 to 1; above 0 they help"
            ),
        ),
        needs=("images", "modes"),
    ),
    MetricSpec(
        name="support",
        target="zoo_bench.score.metrics.support:support",
        summary="Number of different samples, by how often they repeat.",
        columns=(
            Column("support", "higher", "Birthday estimate of different samples, 1 to inf; empty without repetition"),
            Column("support_low", "", "Its lower bound at 97.5 %, 0 to inf"),
        ),
        needs=("images", "features"),
    ),
    MetricSpec(
        name="mixture-modes",
        target="zoo_bench.score.metrics.modes:mixture",
        summary="Modes, their shares and sharpness on known mixtures.",
        columns=(
            *MODE_COLUMNS,
            Column("high_quality", "higher", "Share of samples within 3 std of a centre, 0 to 1; real data: 0.98889"),
            Column("mode_spread", "", "Std of a captured mode over the true one; 1 is right"),
        ),
        needs=("mixture",),
    ),
    MetricSpec(
        name="ndb",
        target="zoo_bench.score.metrics.ndb:ndb",
        summary="Bins of feature space that are filled too much or too little.",
        columns=(
            Column("ndb", "lower", "Share of k-means bins whose shares differ at 5 %, 0 to 1; real data: about 0.05"),
            Column("ndb_js", "lower", "Jensen-Shannon divergence of the bins' shares, nats, 0 to 0.693"),
        ),
        needs=("features",),
    ),
    MetricSpec(
        name="authentic",
        target="zoo_bench.score.metrics.memorisation:authentic",
        summary="Share of samples that are no near copies of training items.",
        columns=(
            Column("authentic", "higher", "Share of samples that are no near copies, 0 to 1; real data: 0.5 to 0.8"),
        ),
        needs=("images", "features"),
    ),
    MetricSpec(
        name="data-copying",
        target="zoo_bench.score.metrics.memorisation:data_copying",
        summary="Whether samples are nearer to training items than held-out items are.",
        columns=(Column("ct", "", "C_T, mean z-score per cell; real data: about 0, copies: below -3"),),
        needs=("images", "features"),
    ),
)

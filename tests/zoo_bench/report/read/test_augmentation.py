"""What is said of generated images beside few real ones, against figures whose gain is known."""

import math

import numpy as np
import pytest
from scipy import stats

from zoo_bench.report.read.augmentation import Measured, gains, sentences

TRUTH = {0.01: 0.05, 0.05: 0.02, 0.2: 0.0, 1.0: -0.03}
"""Gain by fraction."""


def measured(truth=TRUTH, seeds=5, noise=0.003, model="vae"):
    """Draw runs whose accuracy on real images varies far more between draws than the gain does."""
    generator = np.random.default_rng(1)
    found = []
    for fraction, gain in truth.items():
        for seed in range(seeds):
            real = 0.8 + generator.normal(0, 0.03)
            found.append(Measured(model, fraction, seed, real, 0.7, real + gain + generator.normal(0, noise)))
    return found


def test_the_gain_is_the_mean_of_paired_differences_and_p_is_holms_over_all():
    runs = measured() + measured({0.01: 0.01}, model="dcgan")
    found = gains(runs)
    assert [(one.model, one.fraction) for one in found] == [("dcgan", 0.01), *(("vae", f) for f in TRUTH)]
    p_values = {}
    for one in found:
        own = [run for run in runs if (run.model, run.fraction) == (one.model, one.fraction)]
        differences = [run.both - run.real for run in own]
        assert one.gain.mean == pytest.approx(np.mean(differences))
        assert one.real.mean == pytest.approx(np.mean([run.real for run in own]))
        p_values[one.model, one.fraction] = stats.ttest_1samp(differences, 0).pvalue
    order = sorted(p_values.values())
    smallest = min(found, key=lambda one: one.p)
    assert smallest.p == pytest.approx(5 * order[0], rel=1e-5)


def test_a_gain_is_seen_although_draws_of_real_images_differ_more():
    assert [one.verdict for one in gains(measured())] == ["help", "help", "", "harm"]


def test_the_sentence_says_from_where_on_they_do_not_help():
    [sentence] = sentences(gains(measured()))
    assert sentence.startswith("vae: generated images help at 0.01 (+")
    assert "; generated images harm at 1 (-" in sentence
    assert sentence.endswith("; 5 seeds show no difference at 0.2. From 0.2 on they are not shown to help.")


def test_what_helps_everywhere_has_no_place_from_where_on_it_does_not():
    [sentence] = sentences(gains(measured({0.01: 0.05, 0.05: 0.05})))
    assert "From" not in sentence


def test_one_seed_supports_no_claim():
    found = gains(measured(seeds=1))
    assert [one.verdict for one in found] == [""] * 4
    assert all(math.isnan(one.p) for one in found)
    assert list(sentences(found)) == ["vae: one seed supports no claim; use --seeds 5."]


def test_no_gain_is_claimed_of_more_than_one_study_in_twenty():
    generator = np.random.default_rng(0)
    claimed, studies = 0, 300
    for _ in range(studies):
        runs = [
            Measured("vae", fraction, seed, 0.8, 0.7, 0.8 + generator.normal(0, 0.01))
            for fraction in TRUTH
            for seed in range(4)
        ]
        claimed += any(one.verdict for one in gains(runs))
    assert stats.binomtest(claimed, studies, 0.05, alternative="greater").pvalue > 0.01
    assert claimed, "of 300 studies without a gain some claim one"

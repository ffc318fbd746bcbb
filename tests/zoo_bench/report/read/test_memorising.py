import dataclasses
import math

import pandas as pd
import pytest
import torch

from zoo.evaluation import Evaluation
from zoo.task import Split
from zoo_bench.report.read.memorising import memorising
from zoo_bench.score.metrics.copies import binomial_variance, copies

TYPICAL = {"copies_real": 0.01, "authentic": 0.7}


def runs_with(n=500, **columns):
    """Rows of runs with shares among ``n`` generated and as many held-out images."""
    runs = pd.DataFrame(TYPICAL | columns, index=range(3))
    if "copies" in runs:
        share = min(1.0, float(runs["copies"].mean()))
        runs["copies_se"] = math.sqrt(binomial_variance(share, n) + binomial_variance(0.01, n))
    return runs


def test_a_copier_of_images_is_named_with_both_shares():
    assert memorising(runs_with(copies=[0.9, 0.91, 0.92])) == (
        "91 % of its samples are training items up to noise, a shift or a mirror image (held-out data: 1 %)"
    )


def test_a_copier_of_points_is_named_with_both_shares():
    assert memorising(runs_with(authentic=0.02, mode_spread=1.0), {"authentic": 0.39}) == (
        "98 % of its samples are nearer to a training item than that is to any other (held-out data: 61 %)"
    )


@pytest.mark.parametrize("copies", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("n", [8, 40, 500])
def test_a_few_copies_are_no_mark(copies, n):
    assert memorising(runs_with(n, copies=copies)) == ""


@pytest.mark.parametrize(("n", "least"), [(40, 0.35), (500, 0.15)])
def test_the_fewer_items_the_more_copies_it_takes(n, least):
    assert memorising(runs_with(n, copies=least)) == ""
    assert memorising(runs_with(n, copies=least + 0.1))


@pytest.mark.parametrize("seed", range(5))
def test_in_a_task_of_few_items_copiers_are_named_and_held_out_items_are_not(digits_task, seed):
    drawn = digits_task.train.data[torch.randperm(1000, generator=torch.Generator().manual_seed(seed))]
    training, test, unseen = drawn[:28], drawn[28:34], drawn[34:74]
    task = dataclasses.replace(digits_task, train=Split(training, None), test=Split(test, None))
    honest, copier = (pd.DataFrame([copies(Evaluation(task, items))]) for items in (unseen, training.flip(3)))
    assert memorising(honest) == ""
    assert memorising(copier).startswith("100 % of its samples")


def test_one_run_of_three_is_enough():
    assert memorising(runs_with(copies=[0.0, 0.0, 0.9]))


def test_near_duplicates_of_the_data_are_not_held_against_a_model():
    assert memorising(runs_with(copies=0.5, copies_real=0.45)) == ""
    assert memorising(runs_with(copies=0.5), {"copies": 0.45}) == ""


def test_authenticity_of_images_is_no_mark_because_copies_says_it_better():
    assert memorising(runs_with(copies=0.0, authentic=0.0)) == ""
    assert memorising(runs_with(authentic=0.0)) == ""


def test_points_that_have_collapsed_are_no_copies():
    assert memorising(runs_with(authentic=0.0, mode_spread=0.01)) == ""


@pytest.mark.parametrize("authentic", [0.2, 0.38, 0.9])
def test_honest_points_carry_no_mark(authentic):
    assert memorising(runs_with(authentic=authentic, mode_spread=1.0)) == ""


@pytest.mark.parametrize("columns", [{}, {"copies": math.nan}, {"copies": math.inf}, {"authentic": math.nan}])
def test_missing_figures_speak_against_nobody(columns):
    assert memorising(runs_with(**columns)) == ""
    assert memorising(pd.DataFrame()) == ""

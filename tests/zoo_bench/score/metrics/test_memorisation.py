import math

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu, norm
from sklearn.neighbors import NearestNeighbors

from zoo.errors import ZooError
from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.memorisation import authentic, data_copying, rank_sum_z


def by_scikit_learn(training, generated):
    search = NearestNeighbors(n_neighbors=2, algorithm="kd_tree").fit(training.numpy())
    gaps = search.kneighbors(training.numpy())[0][:, 1]
    distance, index = search.kneighbors(generated.numpy(), n_neighbors=1)
    return (distance[:, 0] > gaps[index[:, 0]]).mean()


@pytest.mark.parametrize("noise", [0.02, 0.3, 2.0])
def test_authenticity_is_that_of_scikit_learns_neighbours(draw, evaluate, noise):
    training, real = draw(0, 600), draw(1, 300)
    generated = training[:500] + noise * draw(2, 500)
    evaluation = evaluate(training, real, generated)
    expected = by_scikit_learn(evaluation.features_train, evaluation.features_generated)
    assert authentic(evaluation) == {"authentic": pytest.approx(expected, abs=1e-12)}


def test_copies_are_not_authentic_and_the_rest_is(draw, evaluate):
    training, real = draw(0, 600), draw(1, 300)
    assert authentic(evaluate(training, real, training[100:400])) == {"authentic": 0.0}
    assert authentic(evaluate(training, real, draw(2, 300, shift=30.0))) == {"authentic": 1.0}
    assert authentic(evaluate(training, real, draw(2, 600)))["authentic"] == pytest.approx(0.5, abs=0.1)


def test_copies_of_duplicates_are_not_authentic(draw, evaluate):
    training = draw(0, 300).repeat(2, 1)
    assert authentic(evaluate(training, draw(1, 300), training[:200])) == {"authentic": 0.0}


def test_points_are_compared_by_their_coordinates(grid25_task):
    training = grid25_task.train.data
    assert authentic(Evaluation(grid25_task, training[:1000])) == {"authentic": 0.0}
    assert authentic(Evaluation(grid25_task, training[:1000] + 1e-5))["authentic"] < 0.05
    assert authentic(Evaluation(grid25_task, torch.ones(50, 2)))["authentic"] == 1.0


@pytest.mark.parametrize("task", ["ring8_task", "grid25_task"])
def test_held_out_points_score_what_two_discs_say(request, task):
    """With no training point within r of a point, its neighbour at r has one within r in the rest of its own disc."""
    rest = 1 / 3 + math.sqrt(3) / (2 * math.pi)
    found = authentic(Evaluation(request.getfixturevalue(task), request.getfixturevalue(task).test.data))
    assert found["authentic"] == pytest.approx(1 - 1 / (1 + rest), abs=0.015)


@pytest.mark.parametrize("decimals", [12, 1])
def test_z_scores_are_those_of_scipys_mann_whitney(draw, decimals):
    a, b = draw(0, 60, 1, shift=0.2)[:, 0].round(decimals=decimals), draw(1, 45, 1)[:, 0].round(decimals=decimals)
    expected = mannwhitneyu(a.numpy(), b.numpy(), method="asymptotic", use_continuity=False).pvalue
    assert 2 * norm.sf(abs(rank_sum_z(a, b))) == pytest.approx(expected, rel=1e-9)
    assert rank_sum_z(a, b) == pytest.approx(-rank_sum_z(b, a), rel=1e-9)
    assert rank_sum_z(b + 9, b) > 3


def test_z_score_of_equal_values_is_zero():
    assert rank_sum_z(torch.zeros(5), torch.zeros(7)) == 0.0


def test_data_copying_knows_copies_real_data_and_noise(draw, evaluate):
    training, real = draw(0, 1000), draw(1, 600)
    copies = training[:600] + 0.05 * draw(3, 600)
    assert data_copying(evaluate(training, real, copies))["ct"] < -3
    assert data_copying(evaluate(training, real, 1.5 * draw(4, 600)))["ct"] > 3
    null = [data_copying(evaluate(draw(3 * s, 800), draw(3 * s + 1), draw(3 * s + 2)))["ct"] for s in range(5, 25)]
    assert abs(np.mean(null)) < 0.4
    assert np.std(null) < 1


def test_data_copying_says_if_no_cell_can_be_tested(draw, evaluate, monkeypatch):
    monkeypatch.setattr("zoo_bench.score.metrics.cells.Cells.of", lambda self, z: z[:, 0] * 0 - 1)
    with pytest.raises(ZooError, match="no cell"):
        data_copying(evaluate(draw(0), draw(1), draw(2)))

"""The classifier against scikit-learn's ridge regression, and what sets of known use are worth."""

import dataclasses
import statistics

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo_bench.data.sets.digits import digits
from zoo_bench.data.sets.few import chosen
from zoo_bench.score.metrics.utility import PENALTIES, RandomFeatureClassifier, _random_features, augmenting, utility


@pytest.fixture(scope="module")
def reference():
    return Reference(digits())


@pytest.fixture(scope="module")
def score(reference):
    return lambda data: utility(Evaluation(reference.task, data, reference))


def test_the_classifier_is_scikit_learns_ridge_regression(reference):
    train, test = reference.task.train, reference.task.test
    features, features_test = (torch.cat(list(_random_features(split.data))).numpy() for split in (train, test))
    ridge = Ridge(alpha=1.0, fit_intercept=False, solver="cholesky").fit(features, np.eye(10)[train.modes])
    expected = (ridge.predict(features_test).argmax(1) == test.modes.numpy()).mean()
    made = RandomFeatureClassifier(10).add(train.data, train.modes)
    assert made.accuracy(test.data, test.modes) == pytest.approx(expected, abs=1e-9)
    assert expected > 0.95


def test_a_sum_is_the_classifier_of_both_sets(reference):
    train, test = reference.task.train, reference.task.test
    halves = (slice(500), slice(500, None))
    a, b = (RandomFeatureClassifier(10).add(train.data[half], train.modes[half]) for half in halves)
    whole = RandomFeatureClassifier(10).add(train.data, train.modes)
    assert (a + b).accuracy(test.data, test.modes) == whole.accuracy(test.data, test.modes)


def test_real_training_images_are_worth_what_real_ones_are(reference, score):
    found = score(reference.task.train.data)
    assert found["tstr"] == pytest.approx(found["trtr"], abs=0.01)
    assert found["augmentation"] == pytest.approx(0, abs=0.01)


def test_noise_gives_no_more_than_the_labels_of_the_few_that_look_like_a_digit(reference, score):
    noise = torch.randint(256, (1000, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = score(noise)
    assert 0.05 < found["tstr"] < 0.45
    assert found["augmentation"] == pytest.approx(0, abs=0.01)


def test_one_mode_gives_the_share_of_its_class(reference, score):
    train, test = reference.task.train, reference.task.test
    share = float((test.modes == 3).double().mean())
    assert score(train.data[train.modes == 3])["tstr"] == pytest.approx(share, abs=0.02)


def test_held_out_images_help_beside_few_real_ones(reference, score):
    assert score(reference.task.validation.data)["augmentation"] > 0.02


def test_the_same_images_have_the_same_use_whatever_the_random_state(reference, score):
    torch.manual_seed(0)
    first = score(reference.task.validation.data)
    torch.manual_seed(1)
    assert utility(Evaluation(reference.task, reference.task.validation.data)) == first


def test_constant_images_are_of_no_use(score):
    found = score(torch.zeros(100, 1, 8, 8, dtype=torch.uint8))
    assert found["tstr"] < 0.3


def test_too_few_images_are_refused(reference, score):
    with pytest.raises(ZooError, match="10 generated items are needed, there are 3"):
        score(reference.task.train.data[:3])


def test_the_order_of_images_does_not_matter(reference, score):
    data = reference.task.validation.data
    assert score(data.flip(0)) == pytest.approx(score(data), abs=1e-3)


def few_and_rest(task, fraction, draw):
    """Return the task with few of its training images, and the others."""
    few = chosen(task.train, fraction, draw)
    rest = torch.ones(len(task.train), dtype=torch.bool).index_fill(0, few, False)
    return dataclasses.replace(task, train=task.train.at(few)), task.train.at(rest)


def worth(task, images, labels):
    return augmenting(Evaluation(task, images, labels=labels))


@pytest.mark.parametrize("fraction", [0.02, 0.05, 0.1])
def test_held_out_real_images_help_beside_few(reference, fraction):
    for draw in range(3):
        task, rest = few_and_rest(reference.task, fraction, draw)
        found = worth(task, rest.data, rest.modes)
        assert found["accuracy_both"] > found["accuracy_real"] + 0.02
        assert found["accuracy_generated"] > 0.96


def test_as_many_other_real_images_are_worth_about_the_same(reference):
    differences = []
    for draw in range(5):
        task, rest = few_and_rest(reference.task, 0.1, draw)
        other = rest.at(chosen(rest, len(task.train) / len(rest), draw))
        found = worth(task, other.data, other.modes)
        differences.append(found["accuracy_generated"] - found["accuracy_real"])
    assert statistics.fmean(differences) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("times", [1, 20])
def test_copies_of_the_few_neither_help_nor_harm(reference, times):
    for draw in range(3):
        task, _ = few_and_rest(reference.task, 0.1, draw)
        found = worth(task, task.train.data.repeat(times, 1, 1, 1), task.train.modes.repeat(times))
        assert found["accuracy_both"] == pytest.approx(found["accuracy_real"], abs=0.01)
        assert found["accuracy_generated"] == pytest.approx(found["accuracy_real"], abs=0.01)


def test_wrong_labels_harm(reference):
    for draw in range(3):
        task, rest = few_and_rest(reference.task, 0.1, draw)
        shuffled = rest.modes[torch.randperm(len(rest), generator=torch.Generator().manual_seed(draw))]
        found = worth(task, rest.data, shuffled)
        assert found["accuracy_both"] < found["accuracy_real"] - 0.01
        assert found["accuracy_generated"] < 0.5


def test_noise_does_not_help_as_a_penalty_that_is_too_small_makes_it(reference):
    task, _ = few_and_rest(reference.task, 0.5, 0)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (500, 1, 8, 8), dtype=torch.uint8, generator=generator)
    labels = torch.randint(10, (500,), generator=generator)
    real = RandomFeatureClassifier(10).add(task.train.data, task.train.modes)
    both = real + RandomFeatureClassifier(10).add(noise, labels)
    unpenalised = [c.accuracy(task.test.data, task.test.modes, 1e-6) for c in (real, both)]
    assert unpenalised[1] > unpenalised[0] + 0.1, "500 images and 513 features: any further images help"
    found = worth(task, noise, labels)
    assert found["accuracy_both"] < found["accuracy_real"]


def test_the_weight_of_all_generated_images_is_that_of_the_real_ones(reference):
    task, rest = few_and_rest(reference.task, 0.05, 0)
    n, m = len(task.train), len(rest)
    images, labels = torch.cat([task.train.data, rest.data]), torch.cat([task.train.modes, rest.modes])
    features = torch.cat(list(_random_features(images))).numpy()
    weights = np.repeat([1, n / m], [n, m])
    fitted = [
        Ridge(alpha=p, fit_intercept=False, solver="cholesky").fit(features, np.eye(10)[labels], sample_weight=weights)
        for p in PENALTIES
    ]

    def accuracy(ridge, split):
        held_out = torch.cat(list(_random_features(split.data))).numpy()
        return (ridge.predict(held_out).argmax(1) == split.modes.numpy()).mean()

    best = max(fitted, key=lambda ridge: accuracy(ridge, task.validation))
    found = worth(task, rest.data, rest.modes)
    assert found["accuracy_both"] == pytest.approx(accuracy(best, task.test), abs=1e-9)


def test_without_labels_there_is_nothing_to_learn_from(reference):
    assert worth(reference.task, reference.task.train.data, None) == {}

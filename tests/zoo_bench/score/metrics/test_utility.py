"""The classifier against scikit-learn's ridge regression, and what sets of known use are worth."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo_bench.data.sets.digits import digits
from zoo_bench.score.metrics.utility import RandomFeatureClassifier, _random_features, utility


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

"""The twin of a task's judge."""

from dataclasses import replace

import pytest
import torch

from zoo.task import Split
from zoo_bench.judges.random_conv import RandomJudge
from zoo_bench.judges.stacked import StackedJudge
from zoo_bench.judges.twin import train_twin, twin_judge


@pytest.fixture(scope="module")
def weights(digits_task):
    return train_twin(digits_task, seed=3)


def test_a_twin_knows_the_classes_of_the_test_split(digits_task, weights):
    judge = twin_judge(digits_task, 3, weights)
    assert judge.name == "twin-3"
    assert (judge.modes(digits_task.test.data) == digits_task.test.modes).double().mean() > 0.97
    assert judge.features(digits_task.test.data).shape == (len(digits_task.test), 32)


def test_a_seed_gives_the_same_weights_and_another_seed_others(digits_task, weights, monkeypatch):
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    first, again, other = (train_twin(digits_task, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert threads == torch.get_num_threads()
    assert torch.equal(state, torch.random.get_rng_state()), "training data and models draw from this generator"
    names = [twin_judge(digits_task, seed, found).sha256 for seed, found in ((1, first), (2, other))]
    assert names[0] != names[1]


def test_without_classes_the_twin_is_a_random_network_of_that_seed(digits_task):
    blind = replace(digits_task, train=Split(digits_task.train.data), modes=0)
    assert train_twin(blind, seed=3) is None
    twin = twin_judge(blind, 3, None)
    assert twin.name == "random-conv-3"
    ours, shipped = (judge.features(digits_task.test.data) for judge in (twin, RandomJudge(1)))
    assert not torch.allclose(ours, shipped)
    assert twin.sha256 != RandomJudge(1).sha256


@pytest.mark.parametrize("change", ["too many classes", "not square"])
def test_so_it_is_where_no_small_network_can_be_trained(digits_task, change):
    data, modes = digits_task.train.data, digits_task.train.modes
    split = Split(data, modes * 50) if change == "too many classes" else Split(data[..., :6], modes)
    assert isinstance(twin_judge(replace(digits_task, train=split), 3, None), RandomJudge)


def test_until_it_is_trained_there_is_none(digits_task):
    assert twin_judge(digits_task, 3, None) is None


def test_the_twin_of_a_stacked_judge_is_stacked(digits_task, monkeypatch):
    monkeypatch.setattr("zoo_bench.judges.twin.STEPS", 200)
    data = digits_task.train.data[:999].reshape(333, 3, 8, 8)
    modes = digits_task.train.modes[:999].reshape(333, 3) @ torch.tensor([100, 10, 1])
    stacked = replace(digits_task, train=Split(data, modes), judge=StackedJudge(digits_task.judge), modes=1000)
    twin = twin_judge(stacked, 3, train_twin(stacked, 3))
    assert twin.name == "stacked-twin-3"
    assert (twin.modes(data) == modes).double().mean() > 0.8

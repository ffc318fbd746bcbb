import pytest
import torch

from zoo.task import Split
from zoo_bench.data.sets import digits, stacked


@pytest.fixture(scope="module")
def task():
    return stacked.stacked_digits()


def test_modes_are_uniform_and_sizes_as_said(task):
    assert [len(split) for split in (task.train, task.validation, task.test)] == [50_000, 10_000, 10_000]
    assert (task.shape, task.modes, task.samples) == ((3, 8, 8), 1000, 10_000)
    for split in (task.train, task.validation, task.test):
        assert len(torch.bincount(split.modes, minlength=1000).unique()) == 1


def test_every_channel_is_a_digit_of_its_own_split(task):
    _, _, test = digits.splits()
    known = {image.numpy().tobytes(): int(mode) for image, mode in zip(test.data, test.modes, strict=True)}
    for image, mode in zip(task.test.data[:200], task.test.modes[:200].tolist(), strict=True):
        assert [known[channel.numpy().tobytes()] for channel in image] == [mode // 100, mode // 10 % 10, mode % 10]


def test_the_draw_depends_on_the_seed_alone():
    _, _, test = digits.splits()
    first, same, other = (stacked.stack(test, 2000, seed) for seed in (0, 0, 1))
    assert torch.equal(first.data, same.data)
    assert not torch.equal(first.modes, other.modes)


def test_a_missing_digit_is_an_error():
    with pytest.raises(ValueError, match="digit 1 is absent"):
        stacked.stack(Split(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 2, 9])), 1000, 0)


def test_the_judge_reads_three_digits(task):
    found = task.judge.modes(task.test.data)
    assert float((found == task.test.modes).double().mean()) > 0.96
    assert task.judge.features(task.test.data[:7]).shape == (7, 96)

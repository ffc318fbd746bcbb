"""A generator in [0, 1] that passes as [-1, 1] is named, and no other is."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.task import to_storage
from zoo_bench.data.ranges import range_fault

DARK = torch.zeros(10, 1, 8, 8, dtype=torch.uint8)
BRIGHT = torch.full((10, 1, 8, 8), 200, dtype=torch.uint8)
NOISE = torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_a_sigmoid_is_named():
    sentence = range_fault(to_storage(NOISE.sigmoid()), DARK)
    assert "no pixel of the samples is below the middle of [-1, 1], but 100% of the training data's are" in sentence
    assert "Sigmoid" in sentence


@pytest.mark.parametrize(
    "samples",
    [NOISE.tanh(), NOISE, NOISE.sigmoid() * 2 - 1, NOISE.relu() - 0.01, torch.zeros(4, 1, 8, 8)],
    ids=["tanh", "linear", "scaled sigmoid", "one dark value", "grey everywhere"],
)
def test_others_are_not(samples):
    assert range_fault(to_storage(samples), DARK) == ""


@pytest.mark.parametrize(("dark", "named"), [(0, False), (3, False), (4, True), (64, True)])
def test_bright_training_data_prove_nothing(dark, named):
    train = BRIGHT.clone()
    train.view(10, 64)[:, :dark] = 0
    assert bool(range_fault(BRIGHT, train)) is named


def test_points_have_no_range():
    assert range_fault(torch.rand(10, 2), torch.randn(10, 2)) == ""


@given(st.integers(0, 2**32), st.integers(0, 255))
def test_a_single_dark_pixel_is_enough(seed, value):
    samples = torch.randint(128, 256, (4, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    samples[0, 0, 0, 0] = value
    assert bool(range_fault(samples, DARK)) is (value >= 127)


@pytest.mark.parametrize("task", ["digits", "mnist", "fashion_mnist"])
def test_real_data_are_dark_enough_to_show_it(task, request):
    data = request.getfixturevalue(f"{task}_task")
    assert range_fault(to_storage(NOISE.sigmoid()), data.train.data)
    assert range_fault(data.test.data, data.train.data) == ""

"""Between stored items and what models see; what a task offers."""

from __future__ import annotations

import pytest
import torch

from zoo.task import Mixture, Split, Task, to_model, to_storage

EVERY_VALUE = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


def test_all_256_values_return_exactly():
    assert torch.equal(to_storage(to_model(EVERY_VALUE)), EVERY_VALUE)


def test_images_span_minus_one_to_one_evenly():
    seen = to_model(EVERY_VALUE).flatten()
    assert seen.dtype == torch.float32
    assert (seen[0], seen[-1]) == (-1.0, 1.0)
    torch.testing.assert_close(seen.diff(), torch.full((255,), 2 / 255))


def test_points_stay_as_they_are():
    points = torch.tensor([[-4.0, 200.0], [0.25, 3.0]])
    assert torch.equal(to_model(points), points)


def test_to_model_leaves_the_stored_data_alone():
    stored = EVERY_VALUE.clone()
    to_model(stored)
    assert torch.equal(stored, EVERY_VALUE)


def test_to_storage_leaves_the_samples_alone():
    samples = torch.linspace(-2, 2, 16).view(1, 1, 4, 4)
    before = samples.clone()
    to_storage(samples)
    assert torch.equal(samples, before)


def test_what_is_outside_is_clipped():
    samples = torch.tensor([-torch.inf, -1e9, -1.001, 1.001, 1e9, torch.inf])
    assert to_storage(samples).tolist() == [0, 0, 0, 255, 255, 255]


@pytest.mark.parametrize(("low", "high"), [(-0.5, 0.5), (0.0, 0.1), (0.25, 0.25)])
def test_images_of_low_contrast_are_never_stretched(low, high):
    samples = torch.linspace(low, high, 16).view(1, 1, 4, 4)
    stored = to_storage(samples)
    assert stored.min() == round((low + 1) * 127.5)
    assert stored.max() == round((high + 1) * 127.5)
    assert torch.equal(to_storage(torch.cat([samples, samples * 0 - 1]))[:1], stored)


def test_values_are_rounded_not_cut_off():
    step = 2 / 255
    assert to_storage(torch.tensor([-1 + 0.4 * step, -1 + 0.6 * step, 1 - 0.4 * step])).tolist() == [0, 1, 255]


def test_half_precision_samples_are_stored_too():
    assert to_storage(torch.tensor([-1.0, 0.5, 1.0], dtype=torch.bfloat16)).tolist() == [0, 191, 255]


def task(data: torch.Tensor, modes: int = 0, mixture: Mixture | None = None) -> Task:
    return Task(Split(data), Split(data[:2]), Split(data[:3]), None, modes, 10, mixture)


def test_a_task_knows_its_shape_and_split_sizes():
    made = task(torch.zeros(5, 3, 8, 8, dtype=torch.uint8))
    assert made.shape == (3, 8, 8)
    assert [len(split) for split in (made.train, made.validation, made.test)] == [5, 2, 3]


@pytest.mark.parametrize(
    ("made", "offers"),
    [
        (task(torch.zeros(5, 3, 8, 8)), {"images", "features"}),
        (task(torch.zeros(5, 3, 8, 8), modes=10), {"images", "features", "modes"}),
        (task(torch.zeros(5, 2)), {"points", "features"}),
        (task(torch.zeros(5, 2), 8, Mixture(torch.zeros(8, 2), 0.1)), {"points", "features", "mixture"}),
    ],
)
def test_a_task_offers_what_it_has(made, offers):
    assert made.offers == offers

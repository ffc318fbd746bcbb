import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ZooError
from zoo.evaluation import Evaluation
from zoo.task import Split, Task
from zoo_bench.judges.random_conv import RandomJudge
from zoo_bench.score.metrics import copies as module
from zoo_bench.score.metrics.copies import binomial_variance, copies


def task_of(training, held_out):
    splits = [Split(data, None) for data in (training, held_out, held_out)]
    return Task(*splits, RandomJudge(training.shape[1]), modes=0, samples=len(held_out))


def scored(training, generated, held_out=None):
    return copies(Evaluation(task_of(training, training[:5] if held_out is None else held_out), generated))


def random_images(seed, n=60, shape=(1, 8, 8)):
    return torch.randint(256, (n, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def by_brute_force(generated, training):
    """The share of copies, pixel by pixel in numpy: every shift and mirror image of every pair."""
    height, width = training.shape[2:]
    down, right = int(height > 2), int(width > 2)
    middle = training[:, :, down : height - down, right : width - right].double().numpy()
    found = []
    for image in generated.double().numpy():
        distances = [
            np.sqrt(((middle - moved[:, down : height - down, right : width - right]) ** 2).sum(axis=(1, 2, 3)))
            for turned in (image, image[:, :, ::-1])
            for y in range(-down, down + 1)
            for x in range(-right, right + 1)
            for moved in [np.roll(turned, (y, x), axis=(1, 2))]
        ]
        first, second = np.sort(np.min(distances, axis=0))[:2]
        found.append(first <= 0.5 * second)
    return np.mean(found)


def noisy(images, levels, seed=0):
    noise = levels * torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
    return (images + noise).round().clamp(0, 255).to(torch.uint8)


def black_edged(images, down, right):
    moved = images.roll((down, right), dims=(2, 3))
    if down:
        moved[:, :, 0 if down > 0 else -1] = 0
    if right:
        moved[:, :, :, 0 if right > 0 else -1] = 0
    return moved


COPIES = {
    "exact": lambda x: x,
    "noise of 10 levels": lambda x: noisy(x, 10),
    "noise of 15 levels": lambda x: noisy(x, 15),
    "mirrored": lambda x: x.flip(3),
    **{f"rolled {d, r}": lambda x, d=d, r=r: x.roll((d, r), (2, 3)) for d in (-1, 0, 1) for r in (-1, 0, 1)},
    **{f"moved {d, r}": lambda x, d=d, r=r: black_edged(x, d, r) for d in (-1, 0, 1) for r in (-1, 0, 1)},
    "mirrored, moved and noisy": lambda x: black_edged(noisy(x, 10).flip(3), 1, -1),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_digits_are_found(digits_task, kind):
    found = copies(Evaluation(digits_task, COPIES[kind](digits_task.train.data)))
    assert found["copies"] > (0.9 if "noise" in kind or "noisy" in kind else 0.999)
    assert found["copies_real"] < 0.01


@pytest.mark.parametrize("fixture", ["digits_task", "fashion_mnist_task"])
def test_held_out_images_are_no_copies(request, fixture):
    task = request.getfixturevalue(fixture)
    found = copies(Evaluation(task, task.validation.data))
    assert max(found["copies"], found["copies_real"]) < 0.01


def test_mnist_is_searched_well_by_thumbnails(mnist_task):
    found = copies(Evaluation(mnist_task, COPIES["mirrored, moved and noisy"](mnist_task.train.data[:200])))
    assert found["copies"] > 0.95


@pytest.mark.parametrize("levels", [0, 10, 25, 40, 120])
def test_shares_of_digits_are_those_of_brute_force(digits_task, levels):
    training = digits_task.train.data[:150]
    mixed = torch.cat([noisy(training[:60], levels), digits_task.test.data[:60]])
    assert scored(training, mixed)["copies"] == pytest.approx(by_brute_force(mixed, training), abs=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    training=st.integers(2, 40),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8)),
    levels=st.integers(0, 150),
)
def test_shares_are_those_of_brute_force_whatever_the_shape(seed, training, shape, levels):
    known = random_images(seed, training, shape)
    generated = torch.cat([noisy(known, levels, seed), random_images(seed + 1, 20, shape)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "THUMBNAIL", 8)
        patch.setattr(module, "CANDIDATES", 40)
        patch.setattr(module, "BLOCK_ENTRIES", 7 * training)
        assert scored(known, generated)["copies"] == pytest.approx(by_brute_force(generated, known), abs=1e-12)


def test_only_a_part_of_many_images_is_looked_at_and_always_the_same(digits_task, monkeypatch):
    mixed = torch.cat([digits_task.train.data, digits_task.test.data])
    monkeypatch.setattr(module, "MAX_IMAGES", 50)
    first, second = (copies(Evaluation(digits_task, mixed)) for _ in range(2))
    assert first == second
    assert 0.3 < first["copies"] < 0.9
    assert first["copies"] * 50 == pytest.approx(round(first["copies"] * 50))


def test_the_error_is_that_of_binomial_shares():
    draws = np.random.default_rng(0).binomial(200, 0.3, 20_000) / 200
    assert binomial_variance(0.3, 200) == pytest.approx(draws.var(), rel=0.05)
    assert 0 < binomial_variance(0.0, 40) == pytest.approx(binomial_variance(1.0, 40))


def test_exact_copies_of_what_the_training_data_hold_twice_are_found():
    known = random_images(0).repeat(2, 1, 1, 1)
    assert scored(known, known[:20])["copies"] == 1.0


@pytest.mark.parametrize("value", [0, 128, 255])
def test_constant_images_are_no_copies(value):
    constant = torch.full((40, 1, 8, 8), value, dtype=torch.uint8)
    assert scored(random_images(0), constant)["copies"] == 0.0


def test_one_image_repeated_is_a_figure():
    assert scored(random_images(0), random_images(1, 1).repeat(30, 1, 1, 1))["copies"] == 0.0
    assert scored(random_images(0), random_images(0, 1).repeat(30, 1, 1, 1))["copies"] == 1.0


def test_images_of_one_pixel_are_all_copies_held_out_ones_too():
    known = torch.arange(256, dtype=torch.uint8).reshape(-1, 1, 1, 1)
    found = scored(known, known, known)
    assert found["copies"] == found["copies_real"] == 1.0


def test_two_training_images_are_enough_and_one_is_refused():
    known = random_images(0, 2)
    assert scored(known, known)["copies"] == 1.0
    with pytest.raises(ZooError, match="2 training items are needed, there are 1"):
        scored(known[:1], known)


def test_no_generated_image_and_constant_training_images_are_refused(digits_task):
    with pytest.raises(ZooError, match="1 generated items are needed, there are 0"):
        copies(Evaluation(digits_task, digits_task.train.data[:0]))
    same = torch.zeros_like(digits_task.train.data)
    task = dataclasses.replace(digits_task, train=Split(same, digits_task.train.modes))
    with pytest.raises(ZooError, match="all training items have the same features"):
        copies(Evaluation(task, digits_task.test.data))

"""The floor is compared with what fresh real items score: in closed form, by simulation, and on real images."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from zoo.evaluation import Reference
from zoo.task import Split
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.data.sets.mixtures import draw as draw_points
from zoo_bench.judges.random_conv import RandomJudge
from zoo_bench.score.metrics import floor as floor_module
from zoo_bench.score.metrics.floor import floor_of, real_floor
from zoo_bench.score.metrics.frechet import expected_null

REPETITIONS = 12
MIX = torch.randn(16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def gaussian():
    """Draw items of 16 correlated features."""
    generator = torch.Generator().manual_seed(1)
    return lambda n: torch.randn(n, 16, dtype=torch.float64, generator=generator) @ MIX


def compared(draw):
    """Return the means of the floor, of the scores of fresh items and of what is first order, and the scores' z-values.

    Args:
        draw: Draws a training, a validation and a test split and some sets of as many fresh items, unstandardised.
    """
    rows, deviations = [], []
    for _ in range(REPETITIONS):
        training, validation, test, *fresh = draw()
        std, mean = torch.std_mean(test, dim=0)
        training, validation, test, *fresh = ((x - mean) / std for x in (training, validation, test, *fresh))
        floor = floor_of(training, validation, test, len(fresh[0]))
        scores = [frechet_distance(items, test) for items in fresh]
        rows.append((floor.mean, np.mean(scores), expected_null(test, len(fresh[0]), len(test))))
        deviations += [(score - floor.mean) / floor.sd for score in scores]
    return *np.mean(rows, axis=0), np.array(deviations)


def test_large_gaussian_samples_have_the_first_order_floor(gaussian):
    floor, _, first_order, _ = compared(lambda: [gaussian(n) for n in (8000, 1000, 1000, 500)])
    assert floor == pytest.approx(first_order, rel=0.06)


@pytest.mark.parametrize("sizes", [(160, 20, 20, 500), (320, 40, 40, 400)])
def test_small_gaussian_samples_have_the_floor_of_simulation(gaussian, sizes):
    floor, score, first_order, deviations = compared(lambda: [gaussian(n) for n in (*sizes, sizes[-1])])
    assert floor == pytest.approx(score, rel=0.15)
    assert abs(floor - score) < abs(first_order - score)
    assert 0.4 < np.sqrt(np.mean(deviations**2)) < 1.6


def test_what_the_judge_learnt_of_training_items_does_not_move_the_floor(gaussian):
    def draw():
        training = 1.05 * gaussian(4000) + 0.3 * MIX[0]
        return [training, *(gaussian(n) for n in (1000, 1000, 1000, 1000))]

    floor, score, _, _ = compared(draw)
    training, *_, test, _ = draw()
    std, mean = torch.std_mean(test, dim=0)
    assert frechet_distance((training - mean) / std, (test - mean) / std) > 1.5 * score
    assert floor == pytest.approx(score, rel=0.15)


def test_the_floor_of_splits_from_few_originals_is_that_of_fresh_ones(gaussian):
    def stacked(originals, n):
        return gaussian(originals)[torch.randint(originals, (n, 3))].flatten(1)

    torch.manual_seed(0)
    held_out = []

    def draw():
        training, validation, test = stacked(1000, 4000), stacked(100, 2000), stacked(100, 2000)
        std, mean = torch.std_mean(test, dim=0)
        held_out.append(frechet_distance((validation - mean) / std, (test - mean) / std))
        return training, validation, test, gaussian(3 * 2000).reshape(2000, -1)

    floor, score, first_order, deviations = compared(draw)
    assert first_order < 0.3 * score
    assert np.mean(held_out) > 1.6 * score
    assert floor == pytest.approx(score, rel=0.2)
    assert np.mean(np.abs(deviations) < 2) > 0.8


def test_a_folder_of_few_images_has_the_floor_that_its_images_score(digits_task):
    splits = (digits_task.train, digits_task.validation, digits_task.test)
    features = RandomJudge(1).features(torch.cat([split.data for split in splits])).double()
    generator = torch.Generator().manual_seed(0)

    def draw():
        parts = features[torch.randperm(len(features), generator=generator)].split([368, 46, 46, 600, 600, 137])
        return parts[:5]

    floor, score, first_order, deviations = compared(draw)
    assert floor == pytest.approx(score, rel=0.06)
    assert first_order < 0.75 * score
    assert np.mean(np.abs(deviations) < 2) > 0.85


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_fresh_points_of_a_known_mixture_score_the_floor(request, name):
    task = request.getfixturevalue(f"{name}_task")
    reference = Reference(task)
    floor = real_floor(reference, 1000)
    scores = []
    for seed in range(10, 50):
        points = draw_points(task.mixture, 1000, seed).data
        scores.append(frechet_distance(reference.standardise(task.judge.features(points).double()), reference.features))
    assert abs(np.mean(scores) - floor.mean) < floor.sd < floor.mean
    assert np.mean(np.abs(np.array(scores) - floor.mean) < 2 * floor.sd) > 0.85


def test_the_floor_is_the_same_every_time_and_leaves_the_random_numbers_alone(digits_task, tmp_path, monkeypatch):
    found = []
    for folder in "ab":
        monkeypatch.setenv("ZOO_CACHE", str(tmp_path / folder))
        torch.manual_seed(0)
        found.append((real_floor(Reference(digits_task), 200), torch.rand(1)))
    torch.manual_seed(0)
    assert found[0] == found[1] == (found[0][0], torch.rand(1))


def test_a_floor_is_kept_in_the_cache_folder_for_these_features_and_this_number_of_items(
    digits_task, tmp_path, monkeypatch
):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    first = real_floor(Reference(digits_task), 200)
    monkeypatch.setattr(floor_module, "floor_of", lambda *given: floor_module.Floor(7.0, math.nan))
    assert real_floor(Reference(digits_task), 200) == first
    assert real_floor(Reference(digits_task), 201).mean == 7.0
    assert math.isnan(real_floor(Reference(digits_task), 201).sd)


def test_a_cache_folder_that_cannot_be_written_to_is_no_error(digits_task, tmp_path, monkeypatch):
    (tmp_path / "tensors").write_text("a file where the folder would be")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    assert real_floor(Reference(digits_task), 200).mean > 0


def test_it_is_never_below_what_the_fresh_items_alone_cause(gaussian):
    test = gaussian(50)
    shifted = gaussian(50) + 50  # takes the training items' side against the test split
    floor = floor_of(gaussian(200) + 25, shifted, test, 100)
    assert floor.mean >= expected_null(test, 100, math.inf) > 0


def test_training_items_that_hardly_differ_give_no_spread(gaussian):
    training = torch.zeros(200, 16, dtype=torch.float64)
    training[0] = 1.0
    floor = floor_of(training[1:], gaussian(20), gaussian(20), 100)
    assert floor.mean > 0
    assert math.isnan(floor.sd)


def test_training_features_that_are_not_finite_leave_the_floor_of_first_order(digits_task, monkeypatch):
    broken = torch.full((100, 32), math.nan, dtype=torch.float64)
    monkeypatch.setattr(Reference, "features_train", broken)
    reference = Reference(digits_task)
    floor = real_floor(reference, 100)
    assert floor.mean == expected_null(reference.features, 100, len(digits_task.test))
    assert math.isnan(floor.sd)


@pytest.mark.parametrize(("features", "distances"), [(511, 3 + 20 * 5), (512, 3 + 5 * 5)])
def test_with_many_features_there_are_few_rehearsals_because_distances_are_slow(monkeypatch, features, distances):
    def draw(n):
        return torch.randn(n, features, dtype=torch.float64, generator=generator)

    generator, calls = torch.Generator().manual_seed(0), []
    monkeypatch.setattr(floor_module, "frechet_distance", lambda x, y: calls.append(1) or frechet_distance(x, y))
    training, validation, test, fresh = (draw(n) for n in (160, 20, 20, 40))
    std, mean = torch.std_mean(test, dim=0)
    training, validation, test, fresh = ((x - mean) / std for x in (training, validation, test, fresh))
    floor = floor_of(training, validation, test, 40)
    assert len(calls) == distances
    assert floor.mean == pytest.approx(frechet_distance(fresh, test), abs=4 * floor.sd)


@pytest.mark.parametrize("change", ["few training items", "one validation item", "no validation split of its own"])
def test_without_real_items_to_measure_it_by_the_floor_is_of_first_order_and_has_no_spread(digits_task, change):
    few = {
        "few training items": {"train": Split(digits_task.train.data[:15])},
        "one validation item": {"validation": Split(digits_task.validation.data[:1])},
        "no validation split of its own": {"validation": digits_task.test},
    }
    reference = Reference(dataclasses.replace(digits_task, **few[change]))
    floor = real_floor(reference, 100)
    assert floor.mean == expected_null(reference.features, 100, len(digits_task.test))
    assert math.isnan(floor.sd)

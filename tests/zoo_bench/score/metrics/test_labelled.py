import pytest
import torch

import zoo
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.labelled import by_class

CLASSES, ITEMS = 3, 4000
CENTRES = 10.0 * torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])


class Nearest:
    """Features are the points themselves, and the mode of one is the nearest centre."""

    name, sha256 = "nearest", "0" * 64

    def to(self, device):
        return self

    def features(self, data):
        return data.double()

    def modes(self, data):
        return torch.cdist(data, CENTRES).argmin(1)


def evaluation(shift=0.0, labels=True, asked=lambda labels: labels, left_out=0, known=CLASSES):
    """Compare three Gaussians with others, those of class 0 moved along both axes, and some of them left out."""
    generator = torch.Generator().manual_seed(0)
    modes = torch.arange(CLASSES).repeat_interleave(ITEMS)
    real, drawn = (CENTRES[modes] + torch.randn(len(modes), 2, generator=generator) for _ in range(2))
    drawn[:ITEMS] += shift
    split = zoo.Split(real, modes)
    task = zoo.Task(split, split, split, Nearest(), modes=known, samples=len(modes))
    return zoo.Evaluation(task, drawn[left_out:], labels=asked(modes)[left_out:] if labels else None)


def test_samples_without_labels_have_no_such_figures():
    assert by_class(evaluation(labels=False)) == {}


def test_the_accuracy_is_the_share_of_samples_that_are_of_their_class():
    assert by_class(evaluation())["label_accuracy"] == pytest.approx(1.0, abs=1e-3)
    a_third_wrong = by_class(evaluation(asked=lambda modes: torch.where(modes == 2, 1, modes)))
    assert a_third_wrong["label_accuracy"] == pytest.approx(2 / 3, abs=1e-3)


def test_the_fid_of_a_class_that_has_moved_is_the_square_of_its_distance():
    """The Frechet distance of two Gaussians of the same covariance is that of their means, squared."""
    moved = evaluation(shift=0.5)
    _, units = moved.reference.test.features.mean(0), moved.reference.test.features.std(0)
    found, expected = by_class(moved), float((0.5 / units).square().sum())
    assert found["class_fid_worst"] == pytest.approx(expected, rel=0.1)
    assert found["class_fid"] == pytest.approx(expected / CLASSES, rel=0.1)
    assert by_class(evaluation())["class_fid"] < 0.01 * expected


def test_coverage_within_a_class_sees_a_class_that_is_missing_where_fid_and_coverage_of_all_do_not():
    swapped = evaluation(asked=lambda modes: (modes + 1) % CLASSES)
    assert frechet_distance(swapped.features_generated, swapped.features_real) < 0.01
    assert by_class(swapped)["class_coverage"] == 0.0
    assert by_class(evaluation())["class_coverage"] == pytest.approx(1 - 0.5**5, abs=0.01)


def test_a_class_with_too_few_samples_is_left_out():
    few = evaluation(shift=5.0, left_out=ITEMS - 4)
    assert by_class(few)["class_coverage"] == pytest.approx(1 - 0.5**5, abs=0.01)


def test_a_judge_that_knows_no_classes_gives_no_accuracy_and_the_rest_all_the_same():
    found = by_class(evaluation(known=0))
    assert "label_accuracy" not in found
    assert found == {name: value for name, value in by_class(evaluation()).items() if name in found}
    assert len(found) == 3

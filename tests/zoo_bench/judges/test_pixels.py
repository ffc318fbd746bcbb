"""The judge of principal components."""

import pytest
import torch
from sklearn.decomposition import PCA

from zoo.evaluation import Evaluation
from zoo.task import Split, Task
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.judges.pixels import PixelJudge


def images(*size):
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_features_are_those_of_an_exact_analysis(digits_task):
    """Fréchet distance does not depend on the sign or rotation of components, so it is what is compared."""
    judge = PixelJudge(digits_task.train.data)
    exact = PCA(32, svd_solver="full").fit(digits_task.train.data.flatten(1).double() / 127.5 - 1)
    test, other = digits_task.test.data, digits_task.train.data[:400]
    ours = [judge.features(data).double() for data in (test, other)]
    theirs = [torch.from_numpy(exact.transform(data.flatten(1).double() / 127.5 - 1)) for data in (test, other)]
    assert torch.allclose(ours[0].std(0), theirs[0].std(0), rtol=1e-3)
    assert frechet_distance(*ours) == pytest.approx(frechet_distance(*theirs), rel=1e-3)


@pytest.mark.parametrize(
    ("size", "count"),
    [((40, 1, 8, 8), 32), ((9, 1, 8, 8), 8), ((40, 3, 2, 2), 12), ((40, 1, 1, 1), 1), ((2, 3, 4, 5), 1)],
)
def test_components_are_as_many_as_there_can_be(size, count):
    judge = PixelJudge(images(*size))
    assert judge.name == f"pixels-{count}"
    assert judge.features(images(*size)).shape == (size[0], count)
    assert torch.isfinite(judge.features(images(*size))).all()


def test_components_are_the_same_every_time_and_leave_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, second = PixelJudge(images(50, 1, 8, 8)), PixelJudge(images(50, 1, 8, 8))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first.features(images(50, 1, 8, 8)), second.features(images(50, 1, 8, 8)))
    assert first.sha256 == second.sha256 != PixelJudge(images(20, 1, 8, 8)).sha256
    assert first.modes(images(5, 1, 8, 8)) is None


def test_images_that_are_all_the_same_have_features_that_say_so():
    split = Split(torch.full((10, 1, 4, 4), 7, dtype=torch.uint8))
    judge = PixelJudge(split.data)
    evaluation = Evaluation(Task(split, split, split, judge, modes=0, samples=10), split.data)
    assert frechet_distance(evaluation.features_generated, evaluation.features_real) == pytest.approx(0.0, abs=1e-9)


def test_images_that_are_in_order_are_drawn_from_everywhere():
    dark, bright = torch.zeros(6000, 1, 2, 2, dtype=torch.uint8), torch.full((6000, 1, 2, 2), 255, dtype=torch.uint8)
    judge = PixelJudge(torch.cat([dark, bright]))
    assert not torch.allclose(judge.features(dark[:1]), judge.features(bright[:1])), "the first 5,000 are all dark"
    mean = judge.features(dark[:1]) + judge.features(bright[:1])
    assert mean[0, 0].abs() < 0.3, "about as many are dark as bright"


def test_other_training_images_make_another_judge():
    """What judges see of a test split is kept by the judge's hash, and tasks may share theirs."""
    one, other = images(50, 1, 8, 8), images(50, 1, 8, 8).flip(0)
    assert PixelJudge(one).sha256 == PixelJudge(one.clone()).sha256 != PixelJudge(other).sha256

import pytest
import torch

from zoo.task import Mixture
from zoo_bench.judges.mixture import MixtureJudge


@pytest.fixture
def square():
    """Four modes at the corners of a square of side 2."""
    return Mixture(torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]), std=0.1)


def test_a_mixtures_features_peak_at_their_own_centre_and_vanish_at_the_others(square):
    features = MixtureJudge(square).features(square.centres)
    assert features.shape == (4, 4)
    assert torch.equal(features.diag(), torch.ones(4, dtype=torch.float64))
    # The nearest centre is four bandwidths away.
    assert (features - torch.eye(4)).max() == pytest.approx(torch.exp(torch.tensor(-8.0)).item())


def test_a_mixtures_features_fall_with_the_distance(square):
    along = square.centres[:1] + torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.3, 0.0], [0.6, 0.0], [1.0, 0.0]])
    own = MixtureJudge(square).features(along)[:, 0]
    assert (own.diff() < 0).all()
    assert ((own > 0) & (own <= 1)).all()


def test_a_mixtures_modes_are_the_nearest_centres(square):
    points = square.centres.repeat(50, 1) + 0.3 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0)).clamp(
        -3, 3
    )
    nearest = (points[:, None] - square.centres).square().sum(2).argmin(1)
    assert torch.equal(MixtureJudge(square).modes(points), nearest)


def test_a_mixtures_hash_changes_with_its_definition(square):
    moved = Mixture(square.centres + 1e-3, square.std)
    wider = Mixture(square.centres, 0.2)
    same = Mixture(square.centres.clone(), square.std)
    hashes = [MixtureJudge(mixture).sha256 for mixture in (square, moved, wider)]
    assert len(set(hashes)) == 3
    assert MixtureJudge(same).sha256 == hashes[0]


def test_mixture_tasks_are_recognised_without_mistakes(ring8_task, grid25_task):
    for task in (ring8_task, grid25_task):
        assert torch.equal(task.judge.modes(task.test.data), task.test.modes)
        assert task.judge.features(task.test.data).std(dim=0).min() > 0.05

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from zoo import distances
from zoo.distances import nearest, squared_distances


def draw(seed, n=400):
    return torch.randn(n, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(params=["one block", "many blocks"])
def blocks(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(distances, "BLOCK_ENTRIES", 1)
        monkeypatch.setattr(distances, "MIN_BLOCK_ROWS", 7)


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_neighbours_are_those_of_scikit_learn(blocks, k, offset):
    x, y = draw(0, n=150) + offset, draw(1, n=230) + offset
    distance, index = nearest(x, y, k)
    expected, order = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(y.numpy()).kneighbors(x.numpy())
    torch.testing.assert_close(distance, torch.from_numpy(expected), rtol=1e-10, atol=0.0)
    assert torch.equal(index, torch.from_numpy(order))


def test_an_item_is_its_own_nearest_at_no_distance():
    x = draw(0) + 1e3
    distance, index = nearest(x, x, 2)
    assert (distance[:, 0] == 0).all()
    assert torch.equal(index[:, 0], torch.arange(len(x)))
    assert (distance[:, 1] > 0).all()


def test_duplicates_are_at_no_distance():
    x = draw(0, n=50)
    assert (nearest(x, x.repeat(3, 1), 3)[0] == 0).all()


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_the_edge_of_a_ball_is_inside(blocks, offset):
    x = draw(0, n=200) + offset
    radii = nearest(x, x, 6)[0][:, -1].square()
    for rows, block in squared_distances(x, x):
        assert ((block <= radii[rows, None]).sum(dim=1) == 6).all()

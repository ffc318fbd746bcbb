import pytest
import torch

from zoo.task import Split
from zoo_bench.data import ladder
from zoo_bench.data.sets import digits


@pytest.fixture
def items():
    """Images that all differ, of ten classes."""
    data = torch.arange(200, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    return Split(data.contiguous(), torch.arange(200) % 10)


class Pixels:
    """Sees the pixels."""

    name, sha256 = "pixels", "0"

    def to(self, device):
        return self

    def features(self, data):
        return data.flatten(1).float() + 1e-3 * torch.randn(len(data), 64, generator=torch.Generator().manual_seed(0))

    def modes(self, data):
        return None


class Blind(Pixels):
    """Sees nothing but chance."""

    def features(self, data):
        return torch.randn(len(data), 8, generator=torch.Generator().manual_seed(int(data.sum())))


def test_real_items_stand_on_the_lowest_rung(items):
    for name, harm in ladder.HARMS.items():
        assert torch.equal(harm(items, 0.0, torch.Generator().manual_seed(0)), items.data), name


def test_copies_leave_fewer_and_fewer_distinct_items(items):
    left = [len(ladder.copies(items, rung, torch.Generator()).unique(dim=0)) for rung in ladder.RUNGS]
    assert left == [200, 151, 102, 53, 4]


def test_missing_classes_are_more_and_more(items):
    found = [len(ladder.missing(items, rung, torch.Generator())) // 20 for rung in ladder.RUNGS]
    assert found == [10, 8, 5, 3, 1]


def test_blends_are_means_of_two_items(items):
    blended = ladder.blends(items, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(blended[100:], items.data[100:])
    first = torch.randperm(200, generator=torch.Generator().manual_seed(0))[0]
    assert blended[0].unique().tolist() == [int(items.data[first].max()) // 2]


def test_who_sees_the_pixels_sees_noise_and_who_is_blind_guesses():
    train, validation, _ = digits.splits()
    seen, guessed = (ladder.climb(judge, train.data, validation) for judge in (Pixels(), Blind()))
    assert seen.keys() == ladder.HARMS.keys()
    assert seen["noise"] > 0.9
    assert guessed["noise"] == pytest.approx(0.5, abs=0.2)
    assert ladder.climb(Pixels(), train.data, validation) == seen

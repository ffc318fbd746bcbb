import torch
from sklearn.datasets import load_digits

from zoo_bench.data.sets.digits import splits


def items(split):
    return {image.numpy().tobytes(): int(mode) for image, mode in zip(split.data, split.modes, strict=True)}


def test_splits_have_their_sizes_and_form(digits_task):
    assert [len(split) for split in splits()] == [1000, 197, 600]
    for split in splits():
        assert split.data.shape[1:] == (1, 8, 8)
        assert split.data.dtype == torch.uint8
        assert (int(split.data.min()), int(split.data.max())) == (0, 255)
        assert split.modes.dtype == torch.int64
        assert set(split.modes.tolist()) == set(range(10))
    assert digits_task.shape == (1, 8, 8)
    assert digits_task.modes == 10
    assert digits_task.offers == {"images", "features", "modes"}


def test_no_image_is_in_two_splits():
    train, validation, test = map(items, splits())
    assert len(train | validation | test) == 1797


def test_every_image_keeps_its_label_and_its_17_grey_levels():
    bunch = load_digits()
    expected = {
        torch.tensor(image).mul(255 / 16).round().to(torch.uint8).numpy().tobytes(): int(label)
        for image, label in zip(bunch.images, bunch.target, strict=True)
    }
    train, validation, test = map(items, splits())
    assert train | validation | test == expected
    assert len(splits()[0].data.unique()) == 17


def test_splits_are_the_same_every_time_whatever_the_seed():
    torch.manual_seed(1)
    first = splits()
    torch.manual_seed(2)
    for one, other in zip(first, splits(), strict=True):
        assert torch.equal(one.data, other.data)
        assert torch.equal(one.modes, other.modes)


def test_splits_are_shuffled():
    labels = torch.tensor(load_digits().target)
    assert not torch.equal(splits()[0].modes, labels[:1000])

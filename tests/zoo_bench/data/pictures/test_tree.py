"""What names of pictures say about splits, classes and groups."""

from collections import Counter

import numpy as np
import pytest

from zoo.errors import DataError, ZooError
from zoo_bench.data.pictures.tree import SHARES, groups_of, split_groups, splits_and_classes


@pytest.mark.parametrize(
    ("names", "parts", "kinds"),
    [
        (["cat/1.png", "dog/2.png"], None, ["cat", "dog"]),
        (["images/cat/1.png", "images/dog/small/2.png"], None, ["cat", "dog"]),
        (["a/b/c/cat/1.png", "a/b/c/dog/2.png"], None, ["cat", "dog"]),
        (["train/1.png", "bus/2.png", "car/3.png"], None, ["train", "bus", "car"]),
        (["cat/1.png", "2.png"], None, ["cat", ""]),
        (["only/1.png", "only/2.png"], None, ["", ""]),
        (["train/cat/1.png", "test/dog/2.png"], [None, 2], ["cat", "dog"]),
        (["set/Train/1.png", "set/Test/2.png"], [None, 2], ["", ""]),
        (["train/x/cat/1.png", "test/x/dog/2.png"], [None, 2], ["cat", "dog"]),
        (["training/1.png", "val/2.png", "testing/3.png", "test/4.png"], [0, 1, 2, 2], ["", "", "", ""]),
    ],
)
def test_splits_and_classes(names, parts, kinds):
    assert splits_and_classes("folder", names) == (parts, kinds)


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (["train/1.png", "val/2.png"], "train, val"),
        (["train/1.png", "test/2.png", "3.png"], "pictures outside of folders, test, train"),
        (["train/1.png", "test/2.png", "more/3.png"], "more, test, train"),
        (["val/1.png", "test/2.png"], "test, val"),
    ],
)
def test_splits_that_cannot_be_kept_are_refused(names, listed):
    with pytest.raises(DataError, match=f"^folder has {listed}: to keep its splits, it needs train and test"):
        splits_and_classes("folder", names)


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        ("folder", ["faces/s1", "faces/s2", "faces/s2"]),
        (r"s\d", ["s1", "s2", "s2"]),
        (r"frame(\d)", ["1", "1", "2"]),
        (r"(x)?s", ["", "", ""]),
    ],
)
def test_groups(pattern, groups):
    assert groups_of("folder", ["faces/s1/frame1.png", "faces/s2/frame1.png", "faces/s2/frame2.png"], pattern) == groups


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("dog", "matches nothing in 'cat/1.png'"), ("(", "is neither 'folder' nor a regular expression: missing")],
)
def test_patterns_that_do_not_serve_are_refused(pattern, message):
    with pytest.raises(ZooError, match=message):
        groups_of("folder", ["cat/1.png"], pattern)


def shares(sizes):
    filled = Counter()
    for group, split in split_groups(sizes).items():
        filled[split] += sizes[group]
    return [filled[split] / sum(sizes.values()) for split in range(3)]


def test_equal_groups_fill_the_shares_exactly():
    assert shares({f"face {i}": 10 for i in range(40)}) == pytest.approx(SHARES)


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_any_size_fill_the_shares_up_to_one_group(seed):
    sizes = {str(i): int(size) for i, size in enumerate(np.random.default_rng(seed).geometric(0.02, 100))}
    assert shares(sizes) == pytest.approx(SHARES, abs=max(sizes.values()) / sum(sizes.values()))


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1000, 1, 1), (5, 4, 3, 2)])
def test_three_groups_leave_no_split_empty(sizes):
    assert min(shares({str(i): size for i, size in enumerate(sizes)})) > 0

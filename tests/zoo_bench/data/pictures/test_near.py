"""Near-duplicates: copies that were compressed, resized or brightened are found, others are not."""

import io

import numpy as np
import pytest
from PIL import Image

from zoo_bench.data.pictures import near
from zoo_bench.data.pictures.near import near_duplicates

SIDE, TRAIN, HELD_OUT = 96, 60, 20


def photographs(seed=0):
    """Draw smooth pictures with some grain, as photographs are, (N, SIDE, SIDE, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (TRAIN + HELD_OUT, 6, 6, 3), np.uint8)
    smooth = [np.asarray(Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.BICUBIC), int) for p in coarse]
    return (np.stack(smooth) + rng.normal(0, 4, (TRAIN + HELD_OUT, SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)


def stored(pictures):
    small = [np.asarray(Image.fromarray(p).resize((32, 32), Image.Resampling.BICUBIC)) for p in pictures]
    return np.stack(small).transpose(0, 3, 1, 2)


def compressed(picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


def resized(picture):
    return np.asarray(Image.fromarray(picture).resize((57, 57)).resize((SIDE, SIDE)))


@pytest.mark.parametrize(
    ("copy", "found"),
    [
        (lambda p: p, 7),
        (compressed, 7),
        (resized, 7),
        (lambda p: (p * 0.8 + 20).astype(np.uint8), 7),
        (lambda p: p[:, ::-1], 0),
        (lambda p: np.roll(p, SIDE // 4, axis=1), 0),
    ],
)
def test_copies_of_training_pictures_are_counted(copy, found, monkeypatch):
    monkeypatch.setattr(near, "PICTURES_AT_ONCE", 6)
    pictures = photographs()
    pictures[TRAIN : TRAIN + 7] = [copy(picture) for picture in pictures[:TRAIN:9]]
    assert near_duplicates(stored(pictures), TRAIN, list(range(TRAIN, TRAIN + HELD_OUT))) == found


def test_pictures_of_one_colour_are_no_copies():
    flat = np.full((10, 3, 8, 8), 7, np.uint8)
    assert near_duplicates(flat, 5, [5, 6, 7, 8, 9]) == 0


@pytest.mark.parametrize(("train", "held_out"), [(0, [0, 1]), (2, [])])
def test_an_empty_side_has_no_copies(train, held_out):
    assert near_duplicates(stored(photographs()[:2]), train, held_out) == 0


def test_different_digits_are_no_copies(digits_task):
    images = np.concatenate([digits_task.train.data.numpy(), digits_task.test.data.numpy()])
    train = len(digits_task.train)
    assert near_duplicates(images, train, list(range(train, len(images)))) == 0

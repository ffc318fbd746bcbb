import io

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.task import Mixture
from zoo_bench.score.sheets import corner, image_grid, real_sheet, rows_of_classes, scatter, sheet, sheets


def pixels(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (5, 3), (9, 3), (64, 8)])
@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 32)])
def test_a_sheet_is_a_grid_of_about_512_pixels(n, columns, channels, side):
    picture = pixels(image_grid(torch.zeros(n, channels, side, side, dtype=torch.uint8)))
    native = columns * (side + 1) + 1 if n > 1 else side
    scale = picture.shape[1] // native
    assert picture.shape[1] in (native * scale, (side + 2) * scale, side * scale)
    assert 256 < picture.shape[1] <= 512
    assert picture.shape[2] == 3


def test_images_keep_their_order_and_every_pixel_its_value():
    images = torch.arange(4 * 16, dtype=torch.uint8).reshape(4, 1, 4, 4)
    picture = pixels(image_grid(images))
    scale = picture.shape[0] // 11
    native = picture[::scale, ::scale, 0]
    assert np.array_equal(native.repeat(scale, 0).repeat(scale, 1), picture[..., 0])
    for i, (row, column) in enumerate([(1, 1), (1, 6), (6, 1), (6, 6)]):
        assert np.array_equal(native[row : row + 4, column : column + 4], images[i, 0].numpy())


def test_colours_stay_colours():
    red = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    red[:, 0] = 200
    picture = pixels(image_grid(red))
    assert {(200, 0, 0), (128, 128, 128)} == {tuple(p) for p in picture.reshape(-1, 3).tolist()}


def test_points_are_drawn_over_the_true_centres(ring8_task):
    on, nothing = (pixels(sheet(points, ring8_task)) for points in (ring8_task.test.data[:500], torch.zeros(1, 2)))
    assert on.shape[:2] == nothing.shape[:2] == (512, 512)
    assert not np.array_equal(on, nothing)
    reddish = (nothing[..., 0] > nothing[..., 2].astype(int) + 60).sum()
    assert reddish > 50


@pytest.mark.parametrize("points", [torch.full((3, 2), 1e6), torch.tensor([[0.0, 0.0], [50.0, 0.0]])])
def test_points_far_outside_do_not_move_the_view(ring8_task, points):
    # The frame shows the real data's range; what is outside is counted in the title.
    inside = pixels(scatter(torch.zeros(2, 2), ring8_task))
    outside = pixels(scatter(points, ring8_task))
    assert outside.shape == inside.shape
    assert not np.array_equal(outside, inside)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_points_of_other_dimensions_can_be_drawn(ring8_task, dimensions):
    centres = torch.zeros(2, dimensions)
    centres[1] = 1.0
    mixture = Mixture(torch.cat([centres, torch.zeros(2, 1)], dim=1)[:, : max(2, dimensions)], 0.1)
    task = type(ring8_task)(**{**vars(ring8_task), "mixture": mixture})
    assert pixels(scatter(torch.rand(20, dimensions), task)).shape[0] == 512


def test_the_kind_of_sheet_is_that_of_the_task(digits_task, ring8_task):
    images = digits_task.test.data[:4]
    assert sheet(images, digits_task) == image_grid(images)
    points = ring8_task.test.data[:10]
    assert np.array_equal(pixels(sheet(points, ring8_task)), pixels(scatter(points, ring8_task)))


def test_a_corner_has_the_first_images_of_a_sheet_and_an_odd_sheet_is_returned_whole(digits_task):
    images = digits_task.test.data[:64]
    whole = Image.open(io.BytesIO(image_grid(images)))
    part = np.asarray(corner(whole, 8, 2))
    rows = torch.cat([images[:2], images[8:10]])
    scale = 512 // 73
    expected = pixels(image_grid(rows, columns=2))
    unscaled = expected[:: 512 // 19, :: 512 // 19]
    assert np.array_equal(part[::scale, ::scale], unscaled)
    assert corner(whole, 9, 2).size == whole.size


def test_the_sheet_of_real_items_is_like_a_runs_and_the_same_every_time(digits_task, ring8_task):
    for task in (digits_task, ring8_task):
        assert real_sheet(task) == real_sheet(task)
    assert pixels(real_sheet(digits_task)).shape == pixels(image_grid(digits_task.test.data[:64])).shape
    assert real_sheet(digits_task) != image_grid(digits_task.test.data[:64])


def test_the_sheet_of_a_model_with_labels_has_a_row_for_each_class_that_has_enough(digits_task):
    labels = torch.tensor([1, 0] * 8 + [2] * 7 + [3] * 9)
    rows = rows_of_classes(labels)
    assert labels[rows].tolist() == [0] * 8 + [1] * 8 + [3] * 8
    images = digits_task.train.data[: len(labels)]
    shown = pixels(sheets(images, digits_task, labels)[".png"])
    assert np.array_equal(shown, pixels(image_grid(images[rows], columns=8)))

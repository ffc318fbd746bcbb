import pytest
import torch

from zoo_bench.data.disturbances import DISTURBANCES, STRENGTHS, disturbed, disturbed_at_random
from zoo_bench.data.sets import digits


@pytest.fixture(scope="module")
def images():
    return digits.splits()[2].data[:200]


@pytest.fixture(params=DISTURBANCES)
def name(request):
    return request.param


def test_nothing_changes_at_strength_0(name, images):
    assert torch.equal(disturbed(images, name, 0.0), images)


def test_the_stronger_the_further_from_the_image(name, images):
    distances = [float((disturbed(images, name, s).float() - images.float()).abs().mean()) for s in (0.0, 0.5, 0.75, 1)]
    assert distances[-1] > 5
    assert distances == sorted(distances)


def test_the_same_seed_gives_the_same_images(name, images):
    first = disturbed(images, name, 1.0, seed=1)
    assert (first.shape, first.dtype) == (images.shape, torch.uint8)
    assert torch.equal(disturbed(images, name, 1.0, seed=1), first)


def test_colour_images_are_disturbed_like_grey_ones(name):
    grey = torch.randint(256, (5, 1, 16, 16), dtype=torch.uint8)
    colour = disturbed(grey.expand(-1, 3, -1, -1), name, 1.0)
    assert colour.shape == (5, 3, 16, 16)
    if name != "noise":
        assert torch.equal(colour, disturbed(grey, name, 1.0).expand(-1, 3, -1, -1))


@pytest.mark.parametrize(("strength", "levels"), [*zip(STRENGTHS, (25, 51, 76, 102), strict=True)])
def test_noise_has_the_grey_levels_that_papers_of_denoising_name(strength, levels):
    grey = torch.zeros(50, 1, 28, 28)
    noisy = DISTURBANCES["noise"](grey, torch.full((50,), strength), torch.Generator().manual_seed(0))
    assert float(noisy.std()) * 127.5 == pytest.approx(levels, abs=1.5)


def test_salt_hits_as_many_pixels_as_it_says():
    salted = disturbed(torch.full((50, 1, 28, 28), 100, dtype=torch.uint8), "salt", 0.5)
    shares = [float((salted == value).double().mean()) for value in (0, 255, 100)]
    assert shares == pytest.approx([0.1, 0.1, 0.8], abs=0.01)


def test_a_shift_moves_an_image_as_a_whole():
    image = torch.zeros(300, 1, 28, 28, dtype=torch.uint8)
    image[:, :, 12:14, 12:14] = 255
    moved = disturbed(image, "shift", 1.0)
    assert torch.equal(moved.sum(dim=(1, 2, 3)), image.sum(dim=(1, 2, 3)))
    rows, columns = (moved.amax(dim=d).squeeze(1).max(dim=1).indices - 12 for d in (3, 2))
    assert {(int(r), int(c)) for r, c in zip(rows, columns, strict=True)} >= {(4, 0), (-4, 0), (0, 4), (0, -4), (3, 3)}


def test_blur_keeps_the_brightness_of_an_image():
    image = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    image[0, 0, 14, 14] = 255
    blurred = disturbed(image, "blur", 0.5).float()
    assert float(blurred.sum()) == pytest.approx(255, rel=0.05)
    assert float(blurred[0, 0, 14, 14]) == pytest.approx(255 / (2 * torch.pi), rel=0.1)


def test_each_image_is_disturbed_by_chance_and_says_by_what(images):
    before = images.float() / 127.5 - 1
    torch.manual_seed(0)
    after, strengths = disturbed_at_random(before, torch.tensor([0.0, 0.0, 0.3, 0.3, 0.0]))
    assert (after.abs() <= 1).all()
    assert not strengths[:, [0, 1, 4]].any()
    assert float((strengths[:, 2:4] > 0).double().mean()) == pytest.approx(0.3, abs=0.06)
    untouched = ~strengths.any(dim=1)
    assert torch.equal(after[untouched], before[untouched])
    assert (after != before).flatten(1).any(dim=1)[~untouched].all()

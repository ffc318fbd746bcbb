"""Samples that were made elsewhere are read as the task stores its items, or refused in one sentence."""

import time

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from zoo.errors import ZooError
from zoo.task import Split, Task
from zoo_bench.data.outside import read_samples, sample_name

NEEDED = 12


def task(*shape, samples=NEEDED):
    if len(shape) == 3:
        generator = torch.Generator().manual_seed(7)
        split = Split(torch.randint(256, (40, *shape), dtype=torch.uint8, generator=generator))
    else:
        split = Split(torch.zeros(40, *shape))
    return Task(split, split, split, None, modes=0, samples=samples)


GREY, COLOUR, POINTS = task(1, 6, 8), task(3, 6, 8), task(2)


def drawn(*shape, n=NEEDED, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def write_images(folder, images, suffix="png", mode=None):
    """Write images (N, H, W) or (N, H, W, 3) uint8, in order, into a folder."""
    folder.mkdir(exist_ok=True)
    for index, pixels in enumerate(images):
        image = Image.fromarray(pixels)
        (image.convert(mode) if mode else image).save(folder / f"{index:05}.{suffix}")
    return folder


@pytest.fixture
def save(tmp_path):
    def write(array, name="samples.npz", **more):
        path = tmp_path / name
        if name.endswith(".npy"):
            np.save(path, array, allow_pickle=True)
        else:
            np.savez(path, samples=array, **more)
        return path

    return write


def refused(path, task, value_range=""):
    with pytest.raises(ZooError) as caught:
        read_samples(path, task, value_range)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["samples.npz", "samples.npy"])
@pytest.mark.parametrize("task", [GREY, COLOUR], ids=["grey", "colour"])
def test_uint8_arrays_in_either_order_of_axes(save, task, name):
    images = drawn(*task.shape)
    for array in (images, images.transpose(0, 2, 3, 1)):
        samples, left_out = read_samples(save(array, name), task)
        assert samples.dtype == torch.uint8
        assert samples.is_contiguous()
        assert samples.numpy().tolist() == images.tolist()
        assert left_out == ""


def test_grey_images_need_no_axis_of_channels(save):
    images = drawn(6, 8)
    assert read_samples(save(images), GREY)[0][:, 0].numpy().tolist() == images.tolist()
    assert "(12, 6, 8)" in refused(save(images), COLOUR)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([("0,1", 0.0), ("-1,1", -1.0)]),
    st.sampled_from([np.float32, np.float64, ">f4", np.longdouble]),
    st.booleans(),
)
def test_floats_of_either_range_and_any_width_are_the_pixels_that_they_were(save, seed, ranged, width, last):
    images = drawn(3, 6, 8, seed=seed)
    value_range, low = ranged
    floats = (images / 255 * (1.0 - low) + low).astype(width)
    array = floats.transpose(0, 2, 3, 1) if last else floats
    samples, _ = read_samples(save(array), COLOUR, value_range)
    assert samples.numpy().tolist() == images.tolist()


def test_the_only_array_may_have_any_name_and_one_of_several_must_be_called_samples(tmp_path, save):
    images, path = drawn(1, 6, 8), tmp_path / "only.npz"
    np.savez(path, images)
    assert read_samples(path, GREY)[0].numpy().tolist() == images.tolist()
    assert read_samples(save(images, labels=np.arange(12)), GREY)[0].numpy().tolist() == images.tolist()
    np.savez(path, images, np.arange(12))
    assert "has 2 arrays, none of them 'samples'" in refused(path, GREY)
    np.savez(path)
    assert "has 0 arrays" in refused(path, GREY)


def test_of_more_samples_the_same_random_ones_are_taken(save):
    images = drawn(1, 6, 8, n=100)
    path = save(images)
    samples, sentence = read_samples(path, GREY)
    assert sentence == f"88 of the 100 samples in {str(path)!r} were left out at random"
    assert torch.equal(samples, read_samples(path, GREY)[0])
    rows = [images.tolist().index(row) for row in samples.numpy().tolist()]
    assert rows == sorted(set(rows))
    assert max(rows) > 60
    assert min(rows) < 40


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (drawn(6, 1, 8), "(12, 6, 1, 8)"),
        (drawn(1, 8, 6), "(12, 1, 8, 6)"),
        (drawn(3, 6, 8), "(12, 3, 6, 8)"),
        (drawn(48), "(12, 48)"),
        (drawn(), "(12,)"),
        (np.array(3), "()"),
    ],
    ids=["axes", "size", "channels", "flat", "numbers", "one number"],
)
def test_another_shape_is_named_beside_those_that_are_expected(save, array, found):
    sentence = refused(save(array), GREY)
    assert f"shape {found}, but the task's items need (N, 1, 6, 8) or (N, 6, 8, 1) or (N, 6, 8)" in sentence


@pytest.mark.parametrize("n", [0, 1, 11])
def test_fewer_samples_than_the_task_is_scored_with(save, n):
    for name in ("samples.npz", "samples.npy"):
        assert f"has {n} samples, but the task is scored with 12" in refused(save(drawn(1, 6, 8, n=n), name), GREY)


UNIT = drawn(1, 6, 8) / 255


@pytest.mark.parametrize(
    ("array", "value_range", "sentence"),
    [
        (UNIT, "", "has floats, whose range is unknown: give --range 0,1 or --range -1,1"),
        (UNIT, "0,255", "--range must be 0,1 or -1,1, got '0,255'"),
        (UNIT, "-1,1", "if so, give --range 0,1"),
        (UNIT * 2 - 1, "0,1", "has values from -1 to 1, outside of --range 0,1"),
        (UNIT * 255, "-1,1", "has values from 0 to 255, outside of --range -1,1"),
        (np.where(UNIT > 0.9, np.nan, UNIT), "0,1", "NaN or infinite"),
        (np.where(UNIT > 0.9, np.inf, UNIT), "0,1", "NaN or infinite"),
        (np.where(UNIT > 0.9, 1e300, UNIT), "0,1", "NaN or infinite"),
        (drawn(1, 6, 8), "0,1", "has uint8 values, whose range is known: leave --range out"),
        (UNIT.round().astype(np.uint8), "", "0 and 1 only"),
        (UNIT.round().astype(np.int64), "", "has values of type int64, but floats or uint8 are expected"),
        (UNIT > 0.5, "", "has values of type bool"),
        (UNIT.astype(complex), "0,1", "has values of type complex128"),
        (UNIT.astype(str), "0,1", "has values of type <U"),
    ],
)
def test_values_that_cannot_be_the_tasks_pixels(save, array, value_range, sentence):
    assert sentence in refused(save(array), GREY, value_range)


def test_rounding_beyond_the_range_is_clipped(save):
    samples, _ = read_samples(save(UNIT * 1.0008), GREY, "0,1")
    assert int(samples.max()) == 255


def test_bright_data_may_have_no_value_below_0(save):
    bright = Split(torch.full((40, 1, 6, 8), 200, dtype=torch.uint8))
    assert read_samples(save(UNIT), Task(bright, bright, bright, None, modes=0, samples=12), "-1,1")


@pytest.mark.parametrize("name", ["samples.npz", "samples.npy"])
def test_files_that_are_no_arrays_of_numbers(tmp_path, save, name):
    path = save(np.array([{"not": "numbers"}] * 12, dtype=object), name)
    assert "is damaged or holds Python objects" in refused(path, GREY)
    whole = save(drawn(1, 6, 8), name).read_bytes()
    for content in (b"", b"text", whole[:100], whole[:-40]):
        path.write_bytes(content)
        assert "is damaged or holds Python objects" in refused(path, GREY)
    path.write_bytes(whole[:300] + bytes(100) + whole[400:])
    if name.endswith("npz"):
        assert "is damaged" in refused(path, GREY)


def test_what_is_neither_a_folder_nor_an_array(tmp_path):
    assert "is absent: name a folder of images, an .npz or an .npy file" in refused(tmp_path / "a.npz", GREY)
    (tmp_path / "a.pt").touch()
    assert "neither a folder nor an .npz or .npy file" in refused(tmp_path / "a.pt", GREY)


def test_points(save):
    points = np.random.default_rng(0).normal(size=(20, 2))
    samples, left_out = read_samples(save(points), POINTS)
    assert samples.dtype == torch.float32
    assert set(map(tuple, samples.tolist())) <= set(map(tuple, points.astype(np.float32).tolist()))
    assert left_out.startswith("8 of the 20 samples")


def test_points_of_another_kind(save, tmp_path):
    assert "the task's items need (N, 2)" in refused(save(np.zeros((12, 3))), POINTS)
    assert "has values of type int64, but floats are expected" in refused(save(np.zeros((12, 2), int)), POINTS)
    assert "NaN or infinite" in refused(save(np.full((12, 2), np.nan)), POINTS)
    assert "leave it out" in refused(save(np.zeros((12, 2))), POINTS, "0,1")
    assert "no images in grey or RGB" in refused(tmp_path, POINTS)
    assert "no images in grey or RGB" in refused(tmp_path, task(2, 6, 8))


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_image_files_are_read_unchanged_in_the_order_of_their_names(tmp_path, suffix):
    images = drawn(6, 8, 3)
    folder = tmp_path / "fakes"
    folder.mkdir()
    for index, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / f"{index:05}.{suffix}", lossless=True)
    samples, left_out = read_samples(folder, COLOUR)
    assert samples.permute(0, 2, 3, 1).numpy().tolist() == images.tolist()
    assert left_out == ""


@pytest.mark.parametrize("mode", [None, "RGB", "RGBA", "P", "LA"])
def test_a_grey_task_takes_files_without_colour_in_any_mode(tmp_path, mode):
    images = drawn(6, 8)
    samples, _ = read_samples(write_images(tmp_path / "fakes", images, mode=mode), GREY)
    assert samples[:, 0].numpy().tolist() == images.tolist()


def test_a_grey_task_takes_grey_jpegs_in_three_channels(tmp_path):
    folder = write_images(tmp_path / "fakes", drawn(6, 8), suffix="jpg", mode="RGB")
    assert read_samples(folder, GREY)[0].shape == (12, 1, 6, 8)


def test_a_grey_task_refuses_colours(tmp_path):
    folder = write_images(tmp_path / "fakes", drawn(6, 8))
    Image.fromarray(drawn(6, 8, 3)[0]).save(folder / "00004.png")
    assert "'00004.png' in" in (sentence := refused(folder, GREY))
    assert "has colours, but the task's images are grey, with one channel" in sentence


def test_a_colour_task_takes_grey_files_among_others_but_not_alone(tmp_path):
    grey = drawn(6, 8)
    folder = write_images(tmp_path / "fakes", grey)
    assert "are grey, but the task's images have 3 channels" in refused(folder, COLOUR)
    Image.fromarray(drawn(6, 8, 3)[0]).save(folder / "00000.png")
    samples, _ = read_samples(folder, COLOUR)
    assert samples[5].numpy().tolist() == [grey[5].tolist()] * 3


def test_image_files_of_another_size_are_not_resized(tmp_path):
    folder = write_images(tmp_path / "fakes", drawn(8, 6))
    assert "'00000.png' in" in (sentence := refused(folder, GREY))
    assert "has 6x8 pixels, but the task's images have 8x6, and samples are not resized" in sentence


def test_image_files_that_cannot_be_read_or_are_too_few(tmp_path):
    folder = tmp_path / "fakes"
    folder.mkdir()
    assert "has no pictures that Pillow reads" in refused(folder, GREY)
    write_images(folder, drawn(6, 8, n=11))
    assert "has 11 samples, but the task is scored with 12" in refused(folder, GREY)
    (folder / "00011.png").write_bytes(b"no image")
    assert "'00011.png' in" in (sentence := refused(folder, GREY))
    assert "cannot be read: not a picture that Pillow reads" in sentence
    assert "leave --range out" in refused(folder, GREY, "0,1")
    (folder / "00011.png").unlink()
    (folder / "00011.png").symlink_to("nowhere")
    assert "'00011.png' in" in refused(folder, GREY)


def test_of_more_files_the_same_random_ones_are_taken(tmp_path):
    folder = write_images(tmp_path / "fakes", drawn(6, 8, n=30))
    samples, sentence = read_samples(folder, GREY)
    assert sentence.startswith("18 of the 30 samples")
    assert torch.equal(samples, read_samples(folder, GREY)[0])


def test_real_mnist_written_by_another_program_is_read_back(tmp_path, mnist_task):
    real = mnist_task.test.data
    np.savez(tmp_path / "real.npz", real.permute(0, 2, 3, 1).numpy())
    assert torch.equal(read_samples(tmp_path / "real.npz", mnist_task)[0], real)
    np.savez(tmp_path / "float.npz", (real / 255).numpy())
    assert torch.equal(read_samples(tmp_path / "float.npz", mnist_task, "0,1")[0], real)
    assert "give --range 0,1" in refused(tmp_path / "float.npz", mnist_task, "-1,1")


def test_ten_thousand_files_take_seconds(tmp_path, mnist_task):
    real = mnist_task.test.data
    folder = write_images(tmp_path / "fakes", real[:, 0].numpy())
    start = time.perf_counter()
    samples, _ = read_samples(folder, mnist_task)
    assert time.perf_counter() - start < 10
    assert torch.equal(samples, real)


@pytest.mark.parametrize(
    ("path", "name"),
    [("StyleGAN2 samples.npz", "stylegan2-samples"), ("a/ddpm_1.0.npy", "ddpm_1.0"), ("x/../fakes.npz", "fakes")],
)
def test_the_name_of_a_file(path, name, tmp_path):
    assert sample_name(tmp_path / path) == name


def test_the_name_of_a_folder(tmp_path, monkeypatch):
    folder = tmp_path / "GAN v1.5"
    folder.mkdir()
    assert sample_name(folder) == "gan-v1.5"
    monkeypatch.chdir(folder)
    assert sample_name(folder.relative_to(folder)) == "gan-v1.5"


@pytest.mark.parametrize("name", ["_fakes.npz", "a+b.npz", "größe.npz"])
def test_a_file_that_gives_no_name(name, tmp_path):
    with pytest.raises(ZooError, match="give one with --name"):
        sample_name(tmp_path / name)

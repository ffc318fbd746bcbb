import gzip
import struct

import numpy as np
import platformdirs
import pytest
import torch
import torchvision

from zoo.errors import DataError
from zoo_bench.data.sets import mnist

SIZES = {"train": 40, "t10k": 12}
NAMES = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
]  # fmt: skip


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {part: (rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n, np.uint8))
            for part, n in SIZES.items()}  # fmt: skip


@pytest.fixture
def small(root, arrays, monkeypatch):
    """MNIST's four files with few images, in MNIST's own format."""
    monkeypatch.setattr(mnist, "VALIDATION", 10)
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, (images, labels) in arrays.items():
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, *images.shape) + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, len(labels)) + labels.tobytes())
    return raw


@pytest.fixture
def offline(monkeypatch):
    """No network: every download of torchvision fails."""

    def fail(*arguments, **options):
        raise RuntimeError("the network is unreachable.")

    monkeypatch.setattr(torchvision.datasets.mnist, "download_and_extract_archive", fail)


def test_files_under_zoo_data_are_read_without_a_network(small, offline, arrays):
    train, validation, test = mnist.splits()
    images, labels = arrays["train"]
    assert torch.equal(train.data, torch.from_numpy(images[:30]).unsqueeze(1))
    assert torch.equal(validation.data, torch.from_numpy(images[30:]).unsqueeze(1))
    assert train.modes.tolist() + validation.modes.tolist() == labels.tolist()
    assert torch.equal(test.data, torch.from_numpy(arrays["t10k"][0]).unsqueeze(1))
    assert test.modes.tolist() == arrays["t10k"][1].tolist()
    assert test.data.dtype == torch.uint8


def test_the_task_is_ready_for_a_run(small, offline):
    task = mnist.mnist()
    assert task.shape == (1, 28, 28)
    assert (task.modes, task.samples) == (10, 10_000)
    assert task.judge.features(task.test.data).shape == (12, 64)


def test_real_mnist_has_its_sizes_and_classes(mnist_task):
    splits = (mnist_task.train, mnist_task.validation, mnist_task.test)
    assert [len(split) for split in splits] == [50_000, 10_000, 10_000]
    assert all(set(split.modes.tolist()) == set(range(10)) for split in splits)


def refused() -> str:
    with pytest.raises(DataError) as caught:
        mnist.splits()
    return str(caught.value)


def test_offline_without_files_the_error_says_which_go_where_in_one_sentence(root, offline):
    sentence = refused()
    assert all(name in sentence for name in NAMES)
    assert str(root / "MNIST" / "raw") in sentence
    assert "ZOO_DATA" in sentence
    assert "the network is unreachable" in sentence
    assert "\n" not in sentence


def test_a_failed_download_leaves_nothing_behind(root, offline):
    refused()
    assert not (root / "MNIST").exists()


def test_a_failed_download_does_not_make_the_data_folder(root, offline):
    root.rmdir()
    refused()
    assert not root.exists()


def test_a_failed_download_does_not_take_the_users_folders(root, offline):
    (root / "MNIST").mkdir()
    refused()
    assert (root / "MNIST").is_dir()


def test_a_failed_download_leaves_the_users_files(root, offline):
    (root / "mine.txt").write_text("mine")
    refused()
    assert [path.name for path in root.iterdir()] == ["mine.txt"]


def test_one_missing_file_is_as_good_as_none(small, offline):
    (small / "t10k-labels-idx1-ubyte").unlink()
    assert "t10k-labels-idx1-ubyte" in refused()
    assert len(list(small.iterdir())) == 3


@pytest.mark.parametrize("content", [b"", b"not an idx file at all", b"\x00\x00\x08\x03\x00\x00\x00\x28"])
def test_a_damaged_file_is_an_error_that_names_the_folder(small, offline, content):
    (small / "train-images-idx3-ubyte").write_bytes(content)
    assert str(small) in refused()


def test_packed_files_are_unpacked(small, monkeypatch):
    resources = []
    for name in NAMES:
        content = (small / name).read_bytes()
        (small / f"{name}.gz").write_bytes(gzip.compress(content))
        (small / name).unlink()
        resources.append((f"{name}.gz", torchvision.datasets.utils.calculate_md5(small / f"{name}.gz")))
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    assert [len(split) for split in mnist.splits()] == [30, 10, 12]


@pytest.mark.parametrize("value", [None, ""])
def test_without_zoo_data_files_belong_into_the_cache_folder(offline, monkeypatch, tmp_path, value):
    if value is None:
        monkeypatch.delenv("ZOO_DATA", raising=False)
    else:
        monkeypatch.setenv("ZOO_DATA", value)
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    assert str(tmp_path / "genzoo" / "MNIST" / "raw") in refused()


def test_loading_prints_nothing_to_stdout(small, capsys):
    mnist.splits()
    assert capsys.readouterr().out == ""

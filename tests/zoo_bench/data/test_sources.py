"""Published data sets from small files in exactly their formats."""

import pickle
import struct

import numpy as np
import pytest
import scipy.io
import torch
import torchvision

import zoo
from zoo.cli import main
from zoo.errors import DataError
from zoo_bench import load_results
from zoo_bench.data import sources
from zoo_bench.data.loading import load_task
from zoo_bench.data.sets import cifar, mnist, stacked, svhn

rng = np.random.default_rng(0)


@pytest.fixture
def unchecked(monkeypatch):
    """Let torchvision take files whatever their checksums."""
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda path, md5=None: True)
    monkeypatch.setattr(torchvision.datasets.svhn, "check_integrity", lambda path, md5=None: True)


@pytest.fixture
def few(monkeypatch):
    for module in (cifar, mnist, svhn):
        monkeypatch.setattr(module, "VALIDATION", 20)
        monkeypatch.setattr(module, "SAMPLES", 64)


def write_cifar(root, source, key, classes):
    folder = root / source.folder
    folder.mkdir()
    arrays = {}
    for name in source.checksums:
        if "meta" in name:
            content = {"label_names" if key == "labels" else "fine_label_names": [str(i) for i in range(classes)]}
        else:
            arrays[name] = rng.integers(0, 256, (40, 3072), np.uint8), [i % classes for i in range(40)]
            content = {"data": arrays[name][0], key: arrays[name][1]}
        (folder / name).write_bytes(pickle.dumps(content))
    return arrays


def write_svhn(root, labels=range(1, 11)):
    labels = np.array(list(labels) * 8, np.uint8)
    images = rng.integers(0, 256, (32, 32, 3, len(labels)), np.uint8)
    for part in ("train", "test"):
        scipy.io.savemat(root / f"{part}_32x32.mat", {"X": images, "y": labels[:, None]})
    return images, labels


def write_idx(root, kind, n=80, high=10):
    raw = root / kind / "raw"
    raw.mkdir(parents=True)
    images, labels = rng.integers(0, 256, (n, 28, 28), np.uint8), (np.arange(n) % high).astype(np.uint8)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, *images.shape) + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, n) + labels.tobytes())
    return images, labels


def write(name, root):
    """Write small files of a task in its format."""
    if name == "svhn":
        return write_svhn(root)
    if name.startswith("cifar"):
        fine = name == "cifar100"
        return write_cifar(root, sources.SOURCES[name], "fine_labels" if fine else "labels", 100 if fine else 10)
    return write_idx(root, sources.SOURCES[name].folder.partition("/")[0])


def refused(name):
    with pytest.raises(DataError) as caught:
        load_task(zoo.installed().tasks.get(name))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_cifar10_keeps_images_and_labels(root, unchecked, few):
    arrays = write("cifar10", root)
    task = cifar.cifar10()
    assert [len(task.train), len(task.validation), len(task.test)] == [180, 20, 40]
    assert torch.equal(task.train.data[0], torch.from_numpy(arrays["data_batch_1"][0][0]).reshape(3, 32, 32))
    assert torch.equal(task.test.data.flatten(1), torch.from_numpy(arrays["test_batch"][0]))
    assert task.test.modes.tolist() == arrays["test_batch"][1]
    assert task.train.data.is_contiguous()


def test_svhn_keeps_images_and_calls_ten_zero(root, unchecked, few):
    images, labels = write("svhn", root)
    task = svhn.svhn()
    assert torch.equal(task.test.data, torch.from_numpy(images.transpose(3, 2, 0, 1).copy()))
    assert task.test.modes.tolist() == (labels % 10).tolist()


def test_kmnist_keeps_images_and_labels(root, few):
    images, labels = write("kmnist", root)
    task = mnist.kuzushiji()
    assert torch.equal(task.test.data.squeeze(1), torch.from_numpy(images))
    assert task.test.modes.tolist() == labels.tolist()


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"])
def test_every_published_set_runs_from_its_file_format(root, unchecked, few, offline, runs, name):
    write(name, root)
    assert zoo.installed().tasks.get(name).spec.state == "ready"
    runs(name)


@pytest.mark.slow
def test_stacked_mnist_runs_from_the_files_of_mnist(root, offline, runs, monkeypatch):
    monkeypatch.setattr(stacked, "TRAIN", 2000)
    monkeypatch.setattr(stacked, "VALIDATION", 1000)
    monkeypatch.setattr(mnist, "VALIDATION", 20)
    write("mnist", root)
    assert zoo.installed().tasks.get("stacked-mnist").spec.state == "ready"
    runs("stacked-mnist")


@pytest.mark.parametrize("name", ["digits", "stacked-digits", "ring8", "grid25"])
def test_every_task_without_files_runs(root, runs, name):
    points = zoo.installed().tasks.get(name).spec.data == "points"
    runs(name, "vae") if points else runs(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "stacked-mnist"])
def test_the_command_runs_from_the_real_files(name, tmp_path):
    if zoo.installed().tasks.get(name).spec.state != "ready":
        pytest.skip(f"{name} is not under $ZOO_DATA")
    out = tmp_path / "out"
    assert (
        main(["bench", "--models", "vae,dcgan", "--task", name, "--budget", "5k", "--seeds", "1", "--out", str(out)])
        == 0
    )
    assert load_results(out)["fid"].gt(0).sum() == 2


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist", "stacked-mnist", "cifar10", "cifar100", "svhn"])
def test_offline_and_absent_one_sentence_says_what_goes_where_and_nothing_stays(root, offline, name):
    sentence = refused(name)
    source = sources.SOURCES[name]
    assert all(file in sentence for file in source.checksums)
    assert str(source.path) in sentence
    assert "ZOO_DATA" in sentence
    assert list(root.iterdir()) == []
    assert zoo.installed().tasks.get(name).spec.state.startswith("a download")


def test_what_was_there_before_a_failed_download_stays(root, offline):
    (root / "cifar-10-batches-py").mkdir()
    (root / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"mine")
    refused("cifar10")
    assert [str(p.relative_to(root)) for p in sorted(root.rglob("*"))] == [
        "cifar-10-batches-py", "cifar-10-batches-py/data_batch_1",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "file"), [("cifar10", "data_batch_1"), ("svhn", "train_32x32.mat")])
def test_a_wrong_checksum_names_file_and_checksums(root, offline, name, file):
    write(name, root)
    sentence = refused(name)
    assert f"{file} has MD5" in sentence
    assert f"not {sources.SOURCES[name].checksums[file]}" in sentence


def test_labels_beyond_the_classes_are_refused(root, few):
    write_idx(root, "KMNIST", high=12)
    assert "has labels from 0 to 11, but 10 classes are 0 to 9" in refused("kmnist")


def test_too_few_labels_are_refused(root, few):
    write_idx(root, "KMNIST")
    labels = root / "KMNIST" / "raw" / "train-labels-idx1-ubyte"
    labels.write_bytes(struct.pack(">2i", 2049, 79) + labels.read_bytes()[8:-1])
    assert "has 80 images but 79 labels" in refused("kmnist")


def test_data_command_finds_a_changed_file(root, few, capsys):
    write("fashion-mnist", root)
    assert main(["data", "fashion-mnist"]) == 2
    error = capsys.readouterr().err
    assert "train-images-idx3-ubyte has MD5" in error
    assert "Traceback" not in error


def test_data_command_says_what_it_verified(root, few, capsys):
    write("kmnist", root)
    assert main(["data", "kmnist"]) == 0
    assert "60 training, 20 validation and 80 test items" in capsys.readouterr().out


def test_checksums_and_names_are_torchvisions():
    for kind, source in (("CIFAR10", sources.CIFAR10), ("CIFAR100", sources.CIFAR100)):
        real = getattr(torchvision.datasets, kind)
        expected = dict([*real.train_list, *real.test_list, [real.meta["filename"], real.meta["md5"]]])
        assert (source.checksums, source.folder, source.instead) == (expected, real.base_folder, (real.filename,))
    parts = torchvision.datasets.SVHN.split_list
    assert sources.SVHN.checksums == {parts[p][1]: parts[p][2] for p in ("train", "test")}
    for kind in ("MNIST", "FashionMNIST", "KMNIST"):
        names = [name.removesuffix(".gz") for name, _ in getattr(torchvision.datasets, kind).resources]
        source = next(s for s in sources.SOURCES.values() if s.folder == f"{kind}/raw")
        assert sorted(source.checksums) == sorted(names)
        assert sorted(source.instead) == sorted(f"{source.folder}/{name}.gz" for name in names)
    faces = {name: md5 for _, md5, name in torchvision.datasets.CelebA.file_list}
    assert sources.CELEBA.checksums.items() <= faces.items()
    assert sources.CELEBA.folder == torchvision.datasets.CelebA.base_folder

"""CelebA from small files in exactly its format: an archive or folder of JPEG files, and the list of the partition."""

import io
import zipfile

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

import zoo
from zoo.cli import main
from zoo.errors import DataError
from zoo_bench.data import sources
from zoo_bench.data.loading import load_task
from zoo_bench.data.pictures import task as pictures
from zoo_bench.data.pictures.images import read_image
from zoo_bench.data.sets.celeba import RECIPE

PARTS = [0] * 100 + [1] * 15 + [2] * 12


def face(seed):
    """Return the JPEG of a 178x218 picture, the size of all aligned faces."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize((178, 218), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


FACES = {f"{i:06}.jpg": face(i) for i in range(1, len(PARTS) + 1)}


def write_partition(root, parts=PARTS):
    (root / "celeba").mkdir()
    lines = [f"{name} {part}" for name, part in zip(FACES, parts, strict=True)]
    (root / "celeba" / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")


def write_archive(root, faces=FACES):
    with zipfile.ZipFile(root / "celeba" / "img_align_celeba.zip", "w") as archive:
        archive.mkdir("img_align_celeba")
        for name, content in faces.items():
            archive.writestr(f"img_align_celeba/{name}", content)


def write_folder(root):
    (root / "celeba" / "img_align_celeba").mkdir()
    for name, content in FACES.items():
        (root / "celeba" / "img_align_celeba" / name).write_bytes(content)


@pytest.fixture
def unchecked(monkeypatch):
    monkeypatch.setattr(sources.Source, "damaged", lambda self: [])


@pytest.fixture(params=[write_archive, write_folder])
def files(request, root, unchecked):
    write_partition(root)
    request.param(root)
    return root / "celeba"


def refused():
    with pytest.raises(DataError) as caught:
        load_task(zoo.installed().tasks.get("celeba64"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_published_partition_is_kept(files):
    task = load_task(zoo.installed().tasks.get("celeba64"))
    assert [len(task.train), len(task.validation), len(task.test)] == [100, 15, 12]
    expected = {read_image(content, RECIPE).tobytes() for content in list(FACES.values())[115:]}
    assert {image.numpy().tobytes() for image in task.test.data} == expected


def test_the_central_140_pixels_become_64():
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[39:179, 19:159] = 200
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    assert (read_image(file.getvalue(), RECIPE) == 200).all()
    pixels[39:179, 19:159] = np.arange(140)[:, None, None]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    rows = read_image(file.getvalue(), RECIPE)[0, 5:-5, 30].astype(float)
    assert rows == pytest.approx((np.arange(5, 59) + 0.5) * 140 / 64 - 0.5, abs=1)


def test_duplicates_stay_where_they_were_published(root, unchecked):
    write_partition(root)
    write_archive(root, {**FACES, "000002.jpg": FACES["000001.jpg"], "000127.jpg": FACES["000001.jpg"]})
    task = load_task(zoo.installed().tasks.get("celeba64"))
    assert [len(task.train), len(task.validation), len(task.test)] == [100, 15, 12]
    copy = torch.from_numpy(read_image(FACES["000001.jpg"], RECIPE))
    assert [int((s.data == copy).flatten(1).all(1).sum()) for s in (task.train, task.test)] == [2, 1]


def test_it_is_ready_and_runs_from_its_file_format(root, unchecked, runs, monkeypatch):
    write_partition(root)
    write_archive(root)
    monkeypatch.setattr(pictures, "MIN_SAMPLES", 32)
    assert zoo.installed().tasks.get("celeba64").spec.state == "ready"
    runs("celeba64")


def test_a_second_start_reads_no_picture(files, monkeypatch):
    first = load_task(zoo.installed().tasks.get("celeba64"))
    monkeypatch.setattr("zoo_bench.data.pictures.preparing.read_image", None)
    assert torch.equal(load_task(zoo.installed().tasks.get("celeba64")).train.data, first.train.data)


def test_offline_and_absent(root, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("the network is unreachable.")

    monkeypatch.setattr(torchvision.datasets.celeba, "download_file_from_google_drive", fail)
    sentence = refused()
    assert "CelebA is not in" in sentence
    assert "put img_align_celeba.zip and list_eval_partition.txt" in sentence
    assert "ZOO_DATA" in sentence
    assert list(root.iterdir()) == []
    assert zoo.installed().tasks.get("celeba64").spec.state.startswith("a download")


def test_a_wrong_checksum_names_file_and_checksums(root, cache):
    write_partition(root)
    write_archive(root)
    sentence = refused()
    assert "img_align_celeba.zip has MD5" in sentence
    assert "not 00d2c5bc6d35e252742224ab0c1e8fcb" in sentence
    assert list((cache / "folders").iterdir()) == []


@pytest.mark.parametrize("content", [None, b"no JPEG", FACES["000001.jpg"][:-200]])
def test_an_absent_or_broken_face_is_damage(root, unchecked, cache, content):
    write_partition(root)
    faces = {**FACES, "000120.jpg": content}
    write_archive(root, {name: face for name, face in faces.items() if face is not None})
    assert "is damaged (000120.jpg: " in refused()
    assert list((cache / "folders").iterdir()) == []


def test_a_partition_of_another_form_is_damage(root, unchecked):
    write_partition(root, ["3", *PARTS[1:]])
    write_archive(root)
    assert "must have lines such as '000001.jpg 0'" in refused()


def test_an_archive_that_is_none_is_damage(root, unchecked):
    write_partition(root)
    (root / "celeba" / "img_align_celeba.zip").write_text("no archive")
    assert "img_align_celeba.zip: File is not a zip file" in refused()


def test_data_command_verifies(files, capsys):
    assert main(["data", "celeba64"]) == 0
    assert "100 training, 15 validation and 12 test items" in capsys.readouterr().out

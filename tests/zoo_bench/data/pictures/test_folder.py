"""``folder:PATH``: preparation, splits, labels, names, and the way through the harness."""

import itertools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.cli import main
from zoo.errors import DataError, ZooError
from zoo_bench.data.loading import load_task
from zoo_bench.data.pictures import preparing as prepare_module
from zoo_bench.data.pictures import task as pictures_module
from zoo_bench.data.pictures.folder import Folder
from zoo_bench.data.pictures.images import Recipe, read_image
from zoo_bench.data.pictures.preparing import prepare
from zoo_bench.data.stream import Stream
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute
from zoo_bench.score.sampling import sample_run
from zoo_bench.store.records import Store


def bind(text):
    return zoo.installed().tasks.get(text)


def rows(split):
    return {bytes(image.numpy().tobytes()) for image in split.data}


def task_of(path, options=""):
    return load_task(bind(f"folder:{path}{options}"))


def test_every_image_is_in_one_split_and_seven_tenths_are_for_training(tmp_path, draw):
    draw(tmp_path / "a", 600)
    task = task_of(tmp_path / "a", "?size=8")
    parts = [rows(split) for split in (task.train, task.validation, task.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 600
    assert [len(part) / 600 for part in parts] == pytest.approx([0.7, 0.1, 0.2], abs=0.06)


def test_adding_renaming_and_removing_files_moves_no_other(pictures, draw):
    before = task_of(pictures)
    draw(pictures, 50, seed=1)
    (pictures / "0-0003.png").rename(pictures / "zzz.png")
    (pictures / "0-0004.png").unlink()
    after = task_of(pictures)
    names = ("train", "validation", "test")
    for name in names:
        old, new = rows(getattr(before, name)), rows(getattr(after, name))
        assert len(old - new) <= 1
        assert not old & set().union(*(rows(getattr(after, other)) for other in names if other != name))


def test_the_same_content_is_the_same_task_wherever_and_however_it_is_called(pictures, tmp_path):
    first = bind(f"folder:{pictures}").spec
    moved = tmp_path / "elsewhere" / pictures.name
    shutil.copytree(pictures, moved)
    (moved / "0-0003.png").rename(moved / "zzz.png")
    assert bind(f"folder:{moved}").spec == first


def test_other_pixels_sizes_colours_and_labels_are_other_versions(pictures):
    versions = {bind(f"folder:{pictures}{options}").spec.version for options in ("", "?size=16", "?grey=1")}
    (pictures / "0-0003.png").unlink()
    versions.add(bind(f"folder:{pictures}").spec.version)
    for sub, start in (("a", 0), ("b", 60)):
        (pictures / sub).mkdir()
        for path in sorted(pictures.glob("*.png"))[: 60 if start == 0 else None]:
            path.rename(pictures / sub / path.name)
    versions.add(bind(f"folder:{pictures}").spec.version)
    assert len(versions) == 5


def test_names_in_results_are_safe_and_lead_back_to_the_images(pictures):
    spec = bind(f"folder:{pictures}?size=16&grey=1").spec
    assert spec.name.startswith("folder@my-pictures-16-grey-")
    assert spec.version.endswith(spec.name[-12:])
    shutil.rmtree(pictures)
    assert bind(spec.name).spec == spec
    assert load_task(bind(spec.name)).shape == (1, 16, 16)


def test_a_result_whose_images_left_the_cache_says_what_to_do(pictures, cache):
    name = bind(f"folder:{pictures}").spec.name
    shutil.rmtree(cache)
    with pytest.raises(DataError, match="are not in the cache: name their source again"):
        bind(name)


def test_sub_folders_are_labels_if_there_are_several(tmp_path, draw):
    for seed, name in enumerate(("cats", "dogs", "dogs/small")):
        draw(tmp_path / "pets" / name, 60, seed=seed)
    prepared = prepare(Folder(tmp_path / "pets"), Recipe(8))
    assert prepared.about["classes"] == ["cats", "dogs"]
    assert np.bincount(prepared.labels).tolist() == [60, 120]
    cats = {read_image(p, Recipe(8)).tobytes() for p in (tmp_path / "pets" / "cats").iterdir()}
    assert {image.tobytes() for image in prepared.images[prepared.labels == 0]} == cats
    task = task_of(tmp_path / "pets")
    assert task.modes == 0
    assert sum(len(split.modes) for split in (task.train, task.validation, task.test)) == 180


@pytest.mark.parametrize("loose", [True, False])
def test_one_sub_folder_or_loose_images_are_no_labels(tmp_path, draw, loose):
    draw(tmp_path / "all" / "only", 110)
    if loose:
        draw(tmp_path / "all" / "second", 5, seed=1)
        draw(tmp_path / "all", 5, seed=2)
    assert prepare(Folder(tmp_path / "all"), Recipe(8)).labels is None


def test_one_folder_around_the_sub_folders_keeps_the_labels(tmp_path, draw):
    for seed, name in enumerate(("cats", "dogs")):
        draw(tmp_path / "download" / "images" / name, 60, seed=seed)
    prepared = prepare(Folder(tmp_path), Recipe(8))
    assert (prepared.about["classes"], len(prepared.labels)) == (["cats", "dogs"], 120)


def test_train_and_test_folders_are_the_splits(tmp_path, draw):
    for seed, (split, name) in enumerate(itertools.product(("train", "test"), ("cats", "dogs"))):
        draw(tmp_path / "pets" / split / name, 60 if split == "train" else 20, seed=seed)
    prepared = prepare(Folder(tmp_path / "pets"), Recipe(8))
    task = task_of(tmp_path / "pets", "?size=8")
    kept = {read_image(path, Recipe(8)).tobytes() for path in (tmp_path / "pets" / "test").rglob("*.png")}
    assert rows(task.test) == kept
    assert not kept & (rows(task.train) | rows(task.validation))
    assert len(task.train) + len(task.validation) == 120
    assert prepared.about["classes"] == ["cats", "dogs"]
    assert [torch.bincount(task.test.modes).tolist(), len(task.train.modes)] == [[20, 20], len(task.train)]


def test_a_published_validation_split_is_kept_too(tmp_path, draw):
    for seed, (split, n) in enumerate({"train": 90, "val": 15, "test": 12}.items()):
        draw(tmp_path / "pets" / split, n, seed=seed)
    task = task_of(tmp_path / "pets", "?size=8")
    assert [len(task.train), len(task.validation), len(task.test)] == [90, 15, 12]


def test_splits_that_cannot_be_kept_are_refused(tmp_path, draw):
    for seed, split in enumerate(("train", "val")):
        draw(tmp_path / "pets" / split, 60, seed=seed)
    with pytest.raises(DataError, match="has train, val: to keep its splits, it needs train and test"):
        bind(f"folder:{tmp_path / 'pets'}")


@pytest.mark.parametrize("option", ["group=folder", "group=s%5Cd%2B", "group=(s[0-9]*)/"])
def test_groups_stay_in_one_split(tmp_path, draw, option, capsys):
    for face in range(40):
        draw(tmp_path / "faces" / f"s{face}", 5, seed=face)
    task = task_of(tmp_path / "faces", f"?size=8&{option}")
    assert [len(task.train), len(task.validation), len(task.test)] == [140, 20, 40]
    for face in range(40):
        files = (tmp_path / "faces" / f"s{face}").iterdir()
        own = {read_image(path, Recipe(8)).tobytes() for path in files}
        assert sum(bool(own & rows(split)) for split in (task.train, task.validation, task.test)) == 1
    assert "each of 40 groups is in one split" in capsys.readouterr().err


def test_another_group_is_another_preparation(tmp_path, draw):
    for face in range(40):
        draw(tmp_path / "faces" / f"s{face}", 5, seed=face)
    names = {bind(f"folder:{tmp_path / 'faces'}?size=8{option}").spec.name for option in ("", "&group=folder")}
    assert len(names) == 2


def test_groups_that_leave_a_split_empty_or_meet_published_splits_are_refused(tmp_path, draw):
    for seed, split in enumerate(("train", "test")):
        draw(tmp_path / "pets" / split, 110, seed=seed)
    with pytest.raises(DataError, match="has its own training and test splits, which are kept: leave group= out"):
        bind(f"folder:{tmp_path / 'pets'}?group=folder")
    with pytest.raises(DataError, match="has fewer than three groups"):
        bind(f"folder:{tmp_path / 'pets' / 'train'}?group=folder")


def test_near_duplicates_across_splits_are_counted_and_said(tmp_path, draw, capsys):
    draw(tmp_path / "pets" / "train", 100, size=(64, 64))
    draw(tmp_path / "pets" / "test", 10, size=(64, 64), seed=1)
    for path in sorted((tmp_path / "pets" / "train").iterdir())[:4]:
        dimmed = Image.open(path).point(lambda level: round(level * 0.9))
        dimmed.save(tmp_path / "pets" / "test" / f"again-{path.name}")
    prepared = prepare(Folder(tmp_path / "pets"), Recipe(32))
    said = capsys.readouterr().err
    trained = {image.tobytes() for image in prepared.images[: prepared.about["ends"][0]]}
    files = sorted((tmp_path / "pets" / "train").iterdir())[:4]
    assert prepared.about["near_duplicates"] == sum(read_image(path, Recipe(32)).tobytes() in trained for path in files)
    assert f"near-duplicates of training images among those held out: {prepared.about['near_duplicates']};" in said


def test_twelve_bits_in_sixteen_are_warned_of_and_read_with_their_range(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for i in range(110):
        Image.fromarray(rng.integers(0, 4096, (12, 12), np.uint16)).save(tmp_path / f"{i}.png")
    dark = task_of(tmp_path, "?size=8&grey=1")
    assert "warning: no pixel is brighter than 1" in capsys.readouterr().err
    assert len(dark.train.data.unique()) <= 17
    spec = bind(f"folder:{tmp_path}?size=8&grey=1&range=0:4095").spec
    assert "-8-grey-range-0-4095-" in spec.name
    assert "warning" not in capsys.readouterr().err
    assert len(load_task(bind(spec.name)).train.data.unique()) > 100


def test_duplicates_are_counted_and_kept_once_even_in_another_format(pictures, capsys):
    shutil.copy(pictures / "0-0000.png", pictures / "copy.png")
    Image.open(pictures / "0-0001.png").save(pictures / "copy.tiff")
    prepared = prepare(Folder(pictures), Recipe(8))
    assert (len(prepared.images), prepared.about["duplicates"]) == (120, 2)
    assert "2 duplicates" in capsys.readouterr().err


def test_hidden_files_and_other_kinds_are_passed_over(pictures, capsys):
    (pictures / ".hidden.png").touch()
    (pictures / ".git").mkdir()
    (pictures / ".git" / "a.png").touch()
    for name in ("labels.csv", "more.CSV", "README"):
        (pictures / name).touch()
    assert prepare(Folder(pictures), Recipe(8)).about["unusable"] == {}
    assert "passed over, since Pillow reads no such pictures: 2 .csv, 1 without suffix\n" in capsys.readouterr().err


def test_a_folder_without_pictures_says_what_it_has(tmp_path):
    (tmp_path / "IMG_0001.HEIC").touch()
    with pytest.raises(DataError, match=r"has no pictures that Pillow reads, but 1 \.heic$"):
        bind(f"folder:{tmp_path}")


def test_pictures_that_are_read_in_spite_of_damage_are_named(pictures, capsys):
    for i in range(3):
        Image.effect_noise((12, 12), 50 + i).save(pictures / f"odd{i}.png", exif=b"Exif\0\0junk")
    assert len(prepare(Folder(pictures), Recipe(8)).images) == 123
    sentence = "read all the same: odd0.png and 2 more: EXIF data are damaged, so it was not turned\n"
    assert sentence in capsys.readouterr().err


def test_a_second_start_reads_no_image(pictures, monkeypatch, capsys):
    first = prepare(Folder(pictures), Recipe(8))
    capsys.readouterr()
    monkeypatch.setattr(prepare_module, "read_image", None)
    again = prepare(Folder(pictures), Recipe(8))
    assert again.content == first.content
    assert capsys.readouterr().err == ""


def test_a_changed_file_is_noticed(pictures, draw):
    first = prepare(Folder(pictures), Recipe(8)).content
    content = (pictures / "0-0001.png").read_bytes()
    (pictures / "0-0000.png").write_bytes(content)
    os.utime(pictures / "0-0000.png", ns=(0, 0))
    assert prepare(Folder(pictures), Recipe(8)).content != first


@pytest.mark.parametrize("damage", ["cut", "gone", "not json"])
def test_a_damaged_cache_is_made_again(pictures, cache, damage):
    first = prepare(Folder(pictures), Recipe(8))
    expected, place = first.images.copy(), cache / "folders" / first.content
    if damage == "cut":
        (place / "images.npy").write_bytes((place / "images.npy").read_bytes()[:-1])
    elif damage == "gone":
        (place / "images.npy").unlink()
    else:
        (place / "about.json").write_text("{")
    assert np.array_equal(prepare(Folder(pictures), Recipe(8)).images, expected)


def test_changing_the_mapped_images_changes_no_file(pictures, cache):
    task = task_of(pictures)
    task.train.data.zero_()
    assert task_of(pictures).train.data.any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("folder", "names no pictures: write folder:PATH"),
        ("folder:", "names no pictures: write folder:PATH"),
        ("folder?size=8", "names no pictures: write folder:PATH"),
        ("folder@nonsense", "is no name of prepared images"),
        ("folder:/?size=7", "size=7 of task 'folder' must be a whole number of pixels from 8 to 256"),
        ("folder:/?size=big", "size=big of task 'folder' must be a whole number"),
        ("folder:/?grey=yes", "grey=yes of task 'folder' must be 0 or 1"),
        ("folder:/?range=7", "range=7 of task 'folder' must be two numbers LOW:HIGH, such as 0:4095 for 12 bits"),
        ("folder:/?range=1:0", "range=1:0 of task 'folder' must be two numbers"),
        ("folder:/?range=0:inf", "range=0:inf of task 'folder' must be two numbers"),
        ("folder:/?range=nan:1", "range=nan:1 of task 'folder' must be two numbers"),
        ("folder:/?sise=32", "unknown option of a task 'sise': did you mean 'size'?"),
        ("folder:/?size", "must have the form NAME=VALUE"),
        ("folder:/?size=8&size=9", "each name once"),
        ("folder:/?judge=inception", "unknown judge 'inception'"),
    ],
)
def test_what_is_not_understood_is_said_in_one_sentence(text, message):
    with pytest.raises(ZooError) as caught:
        load_task(bind(text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_commas_and_question_marks_in_a_path_are_escaped(pictures):
    odd = pictures.rename(pictures.parent / "what, now?")
    text = f"folder:{odd}".replace(",", "%2C").replace("?", "%3F")
    (entry,) = zoo.installed().tasks.select(f"{text}?size=8")
    assert entry.spec.shape == (3, 8, 8)


def test_all_and_patterns_leave_folder_out():
    assert "folder" not in [entry.spec.name for entry in zoo.installed().tasks.select("all")]
    assert [entry.spec.name for entry in zoo.installed().tasks.select("*digits")] == ["digits", "stacked-digits"]


def test_held_out_splits_are_capped(pictures, monkeypatch):
    monkeypatch.setattr(pictures_module, "MAX_HELD_OUT_IMAGES", 5)
    task = task_of(pictures)
    assert [len(task.validation), len(task.test)] == [5, 5]


def test_too_small_a_held_out_split_is_refused(pictures, monkeypatch):
    monkeypatch.setattr(prepare_module, "_part", lambda *_: 0)
    with pytest.raises(DataError, match="fewer than two for validation or test"):
        task_of(pictures)


def test_it_runs(pictures, runs, monkeypatch):
    monkeypatch.setattr(pictures_module, "MIN_SAMPLES", 64)
    runs(f"folder:{pictures}?size=16&grey=1")


def test_a_folder_goes_through_the_harness_and_back(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures_module, "MIN_SAMPLES", 64)
    (spec,) = plan(BenchOptions(models="vae", task=f"folder:{pictures}?size=16", budget="64", seeds=1)).runs
    outcome = execute(spec, Resources(threads=1, contended=True), scoring=Scoring(("fid",)))
    assert (outcome.record.status, outcome.record.error) == ("ok", "")
    path = Store(tmp_path / "out").save(outcome)
    assert path.parent.parent.name == spec.task
    shutil.rmtree(pictures)
    assert sample_run(path, n=4, seed=0, out=tmp_path / "sheet.png").exists()


def test_prepared_images_train_as_those_in_memory(pictures):
    data = task_of(pictures).train.data
    mapped, resident = (Stream(d, 3, torch.device("cpu")) for d in (data, data.clone()))
    assert all(torch.equal(mapped.next(7), resident.next(7)) for _ in range(30))


def test_real_photographs(capsys, tmp_path):
    root = os.environ.get("ZOO_DATA")
    if not root or not (Path(root) / "cifar10-sample").is_dir():
        pytest.skip("cifar10-sample is not under $ZOO_DATA")
    path = Path(root) / "cifar10-sample"
    task = task_of(path)
    assert len(task.train) + len(task.validation) + len(task.test) == 5000
    assert torch.bincount(task.train.modes).min() > 300
    assert 90 < float(task.train.data.float().mean()) < 150
    assert main(["task", f"folder:{path}", "--preview", "--out", str(tmp_path / "sheet.png")]) == 0
    assert "random-conv@" in capsys.readouterr().out
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


@pytest.mark.parametrize("path", ["loop", "~nobody-of-this-name"])
def test_a_link_to_itself_or_an_unknown_user_is_absent(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DataError, match=f"^'{path}' is absent: name a folder of images$"):
        bind(f"folder:{path}")

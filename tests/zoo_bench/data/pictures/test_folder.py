"""``folder:PATH``: preparation, splits, labels, names, and the way through the harness."""

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
from zoo_bench.score.stored import sample_run
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


def test_duplicates_are_counted_and_kept_once_even_in_another_format(pictures, capsys):
    shutil.copy(pictures / "0-0000.png", pictures / "copy.png")
    Image.open(pictures / "0-0001.png").save(pictures / "copy.tiff")
    prepared = prepare(Folder(pictures), Recipe(8))
    assert (len(prepared.images), prepared.about["duplicates"]) == (120, 2)
    assert "2 duplicates" in capsys.readouterr().err


def test_hidden_files_and_other_kinds_are_passed_over(pictures):
    (pictures / ".hidden.png").touch()
    (pictures / ".git").mkdir()
    (pictures / ".git" / "a.png").touch()
    (pictures / "labels.csv").write_text("a,b")
    assert prepare(Folder(pictures), Recipe(8)).about["unusable"] == {}


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

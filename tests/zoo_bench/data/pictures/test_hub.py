"""``hf:NAME``: what the package ``datasets`` reads from this machine, prepared as a folder is."""

import builtins

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.cli import main
from zoo.errors import DataError, ZooError
from zoo_bench.data.loading import load_task
from zoo_bench.data.pictures import task as pictures_module
from zoo_bench.data.pictures.folder import Folder
from zoo_bench.data.pictures.images import Recipe
from zoo_bench.data.pictures.preparing import prepare
from zoo_bench.data.pictures.task import prepared_of

datasets = pytest.importorskip("datasets", reason="needs the extra hf")
pytestmark = pytest.mark.extra


@pytest.fixture(autouse=True)
def _no_progress():
    datasets.disable_progress_bars()


def bind(where, options=""):
    return zoo.installed().tasks.get(f"hf:{where}{options}")


def rows(images):
    return {np.asarray(image).tobytes() for image in images}


def drawn(n, seed):
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8)) for _ in range(n)]


def made(n=120, seed=0, **columns):
    """Return a data set of pictures with three classes, as on the hub: images are in it, not beside it."""
    features = {
        "image": datasets.Image(),
        "other": datasets.Image(),
        "label": datasets.ClassLabel(names=["x", "y", "z"]),
    }
    content = {"image": drawn(n, seed), "label": [i % 3 for i in range(n)], **columns}
    kinds = {name: features.get(name) or datasets.Value("string") for name in content}
    return datasets.Dataset.from_dict(content, features=datasets.Features(kinds))


@pytest.fixture
def saved(tmp_path):
    """A data set that ``save_to_disk`` wrote, without splits."""
    made().save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_an_image_folder_is_what_folder_makes_of_it(tmp_path, draw):
    for seed, name in enumerate(("cats", "dogs")):
        draw(tmp_path / "pets" / name, 60, seed=seed)
    ours, theirs = (
        prepare(Folder(tmp_path / "pets"), Recipe(8)),
        prepared_of(bind(tmp_path / "pets", "?size=8").spec),
    )
    assert theirs.content == ours.content
    assert theirs.about["classes"] == ["cats", "dogs"]


def test_save_to_disk_parquet_and_arrow_are_the_same_task(saved, tmp_path):
    made().to_parquet(tmp_path / "part.parquet")
    (tmp_path / "files").mkdir()
    made().to_parquet(tmp_path / "files" / "train-00000-of-00001.parquet")
    (arrow,) = saved.glob("*.arrow")
    places = (saved, tmp_path / "part.parquet", tmp_path / "files", arrow)
    contents = [bind(place, "?size=8").spec.version for place in places]
    assert len(set(contents)) == 1


def test_without_a_test_split_the_hash_decides(saved):
    task = load_task(bind(saved))
    parts = [rows(split.data) for split in (task.train, task.validation, task.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 120
    assert min(map(len, parts)) > 2
    assert prepared_of(bind(saved).spec).about["classes"] == ["x", "y", "z"]
    assert sum(len(split.modes) for split in (task.train, task.validation, task.test)) == 120


def test_published_splits_are_kept(tmp_path):
    parts = {"train": made(90, 0), "validation": made(14, 1), "test": made(16, 2)}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "parts")
    task = load_task(bind(tmp_path / "parts"))
    assert [len(task.train), len(task.validation), len(task.test)] == [90, 14, 16]
    alone = tmp_path / "test"
    for i, image in enumerate([*drawn(16, 2), *drawn(90, 5)]):
        alone.mkdir(exist_ok=True)
        image.save(alone / f"{i:03}.png")
    assert rows(task.test.data) <= rows(prepare(Folder(alone), Recipe()).images)


def test_without_a_validation_split_the_hash_takes_an_eighth_of_training(tmp_path):
    datasets.DatasetDict({"train": made(200, 0), "test": made(16, 2)}).save_to_disk(tmp_path / "parts")
    task = load_task(bind(tmp_path / "parts"))
    assert len(task.test) == 16
    assert len(task.train) + len(task.validation) == 200
    assert 10 <= len(task.validation) <= 45


def test_one_split_alone(tmp_path):
    datasets.DatasetDict({"train": made(130, 0), "test": made(16, 2)}).save_to_disk(tmp_path / "parts")
    task = load_task(bind(tmp_path / "parts", "?split=train"))
    assert len(task.train) + len(task.validation) + len(task.test) == 130
    with pytest.raises(ZooError, match=r"unknown split of data set .* 'tran': did you mean 'train'"):
        bind(tmp_path / "parts", "?split=tran")


def test_columns_by_name(tmp_path):
    made(kind=[f"k{i % 2}" for i in range(120)], other=drawn(120, 9)).save_to_disk(tmp_path / "both")
    with pytest.raises(
        DataError, match="has 2 columns of images among image, label, kind, other: name one with image="
    ):
        bind(tmp_path / "both")
    chosen = prepared_of(bind(tmp_path / "both", "?image=other&label=kind").spec)
    assert chosen.about["classes"] == ["k0", "k1"]
    assert chosen.content != prepared_of(bind(tmp_path / "both", "?image=image&label=kind").spec).content
    assert prepared_of(bind(tmp_path / "both", "?image=image&label=").spec).labels is None
    with pytest.raises(ZooError, match="unknown column of images 'imag': did you mean 'image'"):
        bind(tmp_path / "both", "?image=imag")
    with pytest.raises(DataError, match=r"column 'label' of data set .* holds no images"):
        bind(tmp_path / "both", "?image=label")


def test_labels_that_are_no_class_are_refused(tmp_path):
    made(label=[-1] + [0] * 119).save_to_disk(tmp_path / "unlabelled")
    with pytest.raises(
        DataError, match=r"has the label -1, but 3 classes are 0 to 2: name another with label=NAME, or none"
    ):
        bind(tmp_path / "unlabelled")
    assert prepared_of(bind(tmp_path / "unlabelled", "?label=").spec).labels is None


def test_unusable_images_are_left_out_with_their_reasons(tmp_path, capsys):
    content = [{"bytes": b"text", "path": None}, None]
    broken = datasets.Dataset.from_dict({"image": content}, features=datasets.Features({"image": datasets.Image()}))
    datasets.concatenate_datasets([made().select_columns("image"), broken]).save_to_disk(tmp_path / "broken")
    unusable = prepared_of(bind(tmp_path / "broken").spec).about["unusable"]
    assert unusable == {"all[120]": "not a picture that Pillow reads", "all[121]": "no image"}
    assert "left out: all[121]: no image" in capsys.readouterr().err


def test_a_second_start_reads_nothing_and_a_changed_data_set_is_noticed(saved, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        first = bind(saved).spec
        patch.setattr("zoo_bench.data.pictures.hub._library", None)
        assert bind(saved).spec == first
    made(seed=1).save_to_disk(saved)
    assert bind(saved).spec.version != first.version


def test_the_name_in_results_leads_back_to_the_images(saved):
    spec = bind(saved, "?size=16&grey=1").spec
    assert spec.name.startswith("hf@saved-16-grey-")
    assert bind_result(spec.name) == spec


def bind_result(name):
    return zoo.installed().tasks.get(name).spec


def test_it_runs(saved, runs, monkeypatch):
    monkeypatch.setattr(pictures_module, "MIN_SAMPLES", 64)
    runs(f"hf:{saved}?size=16")


def test_nothing_stays_but_the_prepared_images(saved, tmp_path, cache):
    made().to_parquet(tmp_path / "part.parquet")
    spec = bind(tmp_path / "part.parquet").spec
    assert {path.name for path in (cache / "folders").iterdir()} == {"index", spec.argument}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hf", "names no pictures: write hf:NAME"),
        ("hf:", "names no pictures: write hf:NAME"),
        ("hf:~nobody-of-this-name", "'~nobody-of-this-name' is absent: name a data set on this machine or"),
        ("hf:./nowhere", "'./nowhere' is absent: name a data set on this machine or on the Hugging Face hub"),
        ("hf:a?spilt=train", "unknown option of a task 'spilt': did you mean 'split'?"),
        ("hf:a?size=3", "size=3 of task 'hf' must be a whole number of pixels from 8 to 256"),
    ],
)
def test_what_is_not_understood_is_said_in_one_sentence(text, message):
    with pytest.raises(ZooError) as caught:
        load_task(zoo.installed().tasks.get(text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["empty", "other.txt"])
def test_what_is_no_data_set_is_said_in_one_sentence(tmp_path, cache, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.txt").write_text("text")
    with pytest.raises(DataError) as caught:
        bind(tmp_path / name)
    assert f"data set '{tmp_path / name}'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list((cache / "folders").iterdir()) == []


def test_a_hub_name_offline_is_one_sentence(monkeypatch, capsys):
    def unreachable(*_, **__):
        raise ConnectionError("Couldn't reach 'someone/cats' on the Hub (LocalEntryNotFoundError)")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    assert main(["bench", "--task", "hf:someone/cats", "--dry-run"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "looking for data set 'someone/cats' on the Hugging Face hub",
        "zoo: data set 'someone/cats' is neither on this machine nor to be had from the Hugging Face hub: "
        "Couldn't reach 'someone/cats' on the Hub (LocalEntryNotFoundError)",
    ]


def test_a_name_on_the_hub_is_looked_up_again_and_prepared_once(monkeypatch, capsys):
    found = datasets.DatasetDict({"train": made()})
    monkeypatch.setattr(datasets, "load_dataset", lambda name, **_: found)
    first = bind("someone/cats").spec
    assert first.name.startswith("hf@cats-32-")
    monkeypatch.setattr("zoo_bench.data.pictures.preparing.read_image", None)
    assert bind("someone/cats").spec == first


def test_without_the_extra_one_sentence_names_it(saved, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "datasets":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ZooError, match=r"task 'hf' needs the package `datasets`: pip install 'genzoo\[hf\]'"):
        bind(saved)

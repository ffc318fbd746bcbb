import hashlib
import io
import json
import os
import shutil
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.cli import main
from zoo.task import to_storage
from zoo_bench.core.seeds import derive
from zoo_bench.data.loading import load_task
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute
from zoo_bench.score.drawing import draw
from zoo_bench.score.sampling import batches, truncated
from zoo_bench.score.stored import load_run
from zoo_bench.store.records import Store


@pytest.fixture(scope="module")
def digits_run(finished_bench):
    (path,) = finished_bench.glob("runs/digits/vae/seed=0-*.json")
    return path


@pytest.fixture(scope="module")
def ring_run(tmp_path_factory):
    (spec,) = plan(BenchOptions(models="gan", task="ring8", budget="3rounds", seeds=1, device="cpu")).runs
    return Store(tmp_path_factory.mktemp("ring")).save(execute(spec, Resources(1, False), scoring=Scoring()))


@pytest.fixture(scope="module")
def labelled_run(tmp_path_factory):
    """A conditional DCGAN after three rounds."""
    options = BenchOptions(models="dcgan[conditional=true]", task="digits", budget="3rounds", seeds=1, device="cpu")
    (spec,) = plan(options).runs
    return Store(tmp_path_factory.mktemp("labelled")).save(execute(spec, Resources(1, False), scoring=Scoring()))


def sampled(run, out, *options):
    assert main(["sample", str(run), "--out", str(out), *options]) == 0
    return out


def test_an_npz_holds_images_as_they_are_stored(digits_run, tmp_path):
    samples = np.load(sampled(digits_run, tmp_path / "samples.npz", "-n", "5"))["samples"]
    assert samples.shape == (5, 1, 8, 8)
    assert samples.dtype == np.uint8
    assert samples.std() > 0


def test_an_npz_holds_points_as_numbers(ring_run, tmp_path):
    samples = np.load(sampled(ring_run, tmp_path / "samples.npz", "-n", "5"))["samples"]
    assert samples.shape == (5, 2)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()


@pytest.mark.parametrize("run", ["digits_run", "ring_run"])
def test_a_png_is_a_sheet(run, tmp_path, request):
    out = sampled(request.getfixturevalue(run), tmp_path / "sheet.png", "-n", "9")
    image = Image.open(io.BytesIO(out.read_bytes()))
    assert image.format == "PNG"
    assert 400 < image.width == image.height <= 512


def test_a_folder_and_which_of_its_runs_is_that_run(finished_bench, digits_run, tmp_path):
    chosen = sampled(finished_bench, tmp_path / "a.npz", "-n", "5", "--model", "vae", "--run-seed", "0")
    assert chosen.read_bytes() == sampled(digits_run, tmp_path / "b.npz", "-n", "5").read_bytes()
    other = sampled(finished_bench, tmp_path / "c.npz", "-n", "5", "--model", "vae", "--run-seed", "1")
    assert chosen.read_bytes() != other.read_bytes()


def test_the_path_of_what_was_written_is_printed(digits_run, tmp_path, capsys):
    out = sampled(digits_run, tmp_path / "samples.npz", "-n", "1")
    assert capsys.readouterr().out.strip() == str(out)


def test_one_seed_gives_one_set_of_samples(digits_run, tmp_path):
    def drawn(name, *options):
        return np.load(sampled(digits_run, tmp_path / name, "-n", "20", *options))["samples"]

    first = drawn("a.npz", "--seed", "7")
    torch.manual_seed(99)
    assert np.array_equal(drawn("b.npz", "--seed", "7"), first)
    assert not np.array_equal(drawn("c.npz", "--seed", "8"), first)
    assert np.array_equal(drawn("d.npz"), drawn("e.npz", "--seed", "0"))


def test_samples_of_several_batches_are_those_that_are_drawn_at_once(digits_run, tmp_path):
    written = np.load(sampled(digits_run, tmp_path / "a.npz", "-n", "1201", "--seed", "7"))["samples"]
    model = load_run(digits_run)
    torch.manual_seed(derive(7, "sampling"))
    assert np.array_equal(written, draw(model, 1201).numpy())


class Counting(zoo.GenerativeModel):
    """It knows how many of its batches are alive."""

    def __init__(self) -> None:
        super().__init__((1, 8, 8), zoo.ModelConfig())
        self.batches, self.most = [], 0

    def sample(self, n):
        batch = torch.zeros(n, *self.shape)
        self.batches.append(weakref.ref(batch))
        self.most = max(self.most, sum(reference() is not None for reference in self.batches))
        return batch


@pytest.mark.parametrize("name", ["samples.npz", "folder"])
def test_memory_does_not_grow_with_the_number_of_samples(digits_run, tmp_path, monkeypatch, name):
    model = Counting()
    stored = []

    def watched(images):
        images = to_storage(images)
        stored.append(weakref.ref(images))
        model.most = max(model.most, sum(reference() is not None for reference in stored))
        return images

    monkeypatch.setattr("zoo_bench.score.sampling.load_run", lambda path: model)
    monkeypatch.setattr("zoo_bench.score.drawing.to_storage", watched)
    out = sampled(digits_run, tmp_path / name, "-n", "5000")
    assert len(np.load(out)["samples"] if out.is_file() else list(out.iterdir())) == 5000
    assert 1 <= model.most <= 2


def test_samples_of_a_class_are_drawn_with_its_label(labelled_run, tmp_path):
    found = np.load(sampled(labelled_run, tmp_path / "a.npz", "-n", "5", "--class", "3,5"))
    assert found["labels"].tolist() == [3, 5, 3, 5, 3]
    model = load_run(labelled_run)
    torch.manual_seed(derive(0, "sampling"))
    assert np.array_equal(found["samples"], draw(model, 5, torch.tensor([3, 5, 3, 5, 3])).numpy())
    every = np.load(sampled(labelled_run, tmp_path / "b.npz", "-n", "1001"))["labels"]
    assert np.array_equal(every, np.arange(1001) % 10)


def test_a_folder_has_the_samples_by_class_and_is_read_as_data_with_these_labels(labelled_run, tmp_path):
    folder = sampled(labelled_run, tmp_path / "images", "-n", "120")
    array = np.load(sampled(labelled_run, tmp_path / "a.npz", "-n", "120"))
    for number, (item, label) in enumerate(zip(array["samples"], array["labels"], strict=True)):
        assert np.array_equal(np.asarray(Image.open(folder / str(label) / f"{number:03}.png")), item[0])
    assert len(list(folder.rglob("*.png"))) == 120
    assert folder.stat().st_mode & 0o777 == 0o755
    task = load_task(zoo.installed().tasks.get(f"folder:{folder}?size=8&grey=1"))
    seen = {item.numpy().tobytes(): int(label) for item, label in zip(task.train.data, task.train.modes, strict=True)}
    truth = {item.tobytes(): int(label) for item, label in zip(array["samples"], array["labels"], strict=True)}
    assert seen.items() <= truth.items()
    assert set(seen.values()) == set(range(10))


def test_a_sheet_has_a_row_for_each_class(labelled_run, tmp_path):
    sheet = np.asarray(Image.open(sampled(labelled_run, tmp_path / "a.png", "-n", "64")).convert("L"))
    array = np.load(sampled(labelled_run, tmp_path / "a.npz", "-n", "70"))  # whole rows
    scale = sheet.shape[0] // (10 * 9 + 1)
    left = sheet.shape[1] - scale * (7 * 9 + 1)
    for row in range(10):
        for column, item in enumerate(array["samples"][array["labels"] == row]):
            y, x = scale * (1 + 9 * row), left + scale * (1 + 9 * column)
            assert np.array_equal(sheet[y : y + 8 * scale : scale, x : x + 8 * scale : scale], item[0])
    one = Image.open(sampled(labelled_run, tmp_path / "b.png", "-n", "9", "--class", "4"))
    assert one.width == one.height


@pytest.mark.parametrize(("limit", "std"), [(0.5, 0.2841), (2.0, 0.8796)])
def test_latents_are_cut_off_and_not_clipped(labelled_run, limit, std):
    """The standard deviation of N(0, 1) on [-t, t] is sqrt(1 - 2 t phi(t) / (2 Phi(t) - 1))."""
    model, seen = load_run(labelled_run), []
    model.decode = lambda z, labels: seen.append(z) or torch.zeros(len(z), 1, 8, 8)
    torch.manual_seed(0)
    assert sum(len(part) for part, _ in batches(model, 2000, [3], truncated(model, limit))) == 2000
    z = torch.cat(seen)
    assert float(z.abs().max()) < limit
    assert float(z.std()) == pytest.approx(std, rel=0.01)


def test_truncated_samples_are_nearer_to_each_other(labelled_run, tmp_path):
    """An untruncated generator of three rounds varies with its latent; one cut to a thousandth hardly does."""
    spread = {}
    for limit in ("0.001", "3"):
        out = sampled(labelled_run, tmp_path / f"{limit}.npz", "-n", "50", "--class", "3", "--truncation", limit)
        spread[limit] = np.load(out)["samples"].astype(float).std(0).mean()
    assert spread["0.001"] < 0.1 * spread["3"]


def made_by(path):
    return json.loads(np.load(path)["made_by"].item() if path.suffix == ".npz" else Image.open(path).text["genzoo"])


def test_every_file_says_what_made_it(labelled_run, ring_run, tmp_path):
    record = json.loads(labelled_run.read_text())
    expected = {
        "software": f"genzoo {zoo.__version__}", "model": "dcgan", "plugin": "genzoo",
        "plugin_version": record["spec"]["plugin_version"], "task": "digits", "run_id": record["run_id"],
        "weights_sha256": hashlib.sha256(labelled_run.with_suffix(".safetensors").read_bytes()).hexdigest(),
        "seed": 9, "truncation": 0.7, "classes": [3, 5],
    }  # fmt: skip
    options = ["-n", "4", "--seed", "9", "--truncation", "0.7", "--class", "3,5"]
    for name in ("a.npz", "a.png"):
        assert made_by(sampled(labelled_run, tmp_path / name, *options)) == expected
    folder = sampled(labelled_run, tmp_path / "images", *options)
    assert made_by(folder / "5" / "3.png") == {**expected, "classes": [5]}
    assert Image.open(folder / "5" / "3.png").text["Software"] == f"genzoo {zoo.__version__}"
    points = made_by(sampled(ring_run, tmp_path / "points.png"))
    assert (points["model"], points["classes"], points["truncation"]) == ("gan", None, None)


@pytest.mark.parametrize("name", ["a.npz", "a.png", "folder"])
def test_weights_that_give_nan_leave_no_file(labelled_run, tmp_path, capsys, name):
    from safetensors.torch import load_file, save_file

    run = tmp_path / "runs" / labelled_run.name
    run.parent.mkdir()
    shutil.copy(labelled_run, run)
    weights = load_file(labelled_run.with_suffix(".safetensors"))
    save_file({key: value * float("nan") for key, value in weights.items()}, run.with_suffix(".safetensors"))
    assert "infinite or NaN" in refusal([str(run), "--out", str(tmp_path / name)], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def refusal(arguments, capsys):
    assert main(["sample", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("name", ["samples.jpg", "samples.PNG.txt"])
def test_another_extension_is_refused(digits_run, tmp_path, capsys, name):
    assert "must end in .png or .npz, or be a folder" in refusal(
        [str(digits_run), "--out", str(tmp_path / name)], capsys
    )
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_to_or_one_with_files_is_refused(digits_run, tmp_path, capsys):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for name, sentence in {
        "absent/sheet.png": "must be in an existing folder", "folder.png": "is a folder: name a file",
        "full": "is there already", "full/mine": "is there already",
    }.items():  # fmt: skip
        assert sentence in refusal([str(digits_run), "--out", str(tmp_path / name)], capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "full"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "has 4 runs: name one by model and seed"),
        (["--model", "vae"], "has 2 runs: name one by model and seed"),
        (["--model", "vea"], "unknown model in"),
        (["--run-seed", "7"], "has the seed 7: known: 0, 1"),
    ],
)
def test_a_folder_of_which_no_one_run_is_meant_is_refused(finished_bench, tmp_path, capsys, options, sentence):
    assert sentence in refusal([str(finished_bench), *options, "--out", str(tmp_path / "sheet.png")], capsys)


@pytest.mark.parametrize(
    ("n", "sentence"), [(0, "-n must be at least 1"), (-3, "-n must be at least 1"), (1_001, "has at most 1,000 items")]
)
def test_fewer_than_one_sample_and_more_than_a_sheet_holds_are_refused(digits_run, tmp_path, capsys, n, sentence):
    arguments = [str(digits_run), "-n", str(n), "--out", str(tmp_path / "sheet.png")]
    assert sentence in refusal(arguments, capsys)


def test_an_absent_run_is_refused(tmp_path, capsys):
    sentence = refusal([str(tmp_path / "absent.json"), "--out", str(tmp_path / "sheet.png")], capsys)
    assert "absent.json" in sentence
    assert "cannot be read" in sentence


def test_a_file_that_is_no_run_is_refused(finished_bench, tmp_path, capsys):
    for path in (finished_bench / "environment.json", finished_bench / "results.csv"):
        sentence = refusal([str(path), "--out", str(tmp_path / "sheet.png")], capsys)
        assert "is not a run record of this version" in sentence
    assert list(tmp_path.iterdir()) == []


def test_absent_weights_are_refused_with_the_runs_status(bench_copy, tmp_path, capsys):
    (run,) = bench_copy.glob("runs/digits/gan/seed=0-*.json")
    run.with_suffix(".safetensors").unlink()
    sentence = refusal([str(run), "--out", str(tmp_path / "sheet.png")], capsys)
    assert ".safetensors' is absent" in sentence
    assert "status 'ok'" in sentence
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize("content", [b"", b"not weights"])
def test_damaged_weights_are_refused(bench_copy, tmp_path, capsys, content):
    (run,) = bench_copy.glob("runs/digits/gan/seed=0-*.json")
    run.with_suffix(".safetensors").write_bytes(content)
    assert ".safetensors" in refusal([str(run), "--out", str(tmp_path / "sheet.png")], capsys)


def test_weights_of_another_network_are_refused_with_both_versions(bench_copy, tmp_path, capsys):
    (run,) = bench_copy.glob("runs/digits/gan/seed=0-*.json")
    (other,) = bench_copy.glob("runs/digits/vae/seed=0-*.json")
    run.with_suffix(".safetensors").write_bytes(other.with_suffix(".safetensors").read_bytes())
    sentence = refusal([str(run), "--out", str(tmp_path / "sheet.png")], capsys)
    assert "was trained with" in sentence
    assert "does not fit" in sentence


def test_weights_that_are_a_pipe_or_a_link_are_absent(bench_copy, tmp_path, capsys):
    (run,) = bench_copy.glob("runs/digits/gan/seed=0-*.json")
    weights = run.with_suffix(".safetensors")
    weights.rename(tmp_path / "weights")
    for place in (lambda: weights.symlink_to(tmp_path / "weights"), lambda: os.mkfifo(weights)):
        place()
        assert "is absent" in refusal([str(run), "--out", str(tmp_path / "sheet.png")], capsys)
        weights.unlink()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--class", "10"], "there is no class 10: this 'dcgan' was trained on classes 0 to 9"),
        (["--class", "x"], "must be numbers of classes"),
        (["--class", "-1"], "must be numbers of classes"),
        (["--truncation", "0"], "must be above 0"),
        (["--truncation", "-1"], "must be above 0"),
        (["--truncation", "inf"], "must be above 0"),
        (["--truncation", "nan"], "must be above 0"),
    ],
)
def test_a_class_or_a_truncation_that_does_not_exist_is_refused(labelled_run, tmp_path, capsys, options, sentence):
    assert sentence in refusal([str(labelled_run), "--out", str(tmp_path / "a.npz"), *options], capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_labels_says_how_one_with_them_is_trained(digits_run, tmp_path, capsys):
    sentence = refusal([str(digits_run), "--class", "3", "--out", str(tmp_path / "a.npz")], capsys)
    assert "`zoo bench --models 'vae[conditional=true]'` trains one that is" in sentence


def test_a_model_without_decode_is_not_truncated_and_one_without_classes_has_none(
    digits_run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("zoo_bench.score.sampling.load_run", lambda path: Counting())
    arguments = [str(digits_run), "--out", str(tmp_path / "a.npz")]
    sentence = refusal([*arguments, "--truncation", "1"], capsys)
    assert "Counting defines no decode(z, labels=None) and no latent(n)" in sentence
    assert "cannot be given labels" in refusal([*arguments, "--class", "1"], capsys)


def test_points_are_no_folder_of_images(ring_run, tmp_path, capsys):
    assert "samples of 'gan' are points" in refusal([str(ring_run), "--out", str(tmp_path / "folder")], capsys)

import io
import os

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.cli import main
from zoo.errors import ZooError
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute
from zoo_bench.score.stored import load_run, unpacked
from zoo_bench.store.records import Store


@pytest.fixture(scope="module")
def digits_run(finished_bench):
    (path,) = finished_bench.glob("runs/digits/vae/seed=0-*.json")
    return path


@pytest.fixture(scope="module")
def ring_run(tmp_path_factory):
    (spec,) = plan(BenchOptions(models="gan", task="ring8", budget="3rounds", seeds=1, device="cpu")).runs
    return Store(tmp_path_factory.mktemp("ring")).save(execute(spec, Resources(1, False), scoring=Scoring()))


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


def test_the_weights_are_those_that_the_run_saved(digits_run):
    from safetensors.torch import load_file

    model, weights = load_run(digits_run), load_file(digits_run.with_suffix(".safetensors"))
    state = model.state_dict()
    assert state.keys() == weights.keys()
    assert all(torch.equal(state[key], weights[key]) for key in weights)


def refusal(arguments, capsys):
    assert main(["sample", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("name", ["samples.jpg", "samples", "samples.PNG.txt"])
def test_another_extension_is_refused(digits_run, tmp_path, capsys, name):
    assert "must end in .png or .npz" in refusal([str(digits_run), "--out", str(tmp_path / name)], capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_or_a_folder_as_file_is_refused(digits_run, tmp_path, capsys):
    (tmp_path / "folder.png").mkdir()
    for out in (tmp_path / "absent" / "sheet.png", tmp_path / "folder.png"):
        assert "must be a file in an existing folder" in refusal([str(digits_run), "--out", str(out)], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


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


@pytest.mark.parametrize(("n", "limit"), [(0, "at least 1"), (-3, "at least 1"), (10**9, "at most 1,000,000")])
def test_fewer_than_one_sample_and_more_than_fit_are_refused(digits_run, tmp_path, capsys, n, limit):
    arguments = [str(digits_run), "-n", str(n), "--out", str(tmp_path / "sheet.png")]
    assert f"-n must be {limit}" in refusal(arguments, capsys)


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


class Exploit:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_samples_that_are_pickled_are_never_loaded(tmp_path, suffix):
    array = np.array([Exploit()], dtype=object)
    path = tmp_path / "seed=0.samples.npz"
    with path.open("wb") as file:
        np.savez(file, samples=array) if suffix == ".npz" else np.save(file, array)
    with pytest.raises(ZooError, match="holds no samples"):
        unpacked(path)


def test_weights_that_are_a_pipe_or_a_link_are_absent(bench_copy, tmp_path, capsys):
    (run,) = bench_copy.glob("runs/digits/gan/seed=0-*.json")
    weights = run.with_suffix(".safetensors")
    weights.rename(tmp_path / "weights")
    for place in (lambda: weights.symlink_to(tmp_path / "weights"), lambda: os.mkfifo(weights)):
        place()
        assert "is absent" in refusal([str(run), "--out", str(tmp_path / "sheet.png")], capsys)
        weights.unlink()

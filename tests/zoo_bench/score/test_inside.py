"""Pictures of what is inside trained models, read back and compared with what the models give."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.cli import main
from zoo.task import to_model, to_storage
from zoo_bench.core.seeds import derive
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute
from zoo_bench.score.latents import between, mean_kl, traversed
from zoo_bench.score.stored import load_run
from zoo_bench.store.records import Store

SIDE = 8


def trained(folder, models, task="digits"):
    (spec,) = plan(BenchOptions(models=models, task=task, budget="3rounds", seeds=1, device="cpu")).runs
    return Store(folder).save(execute(spec, Resources(1, False), scoring=Scoring()))


@pytest.fixture(scope="module")
def vae(finished_bench):
    return next(finished_bench.glob("runs/digits/vae/seed=0-*.json"))


@pytest.fixture(scope="module")
def gan(finished_bench):
    return next(finished_bench.glob("runs/digits/gan/seed=0-*.json"))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("labelled"), "vae[conditional=true]")


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("points"), "vae", "ring8")


def drawn(command, run, out, *options):
    assert main([command, str(run), "--out", str(out), *map(str, options)]) == 0
    return out


def tiles(path, rows, columns, width=SIDE):
    """Return the images of a sheet, (rows, columns, SIDE, width), without the titles to their left."""
    pixels = np.asarray(Image.open(path).convert("L"))
    scale = pixels.shape[0] // (rows * (SIDE + 1) + 1)
    pixels = pixels[::scale, pixels.shape[1] - scale * (columns * (width + 1) + 1) :: scale][1:, 1:]
    return pixels.reshape(rows, SIDE + 1, columns, width + 1).transpose(0, 2, 1, 3)[:, :, :SIDE, :width]


def said(path):
    return json.loads(Image.open(path).text["genzoo"])


def images(model, z, *labels):
    with torch.no_grad():
        return to_storage(model.decode(z, *labels))[:, 0].numpy()


@pytest.mark.parametrize("way", ["linear", "spherical"])
def test_an_interpolation_has_a_pair_of_latents_a_row(vae, tmp_path, way):
    found = tiles(
        drawn("interpolate", vae, tmp_path / "a.png", "-n", 3, "--steps", 5, "--path", way, "--seed", 4), 3, 5
    )
    model = load_run(vae)
    torch.manual_seed(derive(4, "sampling"))
    z = model.latent(6)
    paths = between(z[:3], z[3:], 5, way)
    assert np.array_equal(found, images(model, paths.flatten(0, 1)).reshape(3, 5, SIDE, SIDE))
    assert said(tmp_path / "a.png")["interpolation"] == way


def test_the_same_latents_go_through_several_models(vae, finished_bench, tmp_path):
    other = next(finished_bench.glob("runs/digits/vae/seed=1-*.json"))
    both = tiles(drawn("interpolate", vae, tmp_path / "a.png", "--and", other, "-n", 2, "--steps", 4), 4, 4)
    for i, run in enumerate((vae, other)):
        alone = tiles(drawn("interpolate", run, tmp_path / "b.png", "-n", 2, "--steps", 4), 2, 4)
        assert np.array_equal(both[i::2], alone)
    assert [run["run_id"] for run in said(tmp_path / "a.png")["beside"]] == [json.loads(other.read_text())["run_id"]]


def test_a_gif_goes_there_and_back_and_says_what_made_it(gan, tmp_path):
    film = Image.open(drawn("interpolate", gan, tmp_path / "a.gif", "-n", 4, "--steps", 5))
    assert (film.n_frames, film.info["loop"], film.info["duration"]) == (8, 0, 40)
    assert json.loads(film.info["comment"])["model"] == "gan"
    frames = []
    for i in range(8):
        film.seek(i)
        frames.append(np.asarray(film.convert("L")).astype(int))
    assert np.abs(frames[1] - frames[7]).max() <= 2  # of the palette
    assert np.abs(frames[0] - frames[4]).max() > 2


@pytest.mark.extra
def test_an_mp4_has_all_frames_and_says_what_made_it(vae, tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    import imageio.v3 as imageio

    out = drawn("interpolate", vae, tmp_path / "a.mp4", "-n", 4, "--steps", 5)
    assert imageio.imread(out, plugin="FFMPEG").shape[0] == 8
    assert json.loads(vae.read_text())["run_id"].encode() in out.read_bytes()


def test_an_mp4_without_ffmpeg_names_the_extra(vae, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'genzoo[video]'" in refusal(["interpolate", str(vae), "--out", str(tmp_path / "a.mp4")], capsys)


def test_a_traversal_of_a_vae_has_its_dimensions_by_kl(vae, tmp_path, digits_task):
    found = tiles(drawn("traverse", vae, tmp_path / "a.png", "-n", 3, "--steps", 7), 3, 7)
    model, test = load_run(vae), digits_task.test.data
    order = mean_kl(model, test).argsort(descending=True)[:3]
    assert said(tmp_path / "a.png")["dimensions"] == order.tolist()
    rows = []
    for item in test:
        with torch.no_grad():
            rows.append(traversed(model.encode(to_model(item[None]))[0], order, 7).flatten(0, 1))
    expected = images(model, torch.cat(rows)).reshape(-1, 3, 7, SIDE, SIDE)
    assert (expected == found).all((1, 2, 3, 4)).any(), "it is the traversal of a test item"


def test_a_traversal_of_a_gan_has_its_dimensions_by_the_change_of_the_image(gan, tmp_path):
    found = tiles(drawn("traverse", gan, tmp_path / "a.png", "-n", 10, "--steps", 3), 10, 3).astype(float)
    changes = np.sqrt(np.square(found[:, 2] - found[:, 0]).mean((1, 2)))
    assert np.corrcoef(changes, np.arange(10))[0, 1] < 0  # of one latent: the order is by the mean of several


def test_a_class_is_kept_along_a_path(labelled, tmp_path):
    found = tiles(drawn("interpolate", labelled, tmp_path / "a.png", "-n", 2, "--steps", 3, "--class", "4,7"), 2, 3)
    model = load_run(labelled)
    torch.manual_seed(derive(0, "sampling"))
    z = model.latent(4)
    paths = between(z[:2], z[2:], 3, "spherical")
    labels = torch.tensor([4, 4, 4, 7, 7, 7])
    assert np.array_equal(found.reshape(6, SIDE, SIDE), images(model, paths.flatten(0, 1), labels))


def test_a_conditional_model_is_traversed_and_reconstructs_with_the_labels_of_items(labelled, tmp_path, digits_task):
    assert tiles(drawn("traverse", labelled, tmp_path / "a.png", "-n", 2, "--class", 8), 2, 11).std() > 0
    check_reconstruction(labelled, tmp_path / "b.png", digits_task)


def test_a_reconstruction_is_below_its_item(vae, tmp_path, digits_task):
    check_reconstruction(vae, tmp_path / "a.png", digits_task)


def check_reconstruction(run, out, task):
    found = tiles(drawn("reconstruct", run, out, "-n", 11), 4, 8)
    model, known = load_run(run), {item.numpy().tobytes(): i for i, item in enumerate(task.test.data)}
    for above, below in ((found[0], found[1]), (found[2], found[3])):
        indices = torch.tensor([known[item.tobytes()] for item in above])
        x = to_model(task.test.data[indices])
        labels = (task.test.modes[indices],) if model.conditional else ()
        with torch.no_grad():
            expected = images(model, model.encode(x, *labels), *labels)
        assert np.array_equal(below, expected)


def test_samples_are_beside_their_nearest_training_images(vae, tmp_path, digits_task):
    pairs = tiles(drawn("neighbours", vae, tmp_path / "a.png", "-n", 8, "--seed", 2), 2, 4, 2 * SIDE)
    assert main(["sample", str(vae), "-n", "8", "--seed", "2", "--out", str(tmp_path / "a.npz")]) == 0
    samples = np.load(tmp_path / "a.npz")["samples"].reshape(8, -1).astype(float)
    pairs = pairs.reshape(8, SIDE, 2 * SIDE)
    assert np.array_equal(pairs[:, :, :SIDE].reshape(8, -1), samples)
    train = digits_task.train.data.flatten(1).numpy().astype(float)
    nearest = np.square(samples[:, None] - train[None]).sum(-1).min(1)
    assert np.array_equal(np.square(samples - pairs[:, :, SIDE:].reshape(8, -1)).sum(-1), nearest)


def refusal(arguments, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("command", ["interpolate", "traverse", "reconstruct", "neighbours"])
def test_points_and_files_that_cannot_be_written_are_refused(command, vae, points, tmp_path, capsys):
    assert "models points" in refusal([command, str(points), "--out", str(tmp_path / "a.png")], capsys)
    for name in ("a.jpg", "absent/a.png"):
        assert "must be a file in an existing folder" in refusal(
            [command, str(vae), "--out", str(tmp_path / name)], capsys
        )
    for n in ("0", "1001"):
        assert " at " in refusal([command, str(vae), "-n", n, "--out", str(tmp_path / "a.png")], capsys)
    assert list(tmp_path.iterdir()) == []


def test_what_a_model_cannot_do_is_refused(vae, gan, labelled, tmp_path, tmp_path_factory, capsys):
    out = ["--out", str(tmp_path / "a.png")]
    assert "GAN defines no encode(x, labels=None)" in refusal(["reconstruct", str(gan), *out], capsys)
    sentence = refusal(["interpolate", str(gan), "--and", str(vae), *out], capsys)
    assert "the latent of 'gan' has 100 dimensions, of 'vae' 8" in sentence
    larger = trained(
        tmp_path_factory.mktemp("larger"), "gan[generator_hidden=[8],discriminator_hidden=[8]]", "stacked-digits"
    )
    sentence = refusal(["interpolate", str(gan), "--and", str(larger), *out], capsys)
    assert "one picture has images of one shape: 'gan' (1, 8, 8), 'gan' (3, 8, 8)" in sentence
    assert "trained without labels" in refusal(["traverse", str(vae), "--class", "3", *out], capsys)
    assert "no class 12" in refusal(["interpolate", str(labelled), "--class", "12", *out], capsys)
    assert "has one class, got 2" in refusal(["traverse", str(labelled), "--class", "3,4", *out], capsys)
    assert "--steps must be 2 to 500, got 1" in refusal(["traverse", str(vae), "--steps", "1", *out], capsys)
    assert list(tmp_path.iterdir()) == []

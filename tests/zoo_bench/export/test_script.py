import ast
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.core.seeds import derive
from zoo_bench.data.stream import Stream
from zoo_bench.export.script import script, training_data
from zoo_bench.store.records import read_record
from zoo_bench.train.game import Game, build_on

ROUNDS = 50
MODELS = ("vae", "beta-vae", "gan", "dcgan", "sngan", "wgan-gp")
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def record_of(make_record):
    """Make the record of a run of one of the six with seed 3 for a few rounds."""

    def make(name, task="digits", shape=(1, 8, 8), settings=None, **fields):
        model = zoo.create(name, shape=shape, **(settings or {}))
        spec = {
            "model": name, "plugin": "genzoo", "task": task, "seed": 3, "budget": f"{ROUNDS}rounds",
            "config": model.config.model_dump(mode="json"), **fields,
        }  # fmt: skip
        return model, make_record(spec=spec, shape=shape)

    return make


def played(name, task, seed, precision="fp32"):
    """Return the losses of every round as the harness plays them."""
    torch.manual_seed(derive(seed, "initialisation"))
    model = build_on(CPU, installed().models.get(name), task.shape, {})
    torch.manual_seed(derive(seed, "training"))
    stream = Stream(task.train.data, derive(seed, "data"), CPU)
    game = Game(model.train(), precision)
    for played_rounds in range(ROUNDS):
        game.play(stream.next(model.config.batch_size), played_rounds / ROUNDS)
        yield {name: float(loss) for name, loss in game.losses.items()}


def written(folder, source, task):
    """Write a script and its data, and return the script's path."""
    path = folder / "trained.py"
    path.write_text(source)
    path.with_suffix(".npz").write_bytes(training_data(task))
    return path


def read(lines):
    """Return the losses of every round that a script printed."""
    pairs = [line.split() for line in lines.splitlines()]
    return [dict(zip(words[::2], map(float, words[1::2]), strict=True)) for words in pairs]


@pytest.fixture
def losses_of(tmp_path, monkeypatch, capsys):
    """Run a script on a task's data, and return the losses of every round."""

    def run(source, task):
        path = written(tmp_path, source, task)
        monkeypatch.setattr(sys, "argv", [str(path)])
        runpy.run_path(str(path))
        return read(capsys.readouterr().out)

    return run


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", MODELS)
def test_a_script_gives_the_losses_of_the_run_bit_for_bit(name, precision, record_of, digits_task, losses_of):
    source = script(*record_of(name, precision_mode=precision), "trained.py")
    assert len(source.splitlines()) <= 200
    imported = {
        alias.name.partition(".")[0] if isinstance(node, ast.Import) else node.module.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported - sys.stdlib_module_names == {"torch", "numpy"}
    assert losses_of(source, digits_task) == list(played(name, digits_task, 3, precision))


@pytest.mark.parametrize("name", ["vae", "wgan-gp"])
def test_scripts_for_points_do_so_too_with_the_warm_up(name, record_of, ring8_task, losses_of):
    source = script(*record_of(name, "ring8", (2,)), "trained.py")
    assert losses_of(source, ring8_task) == list(played(name, ring8_task, 3))


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_a_script_ends_with_the_losses_and_the_weights_of_a_finished_run(name, finished_bench, digits_task, tmp_path):
    run = next(finished_bench.glob(f"runs/digits/{name}/seed=1-*.json"))
    record, model = read_record(run), zoo.load(run)
    path = written(tmp_path, script(model, record, "trained.py"), digits_task)
    command = [sys.executable, "-I", path.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    losses = read(done.stdout)
    assert losses[-1] == record.losses
    assert len(losses) == record.rounds
    trained = torch.load(tmp_path / "trained.pt", weights_only=True)
    assert all(torch.equal(trained[key], value) for key, value in model.state_dict().items())


def test_a_script_has_what_runs_and_nothing_of_what_is_switched_off(record_of):
    vae, gan = (script(*record_of(name), "trained.py") for name in ("vae", "gan"))
    assert "class Bernoulli" in vae
    assert not re.search("Gaussian|append_labels|diagnostics|pydantic|packing|ZooError", vae)
    assert not re.search("Maxout|zero_centred_penalty|spectral_norm|class ConvEncoder", gan)


@pytest.mark.parametrize(
    ("settings", "fields", "what"),
    [
        ({"ema": 0.9}, {}, "ema=0.9"),
        ({"schedule": "linear"}, {}, "schedule=linear"),
        ({"conditional": True, "classes": 10}, {}, "labels"),
        ({}, {"budget": "5s"}, "the budget 5s"),
        ({}, {"budget": "640,5rounds"}, "the budget 640,5rounds"),
        ({}, {"precision_mode": "bf16+compile"}, r"the arithmetic bf16\+compile on cpu"),
        ({}, {"device": "cuda", "threads": None}, "the arithmetic fp32 on cuda"),
    ],
)
def test_what_the_loop_of_a_script_has_not_is_refused(record_of, settings, fields, what):
    with pytest.raises(ZooError, match=f"^--format script has no loop for a run with {what}$"):
        script(*record_of("vae", settings=settings, **fields), "trained.py")


def test_changed_code_and_models_of_others_are_refused(record_of, monkeypatch, fake_registry):
    model, record = record_of("vae")
    with pytest.raises(ZooError, match="the code of model 'vae' has changed since this run"):
        script(model, record.model_copy(update={"code": "0" * 16}), "trained.py")
    monkeypatch.setattr("zoo_bench.export.script.installed", lambda: fake_registry(vae=type(model)))
    with pytest.raises(ZooError, match=r"is for the models of genzoo, and 'vae' is of fake-distribution 1.2"):
        script(model, record, "trained.py")


def test_training_data_are_all_items_in_order(digits_task, tmp_path):
    (tmp_path / "data.npz").write_bytes(training_data(digits_task))
    assert np.array_equal(np.load(tmp_path / "data.npz")["data"], digits_task.train.data.numpy())

from functools import partial
from importlib.resources import files

import pytest
import torch
from torch import nn

import zoo
from tiny import Tiny, trained
from zoo.evaluation import Judged
from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.processes import FORK_SERVER
from zoo_bench.judges.classifier import ClassifierJudge
from zoo_bench.judges.random_conv import RandomJudge
from zoo_bench.run import watch as module
from zoo_bench.run.watch import Watch, harness_functions
from zoo_bench.score.metrics import frechet

ROUNDS = 5


@pytest.fixture
def marks(fake_entry, make_record):
    """Train a class given in the test for some rounds under a watch, and return the marks of the run."""

    def run(cls=Tiny, then=lambda model: None, **fields):
        with Watch() as watch:
            watch.begin(fake_entry(zoo.ModelSpec, "fake", cls))
            model = cls()
            training = trained(model, f"{ROUNDS}rounds")
            then(model)
            watch.end()
        return watch.marks(make_record(updates=training.meter.updates, **fields))

    return run


def sgd(*weights):
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    return torch.optim.SGD(weights, lr=0.1)


def test_a_model_that_moves_only_in_its_turns_has_no_marks(marks):
    assert marks() == []


def test_steps_of_an_optimiser_of_the_model_s_own_are_seen(marks):
    class Greedy(Tiny):
        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            sgd(self.left.weight).step()
            return super().left_loss(turn)

    assert marks(Greedy) == ["15 optimiser steps were taken and 10 of them counted"]


def test_further_steps_of_a_player_s_optimiser_are_seen(marks):
    class Kept(torch.optim.SGD):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            kept.append(self)

    class Greedy(Tiny):
        def players(self) -> list[zoo.Player]:
            return [zoo.Player("left", self, self.left_loss, partial(Kept, lr=0.01))]

        def play(self, turn: zoo.Turn) -> None:
            super().play(turn)
            kept[-1].step()

    kept: list[torch.optim.Optimizer] = []
    assert marks(Greedy) == ["10 optimiser steps were taken and 5 of them counted"]


def test_steps_while_the_model_is_sampled_are_seen(marks):
    assert marks(then=lambda model: sgd(model.left.weight).step()) == [
        "11 optimiser steps were taken and 10 of them counted"
    ]


def test_an_optimiser_of_latents_trains_nothing(marks):
    def refine(model):
        latent = torch.zeros(2, requires_grad=True)
        sgd(latent).step()

    assert marks(then=refine) == []


def test_an_optimiser_within_another_takes_the_same_step(marks):
    class Lookahead(torch.optim.SGD):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.inner = torch.optim.SGD(*args, **kwargs)

        def step(self, closure=None):
            self.inner.step()
            return super().step()

    class Careful(Tiny):
        def players(self) -> list[zoo.Player]:
            return [zoo.Player("left", self, self.left_loss, partial(Lookahead, lr=0.01))]

    assert marks(Careful) == []


def test_steps_after_the_end_are_not_the_model_s(fake_entry, make_record):
    layer = nn.Linear(2, 2)
    with Watch() as watch:
        watch.begin(fake_entry(zoo.ModelSpec, "fake", Tiny))
        watch.end()
        sgd(layer.weight).step()
    sgd(layer.weight).step()
    assert watch.marks(make_record(updates=0)) == []


def weights_of_a_judge():
    return files("zoo_bench") / "judges" / "weights" / "digits-cnn.safetensors"


def test_files_of_data_and_judges_that_the_model_opens_are_seen(marks, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    tmp_path.joinpath("test-images").touch()

    class Curious(Tiny):
        def __init__(self, **settings):
            super().__init__(**settings)
            ClassifierJudge.shipped("digits-cnn")

        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            tmp_path.joinpath("test-images").read_bytes()
            return super().left_loss(turn)

    assert marks(Curious) == ["the model's code opened temperatures.json, digits-cnn.safetensors, test-images"]


def test_code_in_the_data_folder_and_files_elsewhere_are_free(marks, tmp_path, monkeypatch):
    code, log = tmp_path / "data" / "model.py", tmp_path / "log"
    code.parent.mkdir()
    monkeypatch.setenv("ZOO_DATA", str(code.parent))

    class Writer(Tiny):
        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            for path in (code, log):
                path.touch()
                path.read_bytes()
            code.with_name("log").write_text("what is written tells a model nothing")
            return super().left_loss(turn)

    assert marks(Writer) == []


SAME_PACKAGE = """
class Judge(RandomJudge):
    def features(self, data):
        weights.read_bytes()
        return super().features(data)

def cheat(data):
    return Judged(Judge(1), data).features
"""


def test_a_judge_of_the_model_s_package_may_read_its_weights_unless_the_model_asks_it(
    marks, digits_task, tmp_path, monkeypatch
):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    weights, data = tmp_path / "weights", digits_task.test.data[:2]
    weights.touch()
    package = {"__name__": Tiny.__module__, "weights": weights, "RandomJudge": RandomJudge, "Judged": Judged}
    exec(SAME_PACKAGE, package)
    assert marks(then=lambda model: Judged(package["Judge"](1), data).features) == []
    assert marks(then=lambda model: package["cheat"](data)) == ["the model's code opened weights"]


def test_files_that_a_metric_of_the_model_s_package_reads_are_no_mark(fake_entry, make_record, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    tmp_path.joinpath("weights").touch()

    class Model(Tiny):
        pass

    with Watch() as watch:
        watch.begin(fake_entry(zoo.ModelSpec, "fake", Model))
        watch.end()
        tmp_path.joinpath("weights").read_bytes()
    assert watch.marks(make_record(updates=0)) == []


def test_files_that_the_harness_opens_are_its_own(marks):
    assert marks(Tiny, then=lambda model: weights_of_a_judge().read_bytes()) == [], "not from the module of Tiny"


def test_no_watch_goes_on_after_a_run(marks, fake_entry):
    assert marks() == []
    with pytest.raises(zoo.PluginError), Watch() as watch:
        watch.begin(fake_entry(zoo.ModelSpec, "fake", object))
    assert not module._watches


@pytest.mark.parametrize(
    "name",
    [
        "zoo_bench.score.metrics.frechet.frechet_distance",
        "zoo_bench.train.meter.perf_counter",
        "zoo_bench.train.meter.Meter.seconds",
        "zoo.model.build",
        "time.monotonic",
    ],
)
def test_a_function_that_is_replaced_is_named(marks, monkeypatch, name):
    def cheat(model):
        monkeypatch.setattr(name, lambda *args: 0.0)

    assert marks(then=cheat) == [f"functions of the harness were replaced: {name}"]


def test_what_was_replaced_before_is_seen_where_the_fork_server_noted_it(marks, monkeypatch):
    monkeypatch.setattr(module, "ORIGINALS", harness_functions())
    monkeypatch.setattr(frechet, "frechet_distance", lambda a, b: 0.0)
    (mark,) = marks()
    assert "zoo_bench.score.metrics.frechet.frechet_distance" in mark


@pytest.mark.skipif(not FORK_SERVER, reason="runs start without a fork server here")
def test_the_fork_server_notes_metrics_before_any_plugin_is_imported():
    noted = run_in_subprocess(eval, "set(__import__('zoo_bench.run.watch').run.watch.ORIGINALS)", timeout=100.0)
    assert {"zoo_bench.score.metrics.kid.kid", "time.perf_counter"} <= noted


@pytest.mark.parametrize(
    ("cpu_seconds", "threads", "device", "odd"),
    [(16.0, 1, "cpu", False), (17.0, 1, "cpu", True), (39.0, 4, "cpu", False), (70.0, 4, "cpu", True),
     (90.0, 1, "cuda", False)],
)  # fmt: skip
def test_more_cpu_time_than_the_clock_allows_is_a_mark(marks, cpu_seconds, threads, device, odd):
    found = marks(spec={"device": device}, train_seconds=10.0, cpu_seconds=cpu_seconds, threads=threads)
    assert found == ["training took more CPU time than its wall-clock and threads allow"] * odd

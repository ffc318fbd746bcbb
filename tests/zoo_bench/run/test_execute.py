import importlib.metadata
import io
import json
import math
import signal
import time
from functools import partial

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import nn

import zoo
from zoo.evaluation import Evaluation
from zoo.task import to_model, to_storage
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.data.loading import load_task
from zoo_bench.judges.panel import Panel
from zoo_bench.plan.code import fingerprint
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.record import row
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute
from zoo_bench.score.stored import unpacked
from zoo_bench.store.records import read_record

GENZOO = f"genzoo {zoo.__version__}"


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


ALONE = Resources(threads=1, contended=False)


def every(registry):
    """Ask for every metric of a registry under the task's own judge."""
    return Scoring(tuple(entry.spec.name for entry in registry.metrics.select("all") if not entry.spec.judge))


ALL = every(zoo.installed())
MODELS = [pytest.param(entry.spec.name, id=entry.spec.name) for entry in zoo.installed().models]
SPEEDS = {"train_images_per_s", "sample_images_per_s", "sample_latency_ms", "peak_memory_mb"}


class Steady(zoo.GenerativeModel):
    """One player whose samples are its parameter; tests override what they need."""

    def __init__(self, shape, config) -> None:
        super().__init__(shape, config)
        self.image = nn.Parameter(torch.zeros(shape))

    def players(self) -> list[zoo.Player]:
        return [zoo.Player("image", self, self.loss, partial(torch.optim.SGD, lr=0.1))]

    def loss(self, turn: zoo.Turn) -> torch.Tensor:
        return (turn.real - self.image).square().mean()

    def sample(self, n: int) -> torch.Tensor:
        return self.image.expand(n, *self.shape)


def spec_of(model: str, task: str = "digits", budget: str = "5rounds", registry=None, **options):
    (spec,) = plan(
        BenchOptions(models=model, task=task, budget=budget, seeds=1, device="cpu", **options), registry
    ).runs
    return spec


@pytest.fixture
def execute_fake(fake_registry, monkeypatch):
    """Execute one run of a class given in the test."""

    def run(cls, *metrics):
        registry = fake_registry(fake=cls)
        for entry in metrics:
            registry.metrics.add(entry)
        monkeypatch.setattr("zoo_bench.run.execute.installed", lambda: registry)
        return execute(spec_of("fake", registry=registry), ALONE, scoring=every(registry))

    return run


TIMES = {"train_seconds", "cpu_seconds", "cpu_share", "evaluate_seconds", "started_at", "throughput", "contended"}


def without_times(record):
    """Return a record as it would be stored, but for its times and a note on these."""
    content = json.loads(record.model_dump_json(exclude=TIMES | {"environment"}))
    content["scores"]["learning curve"]["values"].pop("seconds_to_target", None)
    for point in content["history"] + content["curve"]:
        del point["seconds"]
    content["notes"] = [note for note in content["notes"] if not note.startswith("training waited")]
    return content


class Greedy(Steady):
    """It takes optimiser steps of its own, and ends the run in some rounds, each of them once."""

    def __init__(self, shape, config) -> None:
        super().__init__(shape, config)
        self.own = nn.Parameter(torch.zeros(()))

    def loss(self, turn: zoo.Turn) -> torch.Tensor:
        torch.optim.SGD([self.own], lr=0.1).step()
        if turn.round in STOPS:
            STOPS.remove(turn.round)
            signal.raise_signal(signal.SIGTERM)
        return super().loss(turn) + torch.rand(()) * self.own.square()


STOPS: list[int] = []


def test_a_run_that_is_ended_goes_on_to_the_record_of_one_that_is_not(fake_registry, monkeypatch, tmp_path):
    registry = fake_registry(fake=Greedy)
    monkeypatch.setattr("zoo_bench.run.execute.installed", lambda: registry)
    monkeypatch.setattr("zoo_bench.score.curve.CURVE_SAMPLES", 100)
    spec = spec_of("fake", budget="120rounds", registry=registry)
    whole = execute(spec, ALONE, scoring=ALL)
    assert "of them counted" in whole.record.marks[0]
    folder = tmp_path / "checkpoints"
    STOPS[:] = [2, 40, 119]
    for rounds in (3, 41, 120):
        ended = execute(spec, ALONE, scoring=ALL, checkpoints=folder, checkpoint_seconds=300.0).record
        assert (ended.status, ended.rounds, ended.scores) == ("interrupted", rounds, {})
        assert ended.error == "ended by SIGTERM before its budget was spent"
        assert ended.history[-1]["images"] == ended.images
    assert len(ended.curve) == 5
    resumed = execute(spec, ALONE, scoring=ALL, checkpoints=folder, checkpoint_seconds=300.0)
    assert without_times(resumed.record) == without_times(whole.record)
    assert resumed.files == whole.files


@pytest.mark.parametrize("field", ["code", "task_code", "judge"])
def test_a_checkpoint_of_other_code_or_another_judge_is_named_and_ignored(field, fake_registry, monkeypatch, tmp_path):
    registry = fake_registry(fake=Greedy)
    monkeypatch.setattr("zoo_bench.run.execute.installed", lambda: registry)
    spec, kept = spec_of("fake", registry=registry), {"checkpoints": tmp_path / "kept", "checkpoint_seconds": 300.0}
    STOPS[:] = [2]
    execute(spec, ALONE, scoring=Scoring(()), **kept)
    if field == "judge":
        monkeypatch.setattr("zoo_bench.run.execute.judge_name", lambda name, task: "another@12345678")
    else:
        place = field == "task_code"
        monkeypatch.setattr(
            "zoo_bench.run.execute.fingerprint",
            lambda entry: "changed" if (entry.spec.name == "digits") == place else fingerprint(entry),
        )
    record = execute(spec, ALONE, scoring=Scoring(()), **kept).record
    assert (record.status, record.rounds) == ("ok", 5)
    assert any("was not used, and training began anew: it is of another run, other code" in n for n in record.notes)


def test_no_checkpoint_is_written_where_the_folder_of_the_bench_is_not(fake_registry, monkeypatch, tmp_path):
    registry = fake_registry(fake=Greedy)
    monkeypatch.setattr("zoo_bench.run.execute.installed", lambda: registry)
    spec = spec_of("fake", registry=registry)
    STOPS[:] = [2]
    elsewhere = tmp_path / "no" / "checkpoints"
    record = execute(spec, ALONE, scoring=Scoring(()), checkpoints=elsewhere, checkpoint_seconds=300.0).record
    assert (record.status, record.notes) == ("interrupted", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", MODELS)
def test_every_model_runs_to_a_full_record_twice_the_same_bit_for_bit(name, monkeypatch):
    monkeypatch.setattr("zoo_bench.score.curve.CURVE_SAMPLES", 100)
    spec = spec_of(name)
    outcomes = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        outcomes.append(execute(spec, ALONE, scoring=ALL))
    first, second = (outcome.record for outcome in outcomes)
    assert (first.status, first.error) == ("ok", "")
    for column in ("fid", "fid_floor", "fid_best", "fid_auc", "modes_captured", "mode_kl", "mode_tv"):
        assert math.isfinite(first.metrics[column]), column
    assert first.metric_errors == {}
    assert first.throughput.keys() == SPEEDS
    assert all(value > 0 for value in first.throughput.values())
    assert (first.rounds, first.images) == (5, 5 * spec.config["batch_size"])
    assert first.params > 0
    assert {".safetensors", ".png"} <= outcomes[0].files.keys()

    for field in ("metrics", "losses", "images", "rounds", "updates", "flops", "params"):
        assert getattr(first, field) == getattr(second, field), field
    assert outcomes[0].files == outcomes[1].files


def test_the_best_checkpoint_is_chosen_on_validation_and_scored_on_the_test_split(execute_fake):
    weights = {}

    class Straying(Steady):
        def loss(self, turn):
            weights[round(turn.progress * 5)] = self.image.detach().clone()
            return super().loss(turn) * (100.0 if turn.progress < 0.5 else -300.0)

    record = execute_fake(Straying).record
    best = min(record.curve, key=lambda point: point["fid"])
    assert best["share"] < 1.0, "it strays from the data's mean"
    task = load_task(zoo.installed().tasks.get("digits"))
    image = weights[round(best["share"] * 5)]
    evaluation = Evaluation(task, to_storage(image.expand(task.samples, *task.shape)))
    expected = frechet_distance(evaluation.features_generated, evaluation.features_real)
    assert record.metrics["fid_best"] == pytest.approx(expected, rel=1e-6)
    assert record.metrics["fid_best"] < record.metrics["fid"]


def test_a_run_in_a_process_of_its_own_has_the_same_result_bit_for_bit(finished_bench):
    (path,) = finished_bench.glob("runs/digits/gan/seed=1-*.json")
    stored = read_record(path)
    here = execute(stored.spec, ALONE, scoring=Scoring((*ALL.metrics, "panel"), panel=Panel.of(finished_bench)))
    assert here.record.metrics == stored.metrics
    assert here.record.losses == stored.losses
    assert here.files[".safetensors"] == path.with_suffix(".safetensors").read_bytes()


def test_a_run_on_points_is_scored_by_its_mixture():
    outcome = execute(spec_of("vae", "ring8"), ALONE, scoring=ALL)
    assert outcome.record.status == "ok"
    assert {"fid", "modes_captured", "high_quality"} <= outcome.record.metrics.keys()
    assert outcome.record.metrics["modes_total"] == 8
    assert outcome.files[".png"].startswith(b"\x89PNG")
    assert ".progress.png" not in outcome.files


def test_a_record_counts_the_samples_of_each_mode_as_the_judge_sees_them(digits_task):
    record = execute(spec_of("vae"), ALONE, scoring=Scoring(("class-modes",))).record
    assert sum(record.mode_counts) == digits_task.samples
    assert record.mode_counts_real == torch.bincount(digits_task.test.modes).tolist()
    shares, real = (np.array(counts) / sum(counts) for counts in (record.mode_counts, record.mode_counts_real))
    assert record.metrics["mode_tv"] == pytest.approx(np.abs(shares - real).sum() / 2)


def test_a_sheet_shows_what_became_of_the_same_latents_at_each_point_of_the_curve(digits_task):
    outcome = execute(spec_of("vae", budget="64rounds"), ALONE, scoring=Scoring())
    rows = len(outcome.record.curve)
    assert rows > 2
    shown = pixels(outcome.files[".progress.png"])
    side, scale = 9, 512 // 73
    assert shown.shape[:2] == (scale * (rows * side + 1), scale * (8 * side + 1))
    last = shown[scale * (rows - 1) * side :: scale, ::scale]
    first_of_all = pixels(outcome.files[".png"])[::scale, ::scale]
    assert np.array_equal(last[: side + 1], first_of_all[: side + 1])


def test_what_a_model_raises_is_the_record_of_its_run(execute_fake):
    class Raising(Steady):
        def loss(self, turn):
            raise ValueError("no loss today")

    record = execute_fake(Raising).record
    assert (record.status, record.error) == ("error", "ValueError: no loss today")
    assert "no loss today" in record.traceback
    assert "test_execute.py" in record.traceback
    assert record.images is None
    assert record.metrics == {}


def test_a_model_that_exits_has_a_record_that_says_where(execute_fake):
    class Leaving(Steady):
        def loss(self, turn):
            raise SystemExit(0)

    record = execute_fake(Leaving).record
    assert (record.status, record.error) == ("error", "SystemExit: 0")
    assert "test_execute.py" in record.traceback


def test_samples_of_a_wrong_shape_are_an_error_that_names_both(execute_fake):
    class Crooked(Steady):
        def sample(self, n):
            return torch.zeros(n, 1, 8, 7)

    record = execute_fake(Crooked).record
    assert record.status == "error"
    assert "Crooked.sample(500) returned (500, 1, 8, 7), not (500, 1, 8, 8)" in record.error


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_samples_that_are_not_finite_are_a_divergence_with_its_weights_kept(execute_fake, value):
    class Wild(Steady):
        def sample(self, n):
            return torch.full((n, *self.shape), value)

    outcome = execute_fake(Wild)
    assert (outcome.record.status, outcome.record.error) == ("diverged", "samples are infinite or NaN")
    assert outcome.record.metrics == {}
    assert outcome.record.images == 5 * 64
    assert outcome.files.keys() == {".safetensors"}


def test_a_loss_that_is_not_finite_is_a_divergence_that_names_the_player(execute_fake):
    class Diverging(Steady):
        def loss(self, turn):
            return super().loss(turn) * float("nan")

    record = execute_fake(Diverging).record
    assert record.status == "diverged"
    assert "player 'image' is nan" in record.error
    assert record.rounds == 5


def test_a_metric_that_fails_costs_only_its_own_columns(execute_fake, fake_entry):
    def broken(evaluation):
        raise RuntimeError("cannot count")

    columns = (zoo.Column("oddness", "lower", "How odd"),)
    entry = fake_entry(zoo.MetricSpec, "broken", broken, columns=columns)
    record = execute_fake(Steady, entry).record
    assert record.status == "ok"
    assert record.metric_errors == {"broken": "RuntimeError: cannot count"}
    assert "test_execute.py" in record.traceback
    assert "fid" in record.metrics
    assert "oddness" not in record.metrics


def test_a_record_names_its_libraries_and_can_be_stored(execute_fake):
    record = execute_fake(Steady).record
    assert record.environment["torch"] == importlib.metadata.version("torch")
    assert json.loads(record.model_dump_json())["environment"] == record.environment


def test_the_weights_of_a_model_that_ties_some_are_stored_and_read_back(execute_fake, tmp_path):
    class Tied(Steady):
        def __init__(self, shape, config):
            super().__init__(shape, config)
            self.mirror = self.image

    outcome = execute_fake(Tied)
    assert outcome.record.status == "ok", outcome.record.error
    weights = safetensors.torch.load(outcome.files[".safetensors"])
    assert torch.equal(weights["image"], weights["mirror"])
    model = Tied((1, 8, 8), zoo.ModelConfig())
    model.load_state_dict(weights)
    assert torch.equal(model.image, weights["image"])


def test_diagnostics_of_the_model_s_own_are_columns_of_the_record(execute_fake):
    class Telling(Steady):
        def diagnostics(self, real):
            assert not self.training
            assert not torch.is_grad_enabled()
            seen.append(real)
            return {"distance": (real - self.image).square().mean()}

    seen: list[torch.Tensor] = []
    record = execute_fake(Telling).record
    [real] = seen
    assert real.dtype == torch.float32
    assert real.shape[1:] == (1, 8, 8)
    assert -1 <= real.min() < real.max() <= 1
    validation = load_task(zoo.installed().tasks.get("digits")).validation.data[:2000]
    assert torch.equal(real, to_model(validation)), "held-out data that are not what samples are scored against"
    assert isinstance(record.metrics["distance"], float)
    assert row(record)["distance"] == record.metrics["distance"]
    assert record.metric_errors == {}


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (
            {"fid": 0.0},
            f"Telling.diagnostics() returns 'fid', which metric 'fid' of {GENZOO} fills: choose another name",
        ),
        ({"status": 0.0}, f"Telling.diagnostics() returns 'status', which {GENZOO} fills"),
        ({"judge": 0.0}, f"Telling.diagnostics() returns 'judge', which {GENZOO} fills"),
        (
            {"My value": 0.0},
            "Telling.diagnostics() must return a dict with keys of lower-case letters, digits and '_', not 'My value'",
        ),
        (1.0, "Telling.diagnostics() must return a dict with keys of lower-case letters, digits and '_'"),
        (
            {"distance": "far"},
            "Telling.diagnostics() returns no number as 'distance': "
            "ValueError: could not convert string to float: 'far'",
        ),
        ({"distance": float("nan")}, "Telling.diagnostics() returns 'distance' as nan"),
        (
            {f"value_{n}": 0.0 for n in range(20_000)},
            "Telling.diagnostics() returns 20,000 values, and none is kept: 100 are the limit",
        ),
    ],
)
def test_diagnostics_that_cannot_be_columns_cost_nothing_else(execute_fake, result, sentence):
    class Telling(Steady):
        def diagnostics(self, real):
            return result

    record = execute_fake(Telling).record
    assert record.status == "ok"
    [found] = record.metric_errors.items()
    assert found == ("diagnostics", sentence + ": choose another name" * sentence.endswith("fills"))
    assert record.metrics["fid"] > 0
    assert record.diagnostics == {}


def test_one_diagnostic_that_is_unusable_leaves_the_others(execute_fake):
    class Telling(Steady):
        def diagnostics(self, real):
            return {"elbo": 3.0, 7: 1.0, "bits": float("inf"), "fid": 0.0, "nats": 2}

    record = execute_fake(Telling).record
    assert record.diagnostics == {"elbo": 3.0, "nats": 2.0}
    parts = record.metric_errors["diagnostics"].split("; ")
    assert [part.partition("'")[2] for part in parts] == [
        "_', not 7",
        "bits' as inf",
        f"fid', which metric 'fid' of {GENZOO} fills: choose another name",
    ]


class Odd(BaseException):
    """No Exception, and it cannot be shown."""

    def __str__(self):
        raise MemoryError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Odd(), "Odd: its message cannot be shown, because of another MemoryError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (MemoryError(), "MemoryError"),
        (SystemExit(3), "SystemExit: 3"),
        (ValueError("x\n" * 2_000_000), f"ValueError: {'x ' * 250}... (3999999 characters)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_exception_of_any_kind_in_a_loss_is_one_line_of_the_record(execute_fake, error, sentence):
    class Failing(Steady):
        def loss(self, turn):
            raise error

    record = execute_fake(Failing).record
    assert (record.status, record.error) == ("error", sentence)
    assert len(record.traceback) < 21_000


def test_endless_recursion_in_a_loss_is_named(execute_fake):
    class Endless(Steady):
        def loss(self, turn):
            return self.loss(turn)

    record = execute_fake(Endless).record
    assert record.status == "error"
    assert record.error.startswith("RecursionError: ")


def test_a_sampler_may_follow_gradients_as_langevin_dynamics_does(execute_fake):
    class Langevin(Steady):
        def sample(self, n):
            x = torch.zeros(n, *self.shape)
            for _ in range(2):
                with torch.enable_grad():
                    energy = (x.requires_grad_() - self.image).square().sum()
                    (slope,) = torch.autograd.grad(energy, x)
                x = x.detach() - 0.1 * slope + 0.2 * torch.randn_like(x)
            return x

    record = execute_fake(Langevin).record
    assert (record.status, record.error) == ("ok", "")
    assert record.throughput["sample_images_per_s"] > 0


def test_samples_between_0_and_1_are_noted(execute_fake):
    class Sigmoid(Steady):
        def sample(self, n):
            return super().sample(n).sigmoid()

    assert execute_fake(Steady).record.notes == []
    (note,) = execute_fake(Sigmoid).record.notes
    assert "they look like images in [0, 1], as a Sigmoid makes them" in note


def test_features_that_hardly_vary_are_noted(execute_fake, monkeypatch):
    monkeypatch.setattr("zoo.evaluation.NEARLY_CONSTANT", 0.9)
    (note,) = execute_fake(Steady).record.notes
    assert "of the 32 of digits-cnn" in note


def test_steps_beside_the_game_are_a_mark_of_the_run(execute_fake):
    class Greedy(Steady):
        def sample(self, n):
            self.image.grad = torch.ones_like(self.image)
            torch.optim.SGD([self.image], lr=0.0).step()
            return super().sample(n)

    assert execute_fake(Steady).record.marks == []
    (mark,) = execute_fake(Greedy).record.marks
    assert "optimiser steps were taken and 5 of them counted" in mark


def test_samples_are_kept_where_that_is_asked_for(tmp_path, digits_task):
    outcome = execute(spec_of("vae"), ALONE, scoring=Scoring(("fid",), keep_samples=True))
    path = tmp_path / "kept.samples.npz"
    path.write_bytes(outcome.files[".samples.npz"])
    evaluation = Evaluation(digits_task, unpacked(path))
    found = frechet_distance(evaluation.features_generated, evaluation.features_real)
    assert found == pytest.approx(outcome.record.metrics["fid"], rel=1e-6)


def test_seeds_of_single_axes_take_the_place_of_the_seed():
    spec = spec_of("vae")
    axes = ("data", "initialisation", "training", "sampling")
    first = execute(spec, ALONE, scoring=Scoring(("fid",)))
    same = execute(spec.with_changes(seed=7, seeds=dict.fromkeys(axes, 0)), ALONE, scoring=Scoring(("fid",)))
    assert same.files == first.files
    assert same.record.metrics == first.record.metrics
    for axis in axes:
        other = execute(spec.with_changes(seeds={axis: 7}), ALONE, scoring=Scoring(("fid",)))
        assert other.record.run_id != first.record.run_id
        assert (other.files[".safetensors"] == first.files[".safetensors"]) == (axis == "sampling")
        assert other.record.metrics["fid"] != first.record.metrics["fid"]
        assert row(other.record)["seeds"] == json.dumps({axis: 7})


@pytest.mark.parametrize(("budget", "effect"), [("20rounds", "too low"), ("1s", "fewer items than its seconds allow")])
def test_a_run_that_waited_for_others_is_contended_and_says_so(fake_registry, monkeypatch, budget, effect):
    class Slow(Steady):
        def loss(self, turn):
            time.sleep(0.06)  # another program's turn
            return super().loss(turn)

    registry = fake_registry(fake=Slow)
    monkeypatch.setattr("zoo_bench.run.execute.installed", lambda: registry)
    record = execute(spec_of("fake", budget=budget, registry=registry), ALONE, scoring=Scoring(())).record
    assert record.cpu_share < 0.8
    assert record.contended
    assert [note.endswith(effect) for note in record.notes if note.startswith("training waited")] == [True]


def test_the_share_of_cpu_time_is_judged_in_runs_of_a_second_only(execute_fake):
    record = execute_fake(Steady).record
    assert record.train_seconds < 1.0
    assert 0.0 < record.cpu_share <= 1.0
    assert not record.contended

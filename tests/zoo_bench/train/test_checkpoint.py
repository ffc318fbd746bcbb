"""A training that was ended and goes on from its checkpoint ends as one that was not, bit for bit."""

import json
import os
import signal
import threading
from functools import partial

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import zoo
from tiny import IMAGES, POINTS, Tiny
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.train import checkpoint as module
from zoo_bench.train.checkpoint import Checkpoint, signals_noted
from zoo_bench.train.loop import train

CPU = torch.device("cpu")
ROUNDS = 110
"""More than are counted in a row, and more than lie between two looks at the losses."""

STOPS = (1, 50, 70, ROUNDS)
"""Rounds after which a training is ended: within the warm-up, at a look at the losses, after both, and the last."""

CASES = [
    pytest.param(entry.spec.name, (1, 8, 8) if kind == "images" else (2,), id=f"{entry.spec.name}-{kind}")
    for entry in zoo.installed().models
    for kind in ("images", "points")
    if kind in entry.spec.data
]


def checkpoint_at(path, seconds=1e9):
    checkpoint = Checkpoint(path, seconds)
    checkpoint.key = {"run_id": "a run"}
    return checkpoint


def train_model(
    make, *, path=None, stop=None, ask=signal.SIGTERM, budget=f"{ROUNDS}rounds", seconds=1e9, device=CPU, **options
):
    """Train a fresh model, end it after a round if that is asked, and return all that its record would say."""
    torch.manual_seed(0 if stop or not path or not path.exists() else 99)  # a model that goes on is built otherwise
    model = make().to(device)
    play, curve = model.play, []

    def stopped(turn):
        play(turn)
        if turn.round + 1 == stop:
            os.kill(os.getpid(), ask)

    model.play = stopped
    torch.manual_seed(1)
    stream = Stream(IMAGES if len(model.shape) == 3 else POINTS, 0, device)
    checkpoint = checkpoint_at(path, seconds) if path else None
    training = train(
        model,
        stream,
        Budget.parse(budget),
        marks=(0.2, 0.4, 0.6, 1.0),
        on_mark=lambda share, training: curve.append((training.meter.images, torch.cat(flat(model)))),
        checkpoint=checkpoint,
        **options,
    )
    return model, training, curve, checkpoint


def flat(model):
    return [tensor.detach().flatten().float().clone() for tensor in model.state_dict().values()]


def told(model, training):
    """Return all figures of a training but its times, and the random numbers that would come next."""
    meter = training.meter
    history = [{key: value for key, value in point.items() if key != "seconds"} for point in training.history]
    random = torch.rand(3).tolist() + torch.rand(3, device=model.device).tolist()
    counts = meter.images, meter.rounds, meter.updates, meter.flops
    return counts, history, training.losses, training.diverged, training.marks_passed, random


def assert_same(make, tmp_path, stops=STOPS, **options):
    """End a training after several rounds, go on each time in a fresh model, and compare with one that is not ended."""
    whole, training, curve, _ = train_model(make, **options)
    expected = told(whole, training)
    path, curves = tmp_path / "run.safetensors", []
    for stop in stops:
        _, ended, before, _ = train_model(make, path=path, stop=stop, **options)
        assert ended.interrupted
        assert ended.meter.rounds == stop
        curves += before
    resumed, training, after, checkpoint = train_model(make, path=path, **options)
    assert checkpoint.note == ""
    assert told(resumed, training) == expected
    assert resumed.state_dict().keys() == whole.state_dict().keys()
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    for (images, weights), (images_whole, weights_whole) in zip([*curves, *after], curve, strict=True):
        assert images == images_whole
        assert torch.equal(weights, weights_whole)


def make(name, shape, **settings):
    return lambda: zoo.create(name, shape=shape, **settings)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_every_model_goes_on_bit_for_bit(name, shape, tmp_path):
    assert_same(make(name, shape), tmp_path)


@pytest.mark.parametrize(("name", "shape"), [("dcgan", (1, 8, 8)), ("sngan", (1, 8, 8)), ("wgan-gp", (2,))])
def test_averages_and_schedules_go_on(name, shape, tmp_path):
    assert_same(make(name, shape, ema=0.99, schedule="cosine"), tmp_path, stops=(3, 70))


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_every_model_goes_on_bit_for_bit_on_a_gpu(name, shape, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    assert_same(make(name, shape), tmp_path, stops=(3, 70), device=torch.device("cuda"))


@pytest.mark.parametrize("name", ["dcgan", "vae"])
def test_bf16_goes_on(name, tmp_path):
    assert_same(make(name, (1, 8, 8), ema=0.9, schedule="linear"), tmp_path, stops=(3, 70), precision="bf16")


@pytest.mark.parametrize(
    "optimizer",
    [
        partial(torch.optim.SGD, lr=0.01, momentum=0.9, nesterov=True),
        partial(torch.optim.AdamW, lr=0.01, amsgrad=True),
        partial(torch.optim.RMSprop, lr=0.01, centered=True, momentum=0.5),
        partial(torch.optim.NAdam, lr=0.01),
        partial(torch.optim.RAdam, lr=0.01),
        partial(torch.optim.Adagrad, lr=0.01),
        partial(torch.optim.Adadelta, lr=0.1),
        partial(torch.optim.Rprop, lr=0.01),
        zoo.Adam(0.01, (0.5, 0.9)),
    ],
    ids=lambda optimizer: getattr(getattr(optimizer, "func", optimizer), "__name__", "zoo.Adam"),
)
def test_every_optimiser_goes_on(optimizer, tmp_path):
    class Own(Tiny):
        def players(self) -> list[zoo.Player]:
            left, right = super().players()
            return [
                zoo.Player("left", left.network, left.loss, optimizer),
                zoo.Player("right", right.network, right.loss, optimizer, every=3, active=(0.3, 0.9)),
            ]

    assert_same(partial(Own, ema=0.9, schedule="linear"), tmp_path)


def test_buffers_that_the_state_dict_leaves_out_go_on(tmp_path):
    class Counting(Tiny):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", torch.zeros(()), persistent=False)

        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            self.count += 1
            return super().left_loss(turn) / self.count

    assert_same(Counting, tmp_path)


def test_what_is_frozen_between_two_moves_goes_on(tmp_path):
    class Looking(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            trainable.append([weight.requires_grad for weight in self.parameters()])
            super().play(turn)

    trainable: list[list[bool]] = []
    train_model(Looking)
    whole = trainable[:]
    trainable.clear()
    train_model(Looking, path=tmp_path / "run", stop=7)
    train_model(Looking, path=tmp_path / "run")
    assert trainable == whole


def test_a_model_with_a_counter_of_its_own_does_not_go_on_bit_for_bit(tmp_path):
    class Counting(Tiny):
        count = 0

        def left_loss(self, turn: zoo.Turn) -> torch.Tensor:
            self.count += 1
            return super().left_loss(turn) / self.count

    with pytest.raises(AssertionError):
        assert_same(Counting, tmp_path)


def test_seconds_go_on_and_writing_is_not_charged(tmp_path, monkeypatch):
    def slow(path, content):
        clock.now += 1000.0
        write(path, content)

    class Slow(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            clock.now += 2.0
            super().play(turn)

    class clock:  # noqa: N801
        now = 0.0

    write = module.write_atomically
    monkeypatch.setattr(module, "write_atomically", slow)
    monkeypatch.setattr("zoo_bench.train.meter.perf_counter", lambda: clock.now)
    path = tmp_path / "run"
    _, ended, _, _ = train_model(Slow, path=path, stop=4, budget="19s")
    assert ended.meter.seconds == 8.0
    _, training, _, _ = train_model(Slow, path=path, budget="19s")
    assert (training.meter.rounds, training.meter.seconds) == (10, 20.0)
    assert [point["seconds"] for point in training.history] == [20.0]


def test_it_is_written_in_time_and_costs_under_a_hundredth(tmp_path, monkeypatch):
    writes = []

    def write(path, content):
        clock.now += 3.0
        writes.append(clock.now)

    class clock:  # noqa: N801
        now = 0.0

    class Slow(Tiny):
        def play(self, turn: zoo.Turn) -> None:
            clock.now += 10.0
            super().play(turn)

    monkeypatch.setattr(module.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(module, "write_atomically", write)
    train_model(Slow, path=tmp_path / "run", seconds=500.0)
    assert writes == [503.0, 1006.0]
    writes.clear()
    clock.now = 0.0
    train_model(Slow, path=tmp_path / "run", seconds=20.0)
    assert writes == [23.0, 326.0, 629.0, 932.0]


def test_sigusr1_writes_one_and_training_goes_on(tmp_path):
    path = tmp_path / "run"
    _, training, _, _ = train_model(Tiny, path=path, stop=5, ask=signal.SIGUSR1)
    assert not training.interrupted
    assert training.meter.rounds == ROUNDS
    assert path.is_file()


def test_sigterm_without_checkpoints_ends_training_with_what_it_has():
    _, training, _, _ = train_model(Tiny, stop=60)
    assert training.interrupted
    assert training.meter.rounds == 60
    assert training.losses.keys() == {"left", "right"}
    assert training.history[-1]["images"] == 240


def test_signals_are_as_before_after_training():
    before = [signal.getsignal(number) for number in module.SIGNALS]
    train_model(Tiny)
    assert [signal.getsignal(number) for number in module.SIGNALS] == before


def test_training_in_another_thread_listens_to_no_signals():
    noted = []

    def listen():
        with signals_noted() as received:
            noted.append(received)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert noted == [set()]


@pytest.fixture
def written(tmp_path):
    """A checkpoint after 60 rounds."""
    path = tmp_path / "run.safetensors"
    train_model(Tiny, path=path, stop=60)
    return path


def test_it_is_a_safetensors_file_with_json(written):
    with safe_open(written, framework="pt") as file:
        state = json.loads(file.metadata()["state"])
        assert all(file.get_tensor(name) is not None for name in file.keys())  # noqa: SIM118
    assert [name for name, _ in state["mapping"]] == ["game", "training", "stream", "generators"]
    assert os.listdir(written.parent) == ["run.safetensors"]


def flip(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"garbage",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: flip(content, -1),
        lambda content: flip(content, -200),
        lambda content: flip(content, 3),
        lambda content: content.replace(b"images", b"imagos"),
        lambda content: content + content,
    ],
)
def test_a_damaged_one_is_named_and_ignored(damage, written):
    expected = told(*train_model(Tiny)[:2])
    written.write_bytes(damage(written.read_bytes()))
    torch.manual_seed(0)
    model, training, _, checkpoint = train_model(Tiny, path=written)
    assert checkpoint.note.startswith("checkpoint 'run.safetensors' was not used, and training began anew: it is ")
    assert training.meter.rounds == ROUNDS
    assert told(model, training)[0] == expected[0]


def test_one_of_another_run_is_named_and_ignored(written):
    other = checkpoint_at(written)
    other.key = {"run_id": "another"}
    other.parts = {"game": None}
    assert not other.restore()
    assert other.note.endswith("it is of another run, other code or another version of genzoo or torch")


def test_weights_are_none(tmp_path):
    path = tmp_path / "run.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    *_, checkpoint = train_model(Tiny, path=path)
    assert checkpoint.note.endswith("it is not one")


def test_one_that_does_not_fit_leaves_the_model_as_it_was(written):
    class Wider(Tiny):
        def __init__(self) -> None:
            super().__init__()
            self.left = nn.Linear(2, 7)

        def right_loss(self, turn: zoo.Turn) -> torch.Tensor:
            return (self.right(turn.real) - self.left(turn.real)).square().mean()

    _, training, _, checkpoint = train_model(Wider, path=written)
    assert checkpoint.note.endswith("Wider has other parameters or buffers when it is built")
    assert training.meter.rounds == ROUNDS


def test_a_pipe_in_its_place_is_not_opened(tmp_path):
    path = tmp_path / "run.safetensors"
    os.mkfifo(path)
    *_, checkpoint = train_model(Tiny, path=path)
    assert checkpoint.note == ""


def test_training_goes_on_where_it_cannot_be_written(tmp_path):
    path = tmp_path / "file" / "run.safetensors"
    path.parent.write_text("no folder")
    _, training, _, checkpoint = train_model(Tiny, path=path, stop=5, ask=signal.SIGUSR1)
    assert training.meter.rounds == ROUNDS
    assert checkpoint.note.startswith("no checkpoint could be written: ")


def test_an_optimiser_with_a_state_that_json_cannot_hold_is_named(tmp_path):
    class Odd(torch.optim.SGD):
        def state_dict(self):
            return {**super().state_dict(), "odd": object()}

    class Model(Tiny):
        def players(self) -> list[zoo.Player]:
            return [zoo.Player("left", self, self.left_loss, partial(Odd, lr=0.1))]

    _, training, _, checkpoint = train_model(Model, path=tmp_path / "run", stop=5, ask=signal.SIGUSR1)
    assert training.meter.rounds == ROUNDS
    assert checkpoint.note == "no checkpoint could be written: Object of type object is not JSON serializable"

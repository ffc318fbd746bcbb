"""What every installed model must do in the harness and at usual sizes, beside the contract's rules; none is named."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

import zoo
from zoo.config import kind_of
from zoo.model import build
from zoo.registry import installed
from zoo_bench.data.stream import Stream
from zoo_bench.plan.spec import PrecisionMode
from zoo_bench.train.game import Game

SMALL = {"width": 4, "batch_size": 4, "generator_hidden": (16, 16), "discriminator_hidden": (16,)}
SHAPES = [(1, 8, 8), (3, 8, 8), (1, 16, 16), (1, 28, 28), (3, 32, 32), (3, 64, 64), (2,)]
MODELS = list(installed().models)
OWN = [entry for entry in MODELS if entry.plugin.distribution == "genzoo"]
CASES = [
    pytest.param(entry, shape, id=f"{entry.spec.name}-{'x'.join(map(str, shape))}")
    for entry in MODELS
    for shape in SHAPES
    if ("images" if len(shape) == 3 else "points") in entry.spec.data
]

each_model = pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry.spec.name)
each_own_model = pytest.mark.parametrize("entry", OWN, ids=lambda entry: entry.spec.name)
each_image_case = pytest.mark.parametrize(("entry", "shape"), [case for case in CASES if len(case.values[1]) == 3])
each_case = pytest.mark.parametrize(("entry", "shape"), CASES)


def make(entry, shape, seed: int = 0, **settings) -> zoo.GenerativeModel:
    fields = entry.spec.load().Config.model_fields
    torch.manual_seed(seed)
    return build(entry, shape, {k: v for k, v in {**SMALL, **settings}.items() if k in fields})


def stream(shape, device: str = "cpu") -> Stream:
    generator = torch.Generator().manual_seed(0)
    if len(shape) == 3:
        data = torch.randint(256, (12, *shape), dtype=torch.uint8, generator=generator)
    else:
        data = torch.randn(12, *shape, generator=generator)
    return Stream(data, 0, torch.device(device))


class WatchedGame(Game):
    """Notes which parameters each move changed."""

    def __init__(self, model: zoo.GenerativeModel, precision="fp32") -> None:
        super().__init__(model.train(), precision)
        self.moves: list[tuple[zoo.Player, set[str]]] = []

    def move(self, player: zoo.Player) -> None:
        before = {name: weight.detach().clone() for name, weight in self.model.named_parameters()}
        super().move(player)
        changed = {name for name, weight in self.model.named_parameters() if not torch.equal(before[name], weight)}
        self.moves.append((player, changed))

    def play_until_all_have_moved(self, batches: Stream) -> None:
        for i in range(max(player.every for player in self.players)):
            self.play(batches.next(self.model.config.batch_size), i / 10)


@each_case
def test_each_player_changes_its_own_network_in_its_own_turn_only(entry, shape):
    game = WatchedGame(make(entry, shape))
    game.play_until_all_have_moved(stream(shape))
    assert all(loss.isfinite() and loss.shape == () for loss in game.losses.values())
    assert {player.name for player, _ in game.moves} == {player.name for player in game.players}
    names = {id(weight): name for name, weight in game.model.named_parameters()}
    for player, changed in game.moves:
        own = {names[id(w)]: w.ndim for w in player.network.parameters()}
        assert changed <= own.keys()
        assert {name for name, ndim in own.items() if ndim >= 2} <= changed


@each_image_case
def test_images_stay_within_minus_one_to_one_however_large_the_weights(entry, shape):
    model = make(entry, shape).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(100)
        samples = model.sample(4)
    assert samples.abs().max() > 0.9
    assert samples.abs().max() <= 1 or getattr(model.config, "likelihood", "") == "gaussian"


@each_case
def test_presets_are_valid_settings(entry, shape):
    config = entry.spec.load().Config
    defaults = config.shape_defaults(shape)
    assert defaults.keys() <= config.model_fields.keys()
    tuned = config.tuned.get(kind_of(shape), {})
    assert config.resolve(shape, {}).model_dump() == {**config().model_dump(), **defaults, **tuned}
    [plain] = set(get_args(config.model_fields["preset"].annotation)) - {"tuned", *config.named_presets}
    assert config.resolve(shape, {"preset": plain}).model_dump() == {
        **config().model_dump(), **defaults, "preset": plain,
    }  # fmt: skip


@each_own_model
def test_tuning_searches_of_every_model_what_it_searches_of_the_others(entry):
    """All are trained by Adam: none chooses its learning rate, decay rates or batch from more than another."""
    config = entry.spec.load().Config
    assert config.search.items() >= zoo.COMMON_SEARCH.items()
    for kind, shape in {"points": (2,), "images": (3, 32, 32)}.items():
        for preset in get_args(config.model_fields["preset"].annotation) if kind in entry.spec.data else ():
            defaults = config.resolve(shape, {"preset": preset})
            if preset not in config.named_presets:
                assert defaults.batch_size in config.search["batch_size"]
                assert defaults.betas in config.search["betas"]


@each_case
def test_batch_norm_has_the_usual_epsilon_and_no_player_shares_weights_with_another(entry, shape):
    model = make(entry, shape)
    assert {m.eps for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)} <= {1e-5}
    weights = [id(w) for player in model.players() for w in player.network.parameters()]
    assert len(weights) == len(set(weights))


@each_own_model
def test_the_spec_ends_its_summary_and_links_the_paper(entry):
    assert entry.spec.summary.endswith(".")
    assert entry.spec.url.startswith("https://")


@each_own_model
def test_the_model_is_one_file_under_150_lines(entry):
    found = importlib.util.find_spec(entry.spec.target.partition(":")[0])
    assert len(Path(found.origin).read_text().splitlines()) < 150


@each_model
def test_what_does_not_apply_is_refused_by_name(entry):
    for shape, kind in (((1, 8, 8), "images"), ((2,), "points")):
        if kind not in entry.spec.data:
            with pytest.raises(zoo.ZooError, match=f"model '{entry.spec.name}' does not apply to {kind}"):
                make(entry, shape)


class DrawnOnTheCpu(TorchFunctionMode):
    """Draws the random numbers of models on the CPU, so that all devices have the same."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in (torch.rand, torch.randn):
            device = kwargs.pop("device", "cpu")
            return func(*args, **kwargs).to(device)
        if func is torch.randn_like:
            return torch.randn(args[0].shape, dtype=args[0].dtype).to(args[0].device)
        return func(*args, **kwargs)


def first_losses(entry, shape, device: str, precision="fp32", rounds: int = 3) -> list[dict[str, float]]:
    """Return the losses of all players after each of the first rounds."""
    game = Game(make(entry, shape).to(device, memory_format=torch.channels_last).train(), precision)
    batches, losses = stream(shape, device), []
    for _ in range(rounds):
        game.play(batches.next(game.model.config.batch_size), 0.0)
        losses.append({name: float(loss) for name, loss in game.losses.items()})
    return losses


each_gpu_case = pytest.mark.parametrize(
    ("entry", "shape"), [case for case in CASES if case.values[1] in ((1, 28, 28), (2,))]
)


@pytest.mark.gpu
@pytest.mark.parametrize(
    "precision",
    [pytest.param(m, marks=pytest.mark.slow if "compile" in m else ()) for m in get_args(PrecisionMode)],
)
@each_gpu_case
def test_every_precision_trains_on_a_gpu(entry, shape, precision):
    losses = first_losses(entry, shape, "cuda", precision, rounds=20)
    assert all(math.isfinite(loss) for own in losses for loss in own.values())


@pytest.mark.gpu
@each_gpu_case
def test_a_gpu_and_a_cpu_begin_with_the_same_losses(entry, shape, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    losses = {}
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        with DrawnOnTheCpu():
            losses[device] = first_losses(entry, shape, device)
    for cpu, gpu in zip(losses["cpu"], losses["cuda"], strict=True):
        assert gpu == pytest.approx(cpu, rel=1e-3, abs=1e-3)

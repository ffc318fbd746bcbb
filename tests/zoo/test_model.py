"""The model contract: settings, turns, players and how a model is built."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import ClassVar, Literal

import pytest
import torch
from pydantic import Field, ValidationError
from torch import nn

import zoo
from zoo.catalogue import Entry, Plugin
from zoo.errors import PluginError, UnknownNameError, ZooError
from zoo.model import build, check_applies, configure
from zoo.specs import ModelSpec

IMAGE, POINT = (1, 8, 8), (2,)


class ToyConfig(zoo.LatentConfig):
    lr: float = Field(0.1, gt=0, description="Learning rate")
    hidden: tuple[int, ...] = Field((8, 8), description="Widths")

    @classmethod
    def shape_defaults(cls, shape):
        return {"z_dim": 3, "lr": 0.2} if len(shape) == 1 else {}


class Toy(zoo.GenerativeModel):
    Config = ToyConfig

    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.network = nn.Linear(config.z_dim, 2)


@pytest.fixture
def entry(monkeypatch):
    """Make an entry of a distribution whose module ``fake_models`` holds a target."""

    def make(target: object = Toy, data=("images", "points")) -> Entry[ModelSpec]:
        module = ModuleType("fake_models")
        module.Target = target
        monkeypatch.setitem(sys.modules, "fake_models", module)
        spec = ModelSpec(name="toy", target="fake_models:Target", summary="A toy.", data=data)
        return Entry(spec, Plugin("toy", "toy-distribution", "1.5", "fake_plugin"))

    return make


def test_settings_override_presets_and_presets_override_defaults():
    shared = {"batch_size": 64, "schedule": "constant", "ema": 0.0, "hidden": (8, 8)}
    assert ToyConfig.resolve(IMAGE, {}).model_dump() == {**shared, "z_dim": 100, "lr": 0.1}
    assert ToyConfig.resolve(POINT, {}).model_dump() == {**shared, "z_dim": 3, "lr": 0.2}
    changed = {"lr": 0.3, "batch_size": 2}
    assert ToyConfig.resolve(POINT, changed).model_dump() == {**shared, "z_dim": 3, **changed}


def test_a_named_preset_overrides_presets_of_the_shape_and_settings_override_it():
    class Named(ToyConfig):
        named_presets: ClassVar = {"paper": {"lr": 0.4, "schedule": "linear"}}

        preset: Literal["plain", "paper"] = Field("plain", description="Preset")

    assert Named.resolve(POINT, {}).lr == 0.2
    paper = Named.resolve(POINT, {"preset": "paper"})
    assert (paper.lr, paper.schedule, paper.z_dim) == (0.4, "linear", 3)
    assert Named.resolve(POINT, {"preset": "paper", "lr": 0.5}).lr == 0.5
    assert Named.resolve(POINT, paper.model_dump()) == paper
    with pytest.raises(ValidationError, match="'plain' or 'paper'"):
        Named.resolve(POINT, {"preset": "papre"})


def test_a_config_is_frozen():
    with pytest.raises(ValidationError):
        ToyConfig().lr = 1.0


def test_a_default_of_the_wrong_range_is_refused_too():
    class Wrong(zoo.ModelConfig):
        lr: float = Field(-1.0, gt=0, description="Learning rate")

    with pytest.raises(ValidationError):
        Wrong()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": "fast"}, "toy.lr: input should be a valid number, unable to parse string as a number, got 'fast'"),
        ({"lr": 0}, "toy.lr: input should be greater than 0, got 0"),
        ({"batch_size": 0}, "toy.batch_size: input should be greater than or equal to 1, got 0"),
        ({"hidden": (8, "wide")}, "toy.hidden.1: input should be a valid integer, "),
        ({"lr": 0, "z_dim": 0}, "toy.z_dim: input should be greater than or equal to 1, got 0; toy.lr: "),
    ],
)
def test_a_wrong_value_is_named_in_one_sentence(entry, settings, message):
    with pytest.raises(ZooError) as error:
        configure(entry(), IMAGE, settings)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_an_unknown_setting_comes_with_the_nearest_one(entry):
    with pytest.raises(UnknownNameError) as error:
        configure(entry(), IMAGE, {"batchsize": 32})
    assert str(error.value) == "unknown setting of toy 'batchsize': did you mean 'batch_size'?"


def test_configure_returns_the_class_and_its_settings(entry):
    cls, config = configure(entry(), POINT, {"lr": 0.5})
    assert cls is Toy
    assert config == ToyConfig(z_dim=3, lr=0.5)


def test_build_gives_the_model_its_shape_and_settings(entry):
    model = build(entry(), POINT, {"z_dim": 5})
    assert isinstance(model, Toy)
    assert model.shape == POINT
    assert model.config.z_dim == 5
    assert model.training


@pytest.mark.parametrize(
    "target", [nn.Linear, ToyConfig, Toy.__init__, "Toy", None], ids=["linear", "config", "function", "string", "none"]
)
def test_a_target_that_is_no_generative_model_is_refused(entry, target):
    with pytest.raises(PluginError) as error:
        configure(entry(target), IMAGE, {})
    assert "toy-distribution 1.5 must be a zoo.GenerativeModel subclass" in str(error.value)


class OldFigures(Toy):
    def figures(self, real):
        return {"score": 1.0}


class OldPresets(Toy):
    class Config(zoo.ModelConfig):
        @classmethod
        def presets(cls, shape):
            return {}


class OldNamed(Toy):
    class Config(zoo.ModelConfig):
        named = {"paper": {"batch_size": 8}}  # noqa: RUF012


class Heir(OldNamed):
    pass


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (OldFigures, "OldFigures defines figures(), which is now called diagnostics()"),
        (OldPresets, "Config defines presets(shape), which is now called shape_defaults(shape)"),
        (OldNamed, "Config defines named, which is now called named_presets"),
        (Heir, "Config defines named, which is now called named_presets"),
    ],
)
def test_an_old_name_is_refused_with_the_new_one(entry, target, sentence):
    with pytest.raises(PluginError) as error:
        configure(entry(target), IMAGE, {})
    assert str(error.value) == f"model 'toy' of toy-distribution 1.5: {sentence}"


def test_a_player_s_old_name_is_refused_with_the_new_one(entry):
    model = build(entry(), IMAGE, {})
    with pytest.raises(PluginError) as error:
        zoo.Player("prior", model.network, lambda turn: turn.real.sum(), zoo.Adam(1e-3), during=(0.5, 1.0))
    assert str(error.value) == "player 'prior' defines during, which is now called active"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module:It", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("fake_models:It", "UnknownNameError: unknown attribute of fake_models 'It': "),
    ],
)
def test_a_target_that_cannot_be_imported_names_its_distribution(entry, target, reason):
    plugin = entry().plugin
    spec = ModelSpec(name="toy", target=target, summary="A toy.")
    with pytest.raises(PluginError) as error:
        configure(Entry(spec, plugin), IMAGE, {})
    assert str(error.value).startswith(f"model 'toy' of toy-distribution 1.5 cannot be imported: {reason}")


@pytest.mark.parametrize(
    ("data", "shape"), [(("images",), IMAGE), (("points",), POINT), (("points",), (5,)), (("images", "points"), POINT)]
)
def test_a_model_applies_to_the_data_that_it_names(entry, data, shape):
    check_applies(entry(data=data).spec, shape)


def test_a_model_says_what_it_does_not_apply_to(entry):
    with pytest.raises(ZooError) as error:
        configure(entry(data=("points",)), IMAGE, {})
    assert str(error.value) == "model 'toy' does not apply to images of shape (1, 8, 8): it models points"


def test_dcgan_says_that_it_does_not_apply_to_points():
    with pytest.raises(ZooError) as error:
        zoo.create("dcgan", shape=(2,))
    assert str(error.value) == "model 'dcgan' does not apply to points of shape (2,): it models images"


def test_create_builds_a_model_as_its_docstring_shows():
    model = zoo.create("dcgan", shape=(1, 28, 28))
    assert model.sample(4).shape == (4, 1, 28, 28)


def test_create_passes_settings_on():
    assert zoo.create("dcgan", shape=(1, 8, 8), width=3, lr=1e-3).config.model_dump() == {
        "batch_size": 64, "schedule": "constant", "ema": 0.0,
        "z_dim": 100, "preset": "tuned", "lr": 1e-3, "betas": (0.0, 0.9), "width": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("dcgn", {}, "unknown model 'dcgn': did you mean 'dcgan'?"),
        ("dcgan", {"learning_rate": 1}, "unknown setting of dcgan 'learning_rate': "),
        ("dcgan", {"widht": 1}, "unknown setting of dcgan 'widht': did you mean 'width'?"),
        ("dcgan", {"schedule": "step"}, "dcgan.schedule: input should be 'constant', 'linear' or 'cosine', got 'step'"),
        ("dcgan", {"ema": 1.0}, "dcgan.ema: input should be less than 1, got 1.0"),
        ("dcgan", {"width": 0}, "dcgan.width: input should be greater than or equal to 1, got 0"),
        ("vae", {"betas": (0.9, 1.0)}, "vae.betas.1: input should be less than 1, got 1.0"),
        ("dcgan", {"betas": (0.5,)}, "dcgan.betas"),
        ("sngan", {"loss": "hnge"}, "sngan.loss: input should be 'hinge' or 'non-saturating', got 'hnge'"),
    ],
)
def test_create_refuses_what_is_wrong_in_one_sentence(name, settings, message):
    with pytest.raises(ZooError) as error:
        zoo.create(name, shape=(1, 8, 8), **settings)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_latents_are_standard_normal_of_the_config_s_size(entry):
    model = build(entry(), IMAGE, {"z_dim": 50})
    torch.manual_seed(0)
    z = model.latent(1000)
    assert z.shape == (1000, 50)
    assert z.mean().abs() < 0.02
    assert (z.std() - 1).abs() < 0.02


def test_a_model_draws_from_the_global_generator_alone(entry):
    model = build(entry(), IMAGE, {})
    torch.manual_seed(3)
    first = model.latent(4)
    torch.manual_seed(3)
    assert torch.equal(model.latent(4), first)


@pytest.mark.parametrize("method", ["players", "sample"])
def test_a_model_without_players_or_sample_says_which_is_missing(entry, method):
    model = build(entry(), IMAGE, {})
    with pytest.raises(NotImplementedError, match=rf"^Toy must define {method}\("):
        model.players() if method == "players" else model.sample(1)


def test_players_move_in_order_and_in_every_so_manieth_round(entry):
    model = build(entry(), IMAGE, {})
    network, adam = model.network, zoo.Adam(1e-3)
    players = [zoo.Player(str(every), network, lambda turn: turn.real.sum(), adam, every) for every in (2, 1, 3)]
    rounds = []
    for i in range(6):
        moved: list[str] = []
        model.play(
            zoo.Turn(torch.zeros(4, 2), i, i / 6, players, lambda player, moved=moved: moved.append(player.name))
        )
        rounds.append(moved)
    assert rounds == [["1"], ["2", "1"], ["1", "3"], ["2", "1"], ["1"], ["2", "1", "3"]]


@pytest.mark.parametrize(("stages", "expected"), [(((0, 0.5), (0.5, 1)), "aaabbb"), (((0, 1), (0.75, 1)), "aaaaaab")])
def test_players_move_during_their_part_of_the_budget(entry, stages, expected):
    model, adam, moved = build(entry(), IMAGE, {}), zoo.Adam(1e-3), []
    players = [
        zoo.Player(name, model.network, lambda turn: turn.real.sum(), adam, active=part)
        for name, part in zip("ab", stages, strict=True)
    ]
    for i in range(6):
        model.play(zoo.Turn(torch.zeros(4, 2), i, i / 6, players, lambda player: moved.append(player.name)))
    assert "".join(sorted(moved)) == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"every": 0}, "player 'a': every must be at least 1, got 0"),
        ({"active": (0.5, 0.5)}, "player 'a': active must be 0 <= start < stop <= 1, got (0.5, 0.5)"),
        ({"active": (0.5, 1.5)}, "player 'a': active must be"),
        ({"active": (-0.5, 1)}, "player 'a': active must be"),
    ],
)
def test_a_player_that_could_never_move_is_refused(wrong, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        zoo.Player("a", nn.Linear(1, 1), lambda turn: turn.real.sum(), zoo.Adam(1e-3), **wrong)


def test_a_turn_recalls_what_was_kept_detached_and_else_makes_it_without_gradients():
    weight = torch.ones(3, requires_grad=True)
    turn = zoo.Turn(torch.zeros(4, 2), 0, 0.0, (), print)
    made = turn.recall("fake", lambda: 2 * weight)
    assert made.tolist() == [2.0, 2.0, 2.0]
    assert not made.requires_grad
    assert turn.kept == {}
    turn.kept["fake"] = 3 * weight
    recalled = turn.recall("fake", lambda: 2 * weight)
    assert recalled.tolist() == [3.0, 3.0, 3.0]
    assert not recalled.requires_grad
    assert turn.kept["fake"].requires_grad


def test_a_model_has_no_diagnostics_of_its_own_unless_it_says_so(entry):
    assert build(entry(), IMAGE, {}).diagnostics(torch.zeros(2, *IMAGE)) == {}


def test_turns_keep_their_own_things():
    first, second = (zoo.Turn(torch.zeros(4, 2), 0, 0.0, (), print) for _ in range(2))
    first.kept["fake"] = torch.ones(1)
    assert second.kept == {}
    assert first.size == 4


def test_adam_builds_the_optimiser_that_it_says():
    weight = nn.Parameter(torch.ones(3))
    optimizer = zoo.Adam(0.01, (0.5, 0.9))([weight])
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.defaults["lr"] == 0.01
    assert optimizer.defaults["betas"] == (0.5, 0.9)
    assert optimizer.defaults["weight_decay"] == 0
    assert optimizer.param_groups[0]["params"] == [weight]


@pytest.mark.parametrize("name", zoo.__all__)
def test_every_public_name_of_zoo_resolves(name):
    assert getattr(zoo, name) is not None


def test_an_unknown_attribute_of_zoo_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'Modle'"):
        zoo.Modle  # noqa: B018


def test_labels_are_repeated_for_as_many_items_as_a_loss_makes(make_turn):
    turn = make_turn(torch.zeros(3, 2))
    assert turn.labels is turn.labels_for(6) is None
    turn.labels = torch.tensor([2, 0, 1])
    assert turn.labels_for(6).tolist() == [2, 0, 1, 2, 0, 1]

"""Remedies against collapse, each switched on alone in the plain GAN, against formulas written independently."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import zoo
from zoo.nn import input_gradient, pack, zero_centred_penalty
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.train.game import Game
from zoo_bench.train.loop import train

IMAGE, COLOUR, POINT = (1, 8, 8), (3, 8, 8), (2,)
SMALL = {"generator_hidden": (16, 16), "discriminator_hidden": (16, 8)}
REMEDIES = {
    "packing": 2, "r1": 1.0, "r2": 1.0, "gradient_penalty": 10.0, "spectral_norm": True, "batch_norm": False,
    "discriminator_lr": 1e-3, "schedule": "linear", "ema": 0.9,
}  # fmt: skip
each_shape = pytest.mark.parametrize("shape", [IMAGE, COLOUR, POINT], ids=str)


def create(shape=IMAGE, **settings) -> zoo.GenerativeModel:
    torch.manual_seed(0)
    model = zoo.create("gan", shape=shape, **{**SMALL, **settings})
    for weight in model.discriminator.parameters():
        nn.init.normal_(weight, 0.0, 0.3)
    return model


def draw(shape, n: int = 8, seed: int = 0) -> torch.Tensor:
    x = torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))
    return x.tanh() if len(shape) == 3 else x


def stream(shape) -> Stream:
    data = draw(shape, 64)
    return Stream((data + 1).mul(127.5).to(torch.uint8) if len(shape) == 3 else data, 0, torch.device("cpu"))


def trained(**settings) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = zoo.create("gan", shape=IMAGE, batch_size=8, **{**SMALL, **settings})
    train(model, stream(IMAGE), Budget.parse("6rounds"))
    return model.state_dict()


def both(make_turn, shape):
    turn = make_turn(draw(shape))
    turn.kept["fake"] = draw(shape, seed=1)
    return turn


def plain(model, real, fake) -> torch.Tensor:
    return F.softplus(-model.discriminator(real)).mean() + F.softplus(model.discriminator(fake)).mean()


def slow_gradients(discriminator: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """The gradient at one sample after the other."""
    return [torch.autograd.functional.jacobian(discriminator, one[None], create_graph=True).flatten() for one in x]


@pytest.mark.parametrize("remedy", REMEDIES)
def test_each_remedy_is_off_by_default_and_can_be_switched_on_alone(remedy):
    off = zoo.create("gan", shape=IMAGE).config.model_dump()[remedy]
    default, explicit, on = trained(), trained(**{remedy: off}), trained(**{remedy: REMEDIES[remedy]})
    assert all(torch.equal(default[key], explicit[key]) for key in default)
    assert default.keys() != on.keys() or not all(
        default[key].shape == on[key].shape and torch.equal(default[key], on[key]) for key in default
    )
    assert all(value.isfinite().all() for value in on.values())


@each_shape
@pytest.mark.parametrize(("setting", "where"), [("r1", "real"), ("r2", "fake")])
def test_r1_and_r2_add_half_gamma_times_the_mean_squared_norm_of_the_gradient(make_turn, shape, setting, where):
    model, turn = create(shape, **{setting: 3.0}), both(make_turn, shape)
    squares = [g.square().sum() for g in slow_gradients(model.discriminator, {"real": turn.real, **turn.kept}[where])]
    expected = plain(model, turn.real, turn.kept["fake"]) + 3.0 / 2 * sum(squares) / len(squares)
    loss = model.discriminator_loss(turn)
    torch.testing.assert_close(loss, expected)
    weights = list(model.discriminator.parameters())
    for fast, slow in zip(*(torch.autograd.grad(x, weights, allow_unused=True) for x in (loss, expected)), strict=True):
        torch.testing.assert_close(fast, slow, atol=1e-4, rtol=1e-4)


@each_shape
def test_the_penalty_of_wgan_gp_is_added_with_its_weight(make_turn, shape):
    model, turn = create(shape, gradient_penalty=10.0), both(make_turn, shape)
    torch.manual_seed(3)
    loss = model.discriminator_loss(turn)
    torch.manual_seed(3)
    a = torch.rand(len(turn.real), *[1] * len(shape))
    mixed = a * turn.real + (1 - a) * turn.kept["fake"]
    terms = [(g.norm() - 1) ** 2 for g in slow_gradients(model.discriminator, mixed)]
    torch.testing.assert_close(loss, plain(model, turn.real, turn.kept["fake"]) + 10 * sum(terms) / len(terms))


def test_penalties_send_no_gradient_to_the_generator():
    model = create(POINT)
    fake = model.generator(model.latent(8))
    zero_centred_penalty(model.discriminator, fake).backward()
    assert all(weight.grad is None for weight in model.generator.parameters())


@each_shape
def test_the_input_gradient_is_that_of_each_sample(shape):
    model, x = create(shape), draw(shape)
    slow = torch.stack(slow_gradients(model.discriminator, x))
    torch.testing.assert_close(input_gradient(model.discriminator, x), slow)
    assert not x.requires_grad


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_packing_puts_successive_items_side_by_side(m):
    points, images = draw(POINT, 12), draw(COLOUR, 12)
    for x in (points, images):
        packed = pack(x, m)
        assert packed.shape == (12 // m, m * x.shape[1], *x.shape[2:])
        for i, item in enumerate(packed):
            assert torch.equal(item, torch.cat(list(x[m * i : m * (i + 1)])))


@pytest.mark.parametrize("m", [2, 4])
@each_shape
def test_a_packed_discriminator_judges_m_samples_at_once_in_both_losses(make_turn, shape, m):
    model, turn = create(shape, packing=m), make_turn(draw(shape))
    generator_loss = model.generator_loss(turn)
    fake = turn.kept["fake"]
    assert len(fake) == len(turn.real), "as many samples as without packing"
    on_real, on_fake = ([model.discriminator(torch.cat(list(x[i : i + m]))[None])[0] for i in range(0, 8, m)]
                        for x in (turn.real, fake))  # fmt: skip
    torch.testing.assert_close(generator_loss, torch.stack([F.softplus(-logit) for logit in on_fake]).mean())
    expected = torch.stack([F.softplus(-r) + F.softplus(f) for r, f in zip(on_real, on_fake, strict=True)]).mean()
    torch.testing.assert_close(model.discriminator_loss(turn), expected)


def test_a_batch_that_does_not_divide_into_packs_is_refused_in_a_sentence():
    with pytest.raises(zoo.ZooError, match=r"^gan: batch_size must be a multiple of packing, got 64 and 3$"):
        zoo.create("gan", shape=IMAGE, packing=3)


def test_spectral_norm_is_on_every_weight_of_the_discriminator_and_on_none_of_the_generator():
    model = create(spectral_norm=True).train()
    for _ in range(200):
        model.discriminator(draw(IMAGE, 2))
    model.eval()
    linear = [layer for layer in model.discriminator if isinstance(layer, nn.Linear)]
    assert len(linear) == 3
    largest = [torch.linalg.svdvals(layer.weight.detach())[0].item() for layer in linear]
    assert largest == pytest.approx([1.0] * 3, rel=0.01)
    assert not any(nn.utils.parametrize.is_parametrized(module) for module in model.generator.modules())


def test_batch_norm_can_be_left_out_of_the_generator():
    def norms(**settings) -> int:
        return sum(isinstance(m, nn.BatchNorm1d) for m in create(**settings).generator.modules())

    assert (norms(), norms(batch_norm=False)) == (1, 0)


@pytest.mark.parametrize(("settings", "rates"), [({}, (2e-4, 2e-4)), ({"discriminator_lr": 4e-4}, (2e-4, 4e-4))])
def test_the_discriminator_may_have_a_learning_rate_of_its_own(settings, rates):
    players = create(lr=2e-4, **settings).players()
    assert [p.name for p in players] == ["generator", "discriminator"]
    assert tuple(p.optimizer([nn.Parameter(torch.zeros(1))]).defaults["lr"] for p in players) == rates


def test_samples_come_from_the_average_of_the_generator_s_weights():
    torch.manual_seed(0)
    model = zoo.create("gan", shape=IMAGE, batch_size=8, ema=0.5, **SMALL)
    game, batches, kept = Game(model.train(), "fp32"), stream(IMAGE), []
    start = model.generator[0].weight.detach().clone()
    for i in range(4):
        game.play(batches.next(8), i / 4)
        kept.append(model.generator[0].weight.detach().clone())
    for n, weight in enumerate(kept, start=1):
        start = torch.lerp(weight, start, min(0.5, n / (n + 9)))
    assert torch.equal(model.generator[0].weight, kept[-1])
    with game.averaged():
        torch.testing.assert_close(model.generator[0].weight.detach(), start)
    assert torch.equal(model.generator[0].weight, kept[-1])


def test_the_pacgan_preset_is_the_published_network_for_mixtures():
    torch.manual_seed(0)
    model = zoo.create("gan", shape=POINT, preset="pacgan")
    config = model.config
    assert (config.z_dim, config.batch_size, config.lr, config.betas[0]) == (2, 100, 1e-4, 0.8)
    kinds = [type(layer).__name__ for layer in model.generator]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU"] * 4 + ["Linear", "Unflatten"]
    widths = [layer.out_features for layer in model.generator if isinstance(layer, nn.Linear)]
    assert widths == [400, 400, 400, 400, 2]
    judges = [layer for layer in model.discriminator if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in judges] == [1000, 1000, 1000, 1]
    assert [layer.in_features for layer in judges] == [2, 200, 200, 200]
    assert judges[1].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert model.generator[3].weight.std().item() == pytest.approx(0.02, rel=0.02)
    packed = zoo.create("gan", shape=POINT, preset="pacgan", packing=2, batch_norm=False, spectral_norm=True)
    assert packed.discriminator(pack(draw(POINT, 8), 2)).shape == (4,)
    assert not any(isinstance(m, nn.BatchNorm1d) for m in packed.modules())

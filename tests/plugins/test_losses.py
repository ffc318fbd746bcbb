"""Losses against the papers' formulas, written independently; and the mistakes that public code makes."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

import zoo
from zoo.nn import gradient_penalty
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.train.game import Game
from zoo_bench.train.loop import train

IMAGE, COLOUR, POINT = (1, 8, 8), (3, 8, 8), (2,)
BATCH_NORM = nn.modules.batchnorm._BatchNorm


def create(name: str, shape, **settings) -> zoo.GenerativeModel:
    torch.manual_seed(0)
    width = {"width": 4} if name != "gan" and len(shape) == 3 else {}
    return zoo.create(name, shape=shape, **{**width, **settings})


def draw(shape, n: int = 6, seed: int = 0) -> torch.Tensor:
    x = torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))
    return x.tanh() if len(shape) == 3 else x


def batches(shape, n: int = 32) -> Stream:
    data = (draw(shape, n) + 1).mul(127.5).to(torch.uint8) if len(shape) == 3 else draw(shape, n)
    return Stream(data, 0, torch.device("cpu"))


def enlarge(network: nn.Module, std: float = 0.3) -> None:
    """Give a network weights at which its outputs and gradients differ from sample to sample."""
    for weight in network.parameters():
        nn.init.normal_(weight, 0.0, std)


def seeded(function, *arguments):
    torch.manual_seed(7)
    return function(*arguments)


def gradients(loss: torch.Tensor, network: nn.Module) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(network.parameters()), allow_unused=True, materialize_grads=True))


def logits_of_both(model, network: nn.Module, turn: zoo.Turn) -> tuple[torch.Tensor, torch.Tensor]:
    return network(turn.real), network(turn.kept["fake"])


class Lambda(nn.Module):
    """A function as a network."""

    def __init__(self, function) -> None:
        super().__init__()
        self.forward = function


# GAN and DCGAN


@pytest.mark.parametrize(("name", "shape"), [("gan", IMAGE), ("gan", POINT), ("dcgan", IMAGE), ("dcgan", COLOUR)])
def test_gan_losses_are_binary_cross_entropy_on_logits(make_turn, name, shape):
    model, turn = create(name, shape), make_turn(draw(shape))
    enlarge(model.discriminator, 0.1)
    generator_loss, discriminator_loss = model.generator_loss(turn), model.discriminator_loss(turn)
    real, fake = logits_of_both(model, model.discriminator, turn)
    bce = nn.BCEWithLogitsLoss()
    torch.testing.assert_close(generator_loss, bce(fake, torch.ones_like(fake)))
    torch.testing.assert_close(discriminator_loss, bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake)))


@pytest.mark.parametrize("name", ["gan", "dcgan"])
def test_real_and_generated_batches_are_normalised_apart(make_turn, name):
    model, real = create(name, IMAGE), draw(IMAGE)
    losses = []
    for brightness in (0.0, 5.0):
        turn = make_turn(real)
        turn.kept["fake"] = torch.full_like(real, brightness)
        on_fake = F.softplus(model.discriminator(turn.kept["fake"])).mean()
        losses.append(model.discriminator_loss(turn) - on_fake)
    torch.testing.assert_close(losses[0], losses[1])


@pytest.mark.parametrize("name", ["gan", "dcgan", "wgan-gp", "sngan"])
def test_the_discriminator_sees_the_fakes_that_the_generator_made_and_sends_no_gradient_back(make_turn, name):
    model, turn = create(name, IMAGE), make_turn(draw(IMAGE))
    model.generator_loss(turn)
    kept = turn.kept["fake"]
    network = model.critic if name == "wgan-gp" else model.discriminator
    model.critic_loss(turn).backward() if name == "wgan-gp" else model.discriminator_loss(turn).backward()
    assert turn.kept["fake"] is kept
    assert all(weight.grad is None for weight in model.generator.parameters())
    assert any(weight.grad is not None for weight in network.parameters())


# WGAN-GP


class Recorder:
    """Remembers what a network was given."""

    def __init__(self, network: nn.Module) -> None:
        self.inputs: list[torch.Tensor] = []
        network.register_forward_pre_hook(lambda module, arguments: self.inputs.append(arguments[0].detach().clone()))


def factors(mixed: torch.Tensor, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The factor a of each sample in mixed = a real + (1 - a) fake, by projection on the line between them."""
    line, offset = (real - fake).flatten(1), (mixed - fake).flatten(1)
    return (line * offset).sum(1) / line.square().sum(1)


def slow_penalty(critic: nn.Module, mixed: torch.Tensor) -> torch.Tensor:
    """The penalty one sample at a time."""
    terms = []
    for x in mixed:
        one = x[None].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(one)[0], one, create_graph=True)
        terms.append((gradient.square().sum().sqrt() - 1) ** 2)
    return sum(terms) / len(terms)


@pytest.mark.parametrize("shape", [IMAGE, COLOUR, POINT], ids=str)
def test_the_gradient_penalty_takes_one_norm_per_sample(shape):
    model = create("wgan-gp", shape)
    enlarge(model.critic)
    real, fake = draw(shape), draw(shape, seed=1)
    recorder = Recorder(model.critic)
    penalty = gradient_penalty(model.critic, real, fake)
    [mixed] = recorder.inputs
    slow = slow_penalty(model.critic, mixed)
    torch.testing.assert_close(penalty, slow)
    for fast, exact in zip(gradients(penalty, model.critic), gradients(slow, model.critic), strict=True):
        torch.testing.assert_close(fast, exact, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", [IMAGE, POINT], ids=str)
def test_every_sample_is_interpolated_by_a_uniform_factor_of_its_own(shape):
    model, n = create("wgan-gp", shape), 2000
    real, fake = draw(shape, n), draw(shape, n, seed=1)
    recorder = Recorder(model.critic)
    gradient_penalty(model.critic, real, fake)
    [mixed] = recorder.inputs
    a = factors(mixed, real, fake)
    spread = a.view(-1, *[1] * len(shape))
    torch.testing.assert_close(mixed, spread * real + (1 - spread) * fake, atol=1e-5, rtol=1e-5)
    steps = torch.arange(1, n + 1) / n
    assert (a.sort().values - steps).abs().max() < 1.95 / math.sqrt(n), "Kolmogorov-Smirnov, 0.1 %"


@pytest.mark.parametrize("shape", [IMAGE, POINT], ids=str)
def test_the_critic_loss_is_wasserstein_and_penalty_together(make_turn, shape):
    model, turn = create("wgan-gp", shape, preset="paper"), make_turn(draw(shape))
    enlarge(model.critic)
    assert model.config.penalty == (10 if len(shape) == 3 else 0.1)
    generator_loss = model.generator_loss(turn)
    recorder = Recorder(model.critic)
    loss = model.critic_loss(turn)
    mixed = recorder.inputs[-1]
    a = factors(mixed, turn.real, turn.kept["fake"])
    assert a.std() > 0.01, "the penalty lies between real and generated items, not at either"
    real, fake = logits_of_both(model, model.critic, turn)
    torch.testing.assert_close(generator_loss, -fake.sum() / len(fake))
    torch.testing.assert_close(
        loss, fake.mean() - real.mean() + model.config.penalty * slow_penalty(model.critic, mixed)
    )


def test_the_critic_moves_in_one_optimiser_step_each_round_and_the_generator_in_every_fifth():
    model, stream = create("wgan-gp", IMAGE).train(), batches(IMAGE)
    game = Game(model, "fp32")
    moved = []
    for _ in range(10):
        before = [model.generator[0][0].weight.clone(), model.critic.layers[0].weight.clone()]
        game.play(stream.next(8), 0.0)
        after = [model.generator[0][0].weight, model.critic.layers[0].weight]
        moved.append(tuple(not torch.equal(a, b) for a, b in zip(before, after, strict=True)))
    assert moved == ([(False, True)] * 4 + [(True, True)]) * 2
    assert game.meter.updates == 10 + 2
    assert game.meter.images == 80


@pytest.mark.parametrize("shape", [IMAGE, COLOUR, (1, 28, 28), POINT], ids=str)
@pytest.mark.parametrize(("name", "network"), [("wgan-gp", "critic"), ("sngan", "discriminator")])
def test_critics_of_wgan_gp_and_sngan_have_no_batch_norm(name, network, shape):
    critic = getattr(create(name, shape), network).eval()
    assert not any(isinstance(module, BATCH_NORM) for module in critic.modules())
    x = draw(shape)
    torch.testing.assert_close(critic.train()(x)[:1], critic.eval()(x[:1]), atol=1e-3, rtol=1e-3)


def test_generators_of_images_have_batch_norm():
    for name in ("gan", "dcgan", "wgan-gp", "sngan"):
        assert any(isinstance(module, BATCH_NORM) for module in create(name, IMAGE).generator.modules())


# SN-GAN


def spectral(network: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    """Every wrapped layer and its spectral norm."""
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return [(layer, layer.parametrizations.weight[0]) for layer in layers]


@pytest.fixture(params=[IMAGE, POINT], ids=str)
def judged_turn(request, make_turn):
    """Make an SN-GAN and a turn whose real and generated logits lie on both sides of either hinge."""

    def make(loss: str) -> tuple[zoo.GenerativeModel, zoo.Turn]:
        shape, scale = request.param, torch.linspace(0, 400, 64).view(-1, *[1] * len(request.param))
        model = create("sngan", shape, loss=loss)
        model.discriminator.eval()
        spectral(model.discriminator)[-1][0].bias.data.fill_(-2.0)
        turn = make_turn(draw(shape, 64) * scale)
        turn.kept["fake"] = draw(shape, 64, seed=1) * scale
        return model, turn

    return make


def test_sngan_takes_the_hinge_loss(judged_turn):
    model, turn = judged_turn("hinge")
    loss = model.discriminator_loss(turn)
    real, fake = (logits.detach() for logits in logits_of_both(model, model.discriminator, turn))
    assert real.min() < 1 < real.max()
    assert fake.min() < -1 < fake.max()
    on_real = [max(0.0, 1 - r) for r in real.tolist()]
    on_fake = [max(0.0, 1 + f) for f in fake.tolist()]
    assert loss.item() == pytest.approx(sum(on_real) / 64 + sum(on_fake) / 64, rel=1e-4)
    generator_loss = model.generator_loss(turn)
    torch.testing.assert_close(generator_loss, -model.discriminator(turn.kept["fake"]).mean())


def test_sngan_can_take_the_non_saturating_loss(judged_turn):
    model, turn = judged_turn("non-saturating")
    loss = model.discriminator_loss(turn)
    real, fake = logits_of_both(model, model.discriminator, turn)
    torch.testing.assert_close(loss, -F.logsigmoid(real).mean() - F.logsigmoid(-fake).mean())
    generator_loss = model.generator_loss(turn)
    torch.testing.assert_close(generator_loss, -F.logsigmoid(model.discriminator(turn.kept["fake"])).mean())


def largest_singular_values(network: nn.Module) -> list[float]:
    network.eval()
    return [torch.linalg.svdvals(layer.weight.detach().flatten(1))[0].item() for layer, _ in spectral(network)]


@pytest.mark.parametrize("shape", [IMAGE, (3, 32, 32), POINT], ids=str)
def test_the_largest_singular_value_of_every_weight_stays_one_while_weights_move_slowly(shape):
    model = create("sngan", shape, batch_size=16, lr=2e-5)
    train(model, batches(shape), Budget.parse("60rounds"))
    values = largest_singular_values(model.discriminator)
    assert len(values) >= 3
    assert values == pytest.approx([1.0] * len(values), rel=0.05)


@pytest.mark.parametrize("shape", [IMAGE, (3, 32, 32), POINT], ids=str)
def test_power_iterations_bring_trained_weights_to_a_largest_singular_value_of_one(shape):
    model = create("sngan", shape, batch_size=16)
    train(model, batches(shape), Budget.parse("30rounds"))
    for _ in range(100):
        model.discriminator.train()(draw(shape, 1))
    values = largest_singular_values(model.discriminator)
    assert values == pytest.approx([1.0] * len(values), rel=0.01)
    raw = [torch.linalg.svdvals(layer.parametrizations.weight.original.detach().flatten(1))[0]
           for layer, _ in spectral(model.discriminator)]  # fmt: skip
    assert all(abs(value - 1) > 0.05 for value in raw), "the weights themselves are not of norm one"


def test_the_weight_under_spectral_norm_is_trained_and_u_and_v_are_not():
    discriminator = create("sngan", IMAGE).discriminator
    parameters, buffers = dict(discriminator.named_parameters()), dict(discriminator.named_buffers())
    assert sum(name.endswith("original") for name in parameters) == len(spectral(discriminator))
    assert sum(name.endswith(("_u", "_v")) for name in buffers) == 2 * len(spectral(discriminator))
    assert not any(buffer.requires_grad for buffer in buffers.values())
    assert not any(name.endswith(("_u", "_v")) for name in parameters)


def test_one_power_iteration_per_training_forward_and_none_in_eval_mode():
    discriminator, x = create("sngan", IMAGE).discriminator, draw(IMAGE)
    for layer, _ in spectral(discriminator):
        nn.init.normal_(layer.parametrizations.weight.original)
    before = [(norm._u.clone(), norm._v.clone()) for _, norm in spectral(discriminator)]
    discriminator.eval()(x)
    for (u, v), (_, norm) in zip(before, spectral(discriminator), strict=True):
        assert torch.equal(norm._u, u)
        assert torch.equal(norm._v, v)
    discriminator.train()(x)
    for (_, v), (layer, norm) in zip(before, spectral(discriminator), strict=True):
        weight = layer.parametrizations.weight.original.detach().flatten(1)
        u = F.normalize(weight @ v, dim=0)
        torch.testing.assert_close(norm._u, u)
        torch.testing.assert_close(norm._v, F.normalize(weight.T @ u, dim=0))


def test_no_gradient_flows_through_the_singular_vectors():
    discriminator, x = create("sngan", POINT).discriminator.eval(), draw(POINT)
    loss = discriminator(x).square().mean()
    originals = [layer.parametrizations.weight.original for layer, _ in spectral(discriminator)]
    actual = torch.autograd.grad(loss, originals)
    h, weights = x, [w.detach().clone().requires_grad_() for w in originals]
    for i, (weight, (layer, norm)) in enumerate(zip(weights, spectral(discriminator), strict=True)):
        h = h @ (weight / (norm._u @ weight @ norm._v)).T + layer.bias
        h = h.relu() if i < len(weights) - 1 else h
    expected = torch.autograd.grad(h.square().mean(), weights)
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_the_generator_of_sngan_has_no_spectral_norm():
    generator = create("sngan", IMAGE).generator
    assert not any(nn.utils.parametrize.is_parametrized(module) for module in generator.modules())


def test_rectifiers_of_sngan_s_discriminator_of_images_have_the_paper_s_slope():
    modules = create("sngan", IMAGE).discriminator.modules()
    assert {m.negative_slope for m in modules if isinstance(m, nn.LeakyReLU)} == {0.1}


def test_an_average_of_the_weights_leaves_singular_vectors_their_length():
    model = create("sngan", IMAGE, ema=0.9)
    train(model, batches(IMAGE), Budget.parse("30rounds"))
    for _, norm in spectral(model.discriminator):
        torch.testing.assert_close(torch.stack([norm._u.norm(), norm._v.norm()]), torch.ones(2))


def test_discriminator_steps_of_sngan_are_rounds():
    model, stream = create("sngan", IMAGE, discriminator_steps=3).train(), batches(IMAGE)
    game = Game(model, "fp32")
    for _ in range(6):
        game.play(stream.next(8), 0.0)
    assert game.meter.updates == 6 + 2


# VAE and beta-VAE


def elbo_by_item(model, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Reconstruction and KL of each item, summed, through torch.distributions; draws noise as the model does."""
    mu, logvar = model.encoder(x).chunk(2, dim=1)
    std = (logvar / 2).exp()
    output = model.decoder(mu + std * torch.randn_like(mu))
    if model.config.likelihood == "bernoulli":
        log_prob = Bernoulli(logits=output, validate_args=False).log_prob((x + 1) / 2)
    else:
        best = (x - output).detach().square().mean().sqrt()
        log_prob = Normal(output, best if model.training else model.likelihood.log_sigma.exp()).log_prob(x)
    return -log_prob.flatten(1).sum(1), kl_divergence(Normal(mu, std), Normal(0.0, 1.0)).sum(1)


@pytest.mark.parametrize("shape", [IMAGE, COLOUR, POINT], ids=str)
def test_the_vae_loss_sums_over_pixels_and_latents_and_averages_over_the_batch(make_turn, shape):
    model, x = create("vae", shape), draw(shape)
    enlarge(model, 0.05)
    loss = seeded(model.loss, make_turn(x, 1.0))
    reconstruction, kl = seeded(elbo_by_item, model, x)
    assert kl.min() > 1e-4
    torch.testing.assert_close(loss, (reconstruction.sum() + kl.sum()) / len(x))


@pytest.mark.parametrize(("shape", "likelihood"), [(IMAGE, "bernoulli"), (COLOUR, "gaussian"), (POINT, "gaussian")])
def test_the_likelihood_follows_from_the_data(shape, likelihood):
    assert create("vae", shape).config.likelihood == likelihood
    assert create("beta-vae", shape).config.likelihood == likelihood


@pytest.mark.parametrize("shape", [COLOUR, POINT], ids=str)
def test_after_a_hundred_rounds_sigma_is_the_error_of_reconstructions(shape):
    model, stream = create("vae", shape), batches(shape)
    train(model, stream, Budget.parse("100rounds"))
    with torch.no_grad():
        x = stream.next(512)
        mu, logvar = model.eval().encoder(x).chunk(2, dim=1)
        error = (model.decoder(mu + (logvar / 2).exp() * torch.randn_like(mu)) - x).square().mean().sqrt()
    assert model.likelihood.log_sigma.exp() == pytest.approx(error.item(), rel=0.2)


@pytest.mark.parametrize(("progress", "weight"), [(0.0, 0.0), (0.1, 0.25), (0.4, 1.0), (0.9, 1.0)])
@pytest.mark.parametrize(("name", "beta"), [("vae", 1.0), ("beta-vae", 5.0)])
def test_in_the_warm_up_the_weight_of_the_kl_rises_from_zero(make_turn, name, beta, progress, weight):
    model, x = create(name, IMAGE, warmup=0.4, **({} if name == "vae" else {"beta": beta})), draw(IMAGE)
    enlarge(model, 0.05)
    reconstruction, kl = seeded(elbo_by_item, model, x)
    expected = reconstruction.mean() + weight * beta * kl.mean()
    torch.testing.assert_close(seeded(model.loss, make_turn(x, progress)), expected)


@pytest.mark.parametrize(("settings", "used"), [({}, 2), ({"warmup": 0.0}, 0)], ids=["default", "none"])
def test_on_points_the_warm_up_keeps_latents_from_collapsing(settings, used):
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    x = corners.repeat(512, 1) + 0.05 * draw(POINT, 2048)
    model = create("vae", POINT, lr=5e-3, **settings)
    train(model, Stream(x, 0, torch.device("cpu")), Budget.parse("300rounds"))
    with torch.no_grad():
        assert model.eval().diagnostics(x)["active_units"] == used


@pytest.mark.parametrize("shape", [IMAGE, COLOUR, POINT], ids=str)
def test_beta_vae_with_beta_one_is_the_vae_bit_for_bit(shape):
    def weights(name: str, **settings) -> dict[str, torch.Tensor]:
        model = create(name, shape, z_dim=3, batch_size=8, lr=1e-3, **settings)
        train(model, batches(shape), Budget.parse("6rounds"))
        return model.state_dict()

    vae, one, four = weights("vae"), weights("beta-vae", beta=1.0), weights("beta-vae", beta=4.0)
    assert all(torch.equal(vae[key], one[key]) for key in vae)
    assert not all(torch.equal(vae[key], four[key]) for key in vae)


@pytest.mark.parametrize("logvar", [-8.0, 4.0])
def test_the_variance_of_the_posterior_is_not_clamped(make_turn, logvar):
    model, x = create("vae", IMAGE), draw(IMAGE)
    model.encoder.layers[-1].bias.data[model.config.z_dim :] = logvar
    loss = seeded(model.loss, make_turn(x, 1.0))
    reconstruction, kl = seeded(elbo_by_item, model, x)
    torch.testing.assert_close(loss, (reconstruction + kl).mean())


def test_the_kl_keeps_its_precision_where_networks_compute_in_bf16():
    model, x = create("vae", IMAGE).eval(), draw(IMAGE)
    exact = model.terms(x)[1].detach()
    assert 0 < exact.max() < 0.1
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(model.terms(x)[1].detach(), exact, rtol=0.05, atol=1e-4)


def test_the_vae_s_encoder_has_batch_norm_on_all_convolutions_but_the_first():
    modules = create("vae", (1, 32, 32)).encoder.modules()
    assert [m.num_features for m in modules if isinstance(m, BATCH_NORM)] == [8, 16]


def test_rectifiers_of_the_gan_are_leaky_with_slope_a_fifth():
    assert [m.negative_slope for m in create("gan", IMAGE).modules() if isinstance(m, nn.LeakyReLU)] == [0.2] * 6


def test_beta_weighs_the_summed_kl(make_turn):
    model, x = create("beta-vae", IMAGE, beta=5.0), draw(IMAGE)
    enlarge(model, 0.05)
    reconstruction, kl = seeded(elbo_by_item, model, x)
    torch.testing.assert_close(seeded(model.loss, make_turn(x)), reconstruction.mean() + 5 * kl.mean())


@pytest.mark.parametrize(("progress", "c"), [(0.0, 0.0), (0.2, 5.0), (1.0, 25.0)])
def test_with_a_capacity_the_distance_of_kl_to_c_is_penalised_and_c_grows_to_it(make_turn, progress, c):
    model, x = create("beta-vae", IMAGE, capacity=25.0, gamma=30.0, warmup=0.5), draw(IMAGE)
    enlarge(model, 0.05)
    reconstruction, kl = seeded(elbo_by_item, model, x)
    assert model.config.beta != 30
    expected = reconstruction.mean() + 30 * abs(kl.mean() - c)
    torch.testing.assert_close(seeded(model.loss, make_turn(x, progress)), expected)


def test_images_of_a_vae_are_means_and_points_have_the_likelihood_s_noise():
    image, point = create("vae", COLOUR).eval(), create("vae", POINT).eval()
    z = torch.zeros(500, image.config.z_dim)
    image.latent = lambda n: z[:n]
    assert torch.equal(image.sample(2)[0], image.sample(2)[1])
    point.latent = lambda n: torch.zeros(n, point.config.z_dim)
    torch.manual_seed(0)
    samples = point.sample(5000)
    assert (samples.std(0) - point.likelihood.log_sigma.exp()).abs().max() < 0.05


@pytest.mark.parametrize("name", ["vae", "beta-vae"])
@pytest.mark.parametrize("shape", [IMAGE, COLOUR, POINT], ids=str)
def test_diagnostics_are_the_elbo_and_its_parts_whatever_the_loss_weighs(name, shape):
    model, x = create(name, shape), draw(shape, 64)
    enlarge(model, 0.05)
    model.eval()
    with torch.no_grad():
        diagnostics = seeded(model.diagnostics, x)
        reconstruction, kl = seeded(elbo_by_item, model, x)
    assert diagnostics["elbo"] == pytest.approx(-(reconstruction + kl).mean().item(), rel=1e-5)
    assert diagnostics["reconstruction"] == pytest.approx(reconstruction.mean().item(), rel=1e-5)
    assert diagnostics["kl"] == pytest.approx(kl.mean().item(), rel=1e-5)
    assert diagnostics.keys() == {"elbo", "reconstruction", "kl", "active_units"}


def test_diagnostics_of_many_items_are_those_of_all_of_them_seen_a_batch_at_a_time():
    model, x, sizes = create("vae", IMAGE, batch_size=16), draw(IMAGE, 40), []
    enlarge(model, 0.05)
    model.eval().encoder.register_forward_pre_hook(lambda module, given: sizes.append(len(given[0])))
    with torch.no_grad():
        diagnostics = model.diagnostics(x)
        _, kl = elbo_by_item(model, x)
    assert sizes == [16, 16, 8, 40]
    assert diagnostics["kl"] == pytest.approx(kl.mean().item(), rel=1e-5)
    assert diagnostics["elbo"] == pytest.approx(-diagnostics["reconstruction"] - diagnostics["kl"], rel=1e-5)


def test_the_elbo_is_the_likelihood_of_a_linear_gaussian_model_whose_posterior_is_exact():
    """With x = w z + b + noise and the true posterior as encoder, the ELBO is log p(x) (probabilistic PCA)."""
    model, sigma = create("vae", POINT, z_dim=1, sigma=0.5, likelihood="gaussian"), 0.5
    w, b = torch.tensor([0.8, -0.3]), torch.tensor([0.2, 0.1])
    precision = 1.0 + w @ w / sigma**2
    logvar = (1.0 / precision).log()
    model.encoder = Lambda(lambda x: torch.stack([(x - b) @ w / sigma**2 / precision, logvar.expand(len(x))], 1))
    model.decoder = Lambda(lambda z: z * w + b)
    x = draw(POINT, 20_000)
    marginal = MultivariateNormal(b, torch.outer(w, w) + sigma**2 * torch.eye(2))
    torch.manual_seed(0)
    with torch.no_grad():
        elbo = model.diagnostics(x)["elbo"]
    assert elbo == pytest.approx(marginal.log_prob(x).mean().item(), abs=0.02)


def test_posterior_collapse_is_counted():
    model = create("vae", IMAGE, z_dim=6)
    enlarge(model)
    model.encoder.layers[-1].weight.data[:4] = 0.0
    with torch.no_grad():
        assert model.eval().diagnostics(draw(IMAGE, 64))["active_units"] == 2


@pytest.mark.parametrize("shape", [IMAGE, COLOUR, POINT], ids=str)
def test_sigma_may_be_fixed_and_then_the_loss_is_the_squared_error_over_twice_its_square(make_turn, shape):
    model, x = create("vae", shape, likelihood="gaussian", sigma=0.5), draw(shape)
    enlarge(model, 0.05)
    loss = seeded(model.loss, make_turn(x, 1.0))
    torch.manual_seed(7)
    mu, logvar = model.encoder(x).chunk(2, dim=1)
    output = model.decoder(mu + (logvar / 2).exp() * torch.randn_like(mu))
    error = (x - output).square().flatten(1).sum(1) / (2 * 0.5**2)
    constant = math.prod(shape) * (math.log(0.5) + math.log(2 * math.pi) / 2)
    kl = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(loss, (error + constant + kl).mean())
    train(model, batches(shape), Budget.parse("3rounds"))
    assert model.likelihood.log_sigma == torch.tensor(math.log(0.5))


@pytest.mark.parametrize(
    ("shape", "settings", "sentence"),
    [
        (IMAGE, {"sigma": 0.5}, "vae: sigma is the gaussian likelihood's: set likelihood=gaussian as well"),
        (POINT, {"likelihood": "bernoulli"}, "the bernoulli likelihood is for images: points take likelihood=gaussian"),
    ],
)
def test_likelihoods_that_would_be_ignored_or_senseless_are_refused(shape, settings, sentence):
    with pytest.raises(zoo.ZooError) as error:
        create("vae", shape, **settings)
    assert str(error.value) == sentence


@pytest.mark.parametrize(("name", "judge"), [("wgan-gp", "critic"), ("sngan", "discriminator")])
def test_the_generator_may_answer_with_several_batches_of_which_the_other_player_sees_one(make_turn, name, judge):
    model, turn = create(name, IMAGE, generator_batches=3), make_turn(draw(IMAGE))
    enlarge(getattr(model, judge))
    drawn = []
    model.generator.register_forward_pre_hook(lambda network, inputs: drawn.append(len(inputs[0])))
    model.eval()
    loss = seeded(model.generator_loss, turn)
    assert drawn == [3 * turn.size]
    torch.testing.assert_close(loss, -getattr(model, judge)(seeded(model.sample, 3 * turn.size)).mean())
    assert len(turn.kept["fake"]) == turn.size


def test_the_toy_preset_of_wgan_gp_is_the_paper_s_for_points():
    model = create("wgan-gp", POINT, preset="toy")
    config = model.config
    assert (config.lr, config.betas, config.penalty, config.critic_steps) == (1e-4, (0.5, 0.9), 0.1, 5)
    assert (config.batch_size, config.z_dim) == (256, 2)
    for network in (model.generator, model.critic):
        layers = [m for m in network.modules() if isinstance(m, nn.Linear)]
        assert [layer.out_features for layer in layers[:-1]] == [512, 512, 512]


def test_the_toy_preset_of_wgan_gp_is_refused_for_images():
    with pytest.raises(zoo.ZooError, match=r"^preset=toy has networks for points: images take preset=paper or "):
        create("wgan-gp", IMAGE, preset="toy")


def test_beta_vae_has_the_paper_s_latent_for_images_of_any_number_of_colours():
    assert [zoo.create("beta-vae", shape=(c, 32, 32)).config.z_dim for c in (2, 3, 4)] == [32] * 3

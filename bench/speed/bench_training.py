"""Our training loop beside a hand-tuned bare loop: same networks, batches, optimiser and precision.

    pytest bench/speed/bench_training.py --benchmark-json training.json && python bench/speed/ratios.py training.json

The ratio is what the harness costs. One thread, so that both times are steady.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo.model import GenerativeModel
from zoo_bench.core.budget import Budget
from zoo_bench.data.stream import Stream
from zoo_bench.train.loop import train

ROUNDS = {8: 400, 28: 100}
"""By the side of an image. In the first 32 operations are counted, as in every run."""

Step = Callable[[Tensor], None]


def adam(network: torch.nn.Module, config: zoo.ModelConfig) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), lr=config.lr, betas=config.betas, fused=True)


def move(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def frozen(network: torch.nn.Module, is_frozen: bool) -> None:
    for weight in network.parameters():
        weight.requires_grad_(not is_frozen)


def gan_step(model: GenerativeModel) -> Step:
    g, d, config = model.generator, model.discriminator, model.config
    on_g, on_d = adam(g, config), adam(d, config)

    def step(real: Tensor) -> None:
        frozen(d, True)
        fake = g(torch.randn(len(real), config.z_dim))
        move(on_g, F.softplus(-d(fake)).mean())
        frozen(d, False)
        move(on_d, F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean())

    return step


def sngan_step(model: GenerativeModel) -> Step:
    g, d, config = model.generator, model.discriminator, model.config
    on_g, on_d = adam(g, config), adam(d, config)
    rounds = 0

    def step(real: Tensor) -> None:
        nonlocal rounds
        rounds += 1
        if rounds % config.discriminator_steps == 0:
            frozen(d, True)
            fake = g(torch.randn(len(real), config.z_dim))
            move(on_g, -d(fake).mean())
            frozen(d, False)
            fake = fake.detach()
        else:
            with torch.no_grad():
                fake = g(torch.randn(len(real), config.z_dim))
        on_real, on_fake = d(torch.cat([real, fake])).chunk(2)
        move(on_d, F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean())

    return step


def wgan_gp_step(model: GenerativeModel) -> Step:
    g, d, config = model.generator, model.critic, model.config
    on_g, on_d = adam(g, config), adam(d, config)
    rounds = 0

    def step(real: Tensor) -> None:
        nonlocal rounds
        rounds += 1
        if rounds % config.critic_steps == 0:
            frozen(d, True)
            fake = g(torch.randn(len(real), config.z_dim))
            move(on_g, -d(fake).mean())
            frozen(d, False)
            fake = fake.detach()
        else:
            with torch.no_grad():
                fake = g(torch.randn(len(real), config.z_dim))
        on_real, on_fake = d(torch.cat([real, fake])).chunk(2)
        a = torch.rand(len(real), 1, 1, 1)
        mixed = (a * real + (1 - a) * fake).requires_grad_()
        (gradient,) = torch.autograd.grad(d(mixed).sum(), mixed, create_graph=True)
        penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
        move(on_d, on_fake.mean() - on_real.mean() + config.penalty * penalty)

    return step


def vae_step(model: GenerativeModel) -> Step:
    config = model.config
    optimizer = adam(model, config)
    beta = getattr(config, "beta", 1.0)

    def step(real: Tensor) -> None:
        mu, logvar = model.encoder(real).chunk(2, dim=1)
        logits = model.decoder(mu + torch.randn_like(mu) * torch.exp(0.5 * logvar))
        nll = F.binary_cross_entropy_with_logits(logits, (real + 1) / 2, reduction="sum") / len(real)
        kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum() / len(real)
        move(optimizer, nll + beta * kl)

    return step


STEPS = {
    "gan": gan_step,
    "dcgan": gan_step,
    "sngan": sngan_step,
    "wgan-gp": wgan_gp_step,
    "vae": vae_step,
    "beta-vae": vae_step,
}


def create(name: str, side: int) -> GenerativeModel:
    return zoo.create(name, shape=(1, side, side)).to(memory_format=torch.channels_last)


def items(side: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1000, 1, side, side), dtype=torch.uint8, generator=generator)


def ours(name: str, side: int) -> Callable[[], object]:
    stream = Stream(items(side), 0, torch.device("cpu"))
    return partial(train, create(name, side), stream, Budget(rounds=ROUNDS[side]))


def bare(name: str, side: int) -> Callable[[], None]:
    model, data = create(name, side), items(side)
    batch, rounds = model.config.batch_size, ROUNDS[side]

    def loop() -> None:
        step = STEPS[name](model)
        order = torch.cat([torch.randperm(len(data)) for _ in range(1 + rounds * batch // len(data))])
        for indices in order[: rounds * batch].split(batch):
            real = data[indices].float().div_(127.5).sub_(1.0)
            step(real.contiguous(memory_format=torch.channels_last))

    return loop


@pytest.mark.parametrize("side", ROUNDS)
@pytest.mark.parametrize("name", STEPS)
def test_training_loop(pair, name, side):
    images = ROUNDS[side] * create(name, side).config.batch_size
    what = f"{name}, {side} pixels"
    pair(partial(ours, name, side), partial(bare, name, side), what=what, against="bare", items=images, threads=1)

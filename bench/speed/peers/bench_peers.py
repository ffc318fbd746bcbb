"""The same model, batch, optimiser and data, trained by this project and by others, on one and on two threads, in fp32.

    pip install -e '.[test]' && pip install --no-deps pythae==0.1.2 torchgan==0.1.0 imageio cloudpickle
    pytest bench/speed/peers --benchmark-json peers.json && python bench/speed/ratios.py peers.json

"popular" is a loop in the style of the scripts that most people start from: a DataLoader over a torchvision data set
with its transforms, unfused Adam, and both losses fetched every step. Peers that are not installed are skipped. Ours
keeps the memory that it frees, as every run does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from unittest import mock

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

import zoo
from zoo.nn import Permute
from zoo_bench.core.budget import Budget
from zoo_bench.core.processes import keep_freed_memory
from zoo_bench.data.stream import Stream
from zoo_bench.train.loop import train

BATCH, BATCHES = 64, 60
DATA = torch.randint(
    0, 256, (BATCH * BATCHES, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)
PADDED_DATA = F.pad(DATA, (2, 2, 2, 2))


def ours(model: zoo.GenerativeModel, data: Tensor = DATA) -> Callable[[], object]:
    keep_freed_memory()
    model = model.to(memory_format=torch.channels_last)
    return partial(train, model, Stream(data, 0, torch.device("cpu")), Budget(images=len(data)))


def our_zoo(name: str) -> Callable[[], object]:
    return ours(zoo.create(name, shape=DATA.shape[1:]))


def our_vae() -> Callable[[], object]:
    return ours(PeerVAE((1, 28, 28), zoo.ModelConfig()))


def our_dcgan() -> Callable[[], object]:
    return ours(PeerDCGAN((1, 32, 32), zoo.LatentConfig()), PADDED_DATA)


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's data sets give them: a PIL image per item, transformed one by one."""

    def __init__(self) -> None:
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])

    def __len__(self) -> int:
        return len(DATA)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(DATA[index, 0].numpy(), mode="L")), 0


def channels_first(model: zoo.GenerativeModel) -> zoo.GenerativeModel:
    """Turn maps into vectors with the channels first, as scripts do, whose tensors are laid out so."""
    for module in model.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Unflatten):
                height, width, channels = child.unflattened_size
                setattr(module, name, nn.Unflatten(1, (channels, height, width)))
            elif isinstance(child, Permute):
                setattr(module, name, nn.Identity())
    return model


def popular(name: str) -> Callable[[], None]:
    return partial(play, channels_first(zoo.create(name, shape=DATA.shape[1:])))


def play(model: zoo.GenerativeModel) -> None:
    g, d, z_dim = model.generator, model.discriminator, model.config.z_dim
    on_g, on_d = (torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in (g, d))
    criterion = nn.BCEWithLogitsLoss()
    for real, _ in DataLoader(Pictures(), batch_size=BATCH, shuffle=True):
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        on_g.zero_grad()
        fake = g(torch.randn(len(real), z_dim))
        g_loss = criterion(d(fake).view(-1, 1), ones)
        g_loss.backward()
        on_g.step()
        on_d.zero_grad()
        d_loss = (criterion(d(real).view(-1, 1), ones) + criterion(d(fake.detach()).view(-1, 1), zeros)) / 2
        d_loss.backward()
        on_d.step()
        g_loss.item(), d_loss.item()


class PeerVAE(zoo.GenerativeModel):
    """The VAE that pythae builds by default: 784-512-16, squared error."""

    Config = zoo.ModelConfig

    def __init__(self, shape: tuple[int, ...], config: zoo.ModelConfig) -> None:
        super().__init__(shape, config)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU())
        self.mu, self.log_var = nn.Linear(512, 16), nn.Linear(512, 16)
        self.decoder = nn.Sequential(nn.Linear(16, 512), nn.ReLU(), nn.Linear(512, 784), nn.Sigmoid())

    def players(self) -> list[zoo.Player]:
        return [zoo.Player("vae", self, self.loss, zoo.Adam(lr=1e-4))]

    def loss(self, turn: zoo.Turn) -> Tensor:
        hidden, target = self.body(turn.real), (turn.real + 1) / 2
        mu, log_var = self.mu(hidden), self.log_var(hidden)
        reconstruction = self.decoder(mu + torch.randn_like(mu) * torch.exp(0.5 * log_var))
        kl = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
        return (0.5 * F.mse_loss(reconstruction, target.flatten(1), reduction="sum") + kl) / turn.size


def pythae_vae(folder: str) -> Callable[[], None]:
    from pythae import models
    from pythae.data.preprocessors import DataProcessor
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    data = DataProcessor().to_dataset(DATA.float() / 255)
    config = BaseTrainerConfig(
        output_dir=folder, num_epochs=1, per_device_train_batch_size=BATCH, learning_rate=1e-4, no_cuda=True
    )
    model = models.VAE(models.VAEConfig(input_dim=(1, 28, 28), latent_dim=16))
    return BaseTrainer(model=model, train_dataset=data, training_config=config).train


class PeerDCGAN(zoo.GenerativeModel):
    """The networks and losses of torchgan's DCGAN at 32 pixels; torchgan draws the fakes anew for the discriminator."""

    Config = zoo.LatentConfig

    def __init__(self, shape: tuple[int, ...], config: zoo.LatentConfig) -> None:
        super().__init__(shape, config)
        from torchgan.models import DCGANDiscriminator, DCGANGenerator

        self.generator, self.discriminator = DCGANGenerator(100, 32, 1, 32), DCGANDiscriminator(32, 1, 32)

    def players(self) -> list[zoo.Player]:
        adam = zoo.Adam(lr=2e-4, betas=(0.5, 0.999))
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam),
            zoo.Player("discriminator", self.discriminator, self.discriminator_loss, adam),
        ]

    def generator_loss(self, turn: zoo.Turn) -> Tensor:
        fake = turn.kept["fake"] = self.generator(self.latent(turn.size))
        return F.softplus(-self.discriminator(fake)).mean()

    def discriminator_loss(self, turn: zoo.Turn) -> Tensor:
        fake = turn.kept["fake"].detach()
        return F.softplus(-self.discriminator(turn.real)).mean() + F.softplus(self.discriminator(fake)).mean()


def torchgan_dcgan(folder: str) -> Callable[[], None]:
    from torchgan import models as torchgan
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
    from torchgan.trainer import Trainer

    adam = {"name": torch.optim.Adam, "args": {"lr": 2e-4, "betas": (0.5, 0.999)}}
    sizes = {"generator": {"encoding_dims": 100, "out_channels": 1, "step_channels": 32, "out_size": 32},
             "discriminator": {"in_channels": 1, "step_channels": 32, "in_size": 32}}  # fmt: skip
    classes = {"generator": torchgan.DCGANGenerator, "discriminator": torchgan.DCGANDiscriminator}
    networks = {name: {"name": cls, "args": sizes[name], "optimizer": adam} for name, cls in classes.items()}
    data = torch.utils.data.TensorDataset(PADDED_DATA.float() / 127.5 - 1, torch.zeros(len(PADDED_DATA)))
    trainer = Trainer(
        networks, [MinimaxGeneratorLoss(nonsaturating=True), MinimaxDiscriminatorLoss()], sample_size=1, epochs=1,
        device=torch.device("cpu"), checkpoints=f"{folder}/model", recon=f"{folder}/images", log_dir=f"{folder}/log",
    )  # fmt: skip
    trainer.logger = mock.MagicMock()  # whose image grid needs a torchvision below 0.13
    trainer.save_model = lambda *_: None  # which would store the logger
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    return lambda: trainer(loader)


@pytest.mark.parametrize("threads", [1, 2])
class TestPeers:
    @pytest.mark.parametrize("name", ["gan", "dcgan"])
    def test_popular(self, pair, name, threads):
        loops = partial(our_zoo, name), partial(popular, name)
        what = f"{name}, 28 pixels, threads: {threads}"
        pair(*loops, what=what, against="popular", items=len(DATA), threads=threads)

    def test_pythae(self, pair, tmp_path, threads):
        pytest.importorskip("pythae")
        loops = our_vae, partial(pythae_vae, str(tmp_path))
        what = f"VAE 784-512-16, threads: {threads}"
        pair(*loops, what=what, against="pythae", items=len(DATA), threads=threads)

    def test_torchgan(self, pair, tmp_path, threads):
        pytest.importorskip("torchgan")
        loops = our_dcgan, partial(torchgan_dcgan, str(tmp_path))
        what = f"DCGAN, 32 pixels, threads: {threads}"
        pair(*loops, what=what, against="torchgan", items=len(DATA), threads=threads)

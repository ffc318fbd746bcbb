"""One model that keeps the contract, and for every rule one that breaks it, named after the rule."""

import itertools
import math
import random
from typing import Any

import torch
from pydantic import ConfigDict, Field
from torch import nn

import zoo


class Good(zoo.GenerativeModel):
    Config = zoo.LatentConfig

    def __init__(self, shape, config):
        super().__init__(shape, config)
        size = math.prod(shape)
        self.generator = nn.Sequential(nn.Linear(config.z_dim, size), nn.Unflatten(1, shape), nn.Tanh())
        self.critic = nn.Sequential(nn.Flatten(), nn.Linear(size, 1), nn.Flatten(0))

    def players(self):
        adam = zoo.Adam(1e-3)
        return [
            zoo.Player("generator", self.generator, self.generator_loss, adam, every=2),
            zoo.Player("critic", self.critic, self.critic_loss, adam),
        ]

    def generator_loss(self, turn):
        return -self.critic(self.sample(turn.size)).mean()

    def critic_loss(self, turn):
        fake = self.sample(turn.size).detach()
        return self.critic(fake).mean() - self.critic(turn.real).mean()

    def sample(self, n):
        return self.generator(self.latent(n))


class SettingsConfig(zoo.LatentConfig):
    model_config = ConfigDict(extra="allow", frozen=False)

    batch_size: int = Field(64, description="Without its bound")
    temperature: float = 1.0


class SettingsRoundTripConfig(zoo.LatentConfig):
    scale: Any = Field(complex(1), description="Not in JSON")


class SettingsRoundTrip(Good):
    Config = SettingsRoundTripConfig


class SettingsDescribed(Good):
    Config = SettingsConfig


class UnknownSettingRefused(Good):
    Config = SettingsConfig


class SettingsBounded(Good):
    Config = SettingsConfig


class SearchConfig(zoo.LatentConfig):
    search = {"z_dim": (0, 8)}  # noqa: RUF012


class PresetsAndSearch(Good):
    Config = SearchConfig


class SettingsFrozen(Good):
    Config = SettingsConfig


class RefusesInASentence(Good):
    def __init__(self, shape, config):
        assert shape[-1] in (2, 8, 16, 28, 32)
        super().__init__(shape, config)


class UsualSides(Good):
    def sample(self, n):
        return super().sample(n)[..., :8]


class PlayersNamed(Good):
    def players(self):
        one, other = super().players()
        return [one, zoo.Player(one.name, other.network, other.loss, other.optimizer)]


class NetworksBelong(Good):
    def players(self):
        self.__dict__["stray"] = self.__dict__.get("stray", nn.Linear(1, 1))
        network = nn.ModuleList([self.critic, self.__dict__["stray"]])
        return [super().players()[0], zoo.Player("critic", network, self.critic_loss, zoo.Adam(1e-3))]


class ParametersCovered(Good):
    def players(self):
        return super().players()[1:]


class GradientsReach(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.critic.spare = nn.Linear(1, 1)
        self.critic.forward = lambda x: nn.Sequential(*list(self.critic)[:3])(x)


class LossesScalar(Good):
    def critic_loss(self, turn):
        return -self.critic(turn.real)


class LossesFinite(Good):
    def critic_loss(self, turn):
        return super().critic_loss(turn) / (0 * turn.real.sum())


class Bfloat16(Good):
    def critic_loss(self, turn):
        return super().critic_loss(turn) / (1.0 + 1e-3 * torch.ones(1, 1).mm(torch.ones(1, 1)) - 1.0).float().sum()


class PlayersMove(Good):
    def play(self, turn):
        turn.move(turn.players[1])


class OnlyOnItsTurn(Good):
    def critic_loss(self, turn):
        with torch.no_grad():
            self.generator[0].weight.mul_(0.999)
        return super().critic_loss(turn)


class AnyBatchSize(Good):
    def critic_loss(self, turn):
        return -(self.critic(turn.real) * torch.ones(16, device=self.device)).mean()


class BatchUnchanged(Good):
    def critic_loss(self, turn):
        return -self.critic(turn.real.add_(1.0)).mean()


class LossesKeepMode(Good):
    def critic_loss(self, turn):
        self.generator.eval()
        return super().critic_loss(turn)


class MemoryConstant(Good):
    def critic_loss(self, turn):
        loss = super().critic_loss(turn)
        self.__dict__["total"] = self.__dict__.get("total", 0.0) + loss
        return loss


class Resumes(Good):
    def critic_loss(self, turn):
        self.__dict__["rounds"] = self.__dict__.get("rounds", 0) + 1
        return super().critic_loss(turn) * self.__dict__["rounds"] - (self.critic(turn.real) ** 2).mean()


class OwnGenerator(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.own = torch.Generator().manual_seed(0)

    def critic_loss(self, turn):
        return super().critic_loss(turn) * torch.rand((), generator=self.own)


class PythonsGenerator(Good):
    def critic_loss(self, turn):
        return super().critic_loss(turn) * random.random()


class PoolOfFakes(Good):
    def critic_loss(self, turn):
        pool = self.__dict__.setdefault("pool", [])
        pool[3:] = []
        pool.insert(0, self.sample(turn.size).detach())
        return self.critic(torch.cat(pool)).mean() - self.critic(turn.real).mean()


class SampleShape(Good):
    def sample(self, n):
        return super().sample(max(n, 2))


class SampleRange(Good):
    def sample(self, n):
        return super().sample(n) * 127.5 + 127.5


class SamplesBelowZero(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.generator[-1] = nn.Sigmoid()


class Linear(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        del self.generator[-1]


class Grey(Linear):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        nn.init.zeros_(self.generator[0].weight)
        nn.init.zeros_(self.generator[0].bias)


class OneBias(Linear):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        nn.init.zeros_(self.generator[0].weight)
        nn.init.constant_(self.generator[0].bias, float(torch.randn(())))


class SamplesVary(Good):
    def sample(self, n):
        return super().sample(1).expand(n, *self.shape)


class SampleHasNoGraph(Good):
    def sample(self, n):
        with torch.enable_grad():
            return super().sample(n)


class SampleChangesNoState(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.register_buffer("drawn", torch.zeros(()))

    def sample(self, n):
        self.drawn += n
        return super().sample(n)


class SampleKeepsMode(Good):
    def sample(self, n):
        self.generator.train()
        return super().sample(n)


class TrainsAfterSampling(Good):
    def generator_loss(self, turn):
        fake = self.__dict__.get("drawn")
        return super().generator_loss(turn) if fake is None else -self.critic(fake).mean()

    def sample(self, n):
        samples = super().sample(n)
        if not torch.is_grad_enabled():
            self.__dict__["drawn"] = samples
        return samples


class SometimesEager(nn.Tanh):
    def forward(self, x):
        return super().forward(x) * (0.5 if torch.compiler.is_compiling() else 1.0)


class Diagnostics(Good):
    def diagnostics(self, real):
        return {"critic": math.nan}


class OldName(Good):
    def figures(self, real):
        return {}


class Compiles(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.generator.append(SometimesEager())


class SameSeedSameRun(Good):
    def latent(self, n):
        generator = torch.Generator()
        generator.seed()
        return torch.randn(n, self.config.z_dim, generator=generator)


class SeedsMatter(Good):
    def latent(self, n):
        return torch.randn(n, self.config.z_dim, generator=torch.Generator().manual_seed(0))


class NeverReseeds(Good):
    def generator_loss(self, turn):
        torch.manual_seed(turn.round)
        return super().generator_loss(turn)


class TorchRandomnessOnly(Good):
    def generator_loss(self, turn):
        return super().generator_loss(turn) * random.uniform(0.5, 1.0)


class ChangesNoSettings(Good):
    def __init__(self, shape, config):
        torch.set_float32_matmul_precision("high")
        super().__init__(shape, config)


class PrintsNothing(Good):
    def sample(self, n):
        print("sampling")
        return super().sample(n)


class MovesBetweenDevices(Good):
    def latent(self, n):
        return torch.randn(n, self.config.z_dim)


class StateDictRoundTrip(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.__dict__["offset"] = torch.randn(shape)

    def sample(self, n):
        return super().sample(n) + self.__dict__["offset"].to(self.device)


class WeightsCanBeStored(Good):
    def get_extra_state(self):
        return {"version": 2}

    def set_extra_state(self, state):
        pass


class Copies(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.counter = (i for i in itertools.count())


class NoPlayers(Good):
    def players(self):
        return []


class Crashing(Good):
    def critic_loss(self, turn):
        raise GeneratorExit


class DeterministicStart(Good):
    """Not broken: its weights begin as zeros, and it counts its moves in a buffer."""

    def __init__(self, shape, config):
        super().__init__(shape, config)
        for weight in self.parameters():
            nn.init.constant_(weight, 0.01)
        self.register_buffer("moves", torch.zeros((), dtype=torch.int64))

    def critic_loss(self, turn):
        self.moves += 1
        return super().critic_loss(turn) / (1 + int(self.moves) // 1000) + 0.0 * bool(self.moves > 3)


class DrawnByItsOwnGenerator(Good):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        own = torch.Generator().manual_seed(0)
        for weight in self.parameters():
            nn.init.normal_(weight, 0.0, 0.1, generator=own)

"""The model contract: a model is its networks and its losses; the harness plays the game.

A model declares *players*: a network, a loss, an optimiser and how often it moves. In every round the harness draws one
batch of real data and lets the players move in order: it freezes the parameters of the others, computes the loss, and
runs backward and step. A model therefore holds no training loop, and what
it spends is counted for it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from zoo.catalogue import Entry
from zoo.config import ModelConfig, Shape
from zoo.errors import PluginError, UnknownNameError, ZooError, error_sentence, reraise_ctrl_c
from zoo.specs import ModelSpec

RENAMED = {
    "GenerativeModel": {"figures()": "diagnostics()"},
    "ModelConfig": {"presets(shape)": "shape_defaults(shape)", "named": "named_presets"},
    "Player": {"during": "active"},
}
"""What plugins defined before the first release, and what it is called now; the old names are refused."""


def _refuse_renamed(class_name: str, defined: Container[str], owner: str) -> None:
    for old, new in RENAMED[class_name].items():
        if old.partition("(")[0] in defined:
            raise PluginError(f"{owner} defines {old}, which is now called {new}")


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015), fused where the device has it.

    Attributes:
        lr: Learning rate.
        betas: Decay rates of the two moment estimates.
    """

    lr: float
    betas: tuple[float, float] = (0.9, 0.999)

    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Build the optimiser."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=self.betas, fused=True)


@dataclass
class Turn:
    """One round of the game, as a loss sees it.

    Attributes:
        real: The batch: (B, C, H, W) in [-1, 1], or (B, D).
        round: Rounds played before this one.
        progress: Share of the budget spent before this round, in [0, 1).
        players: The model's players.
        move: Lets one player move: ``move(player)`` computes its loss and updates its network.
        kept: What players share within this round, empty at its start.
        labels: The class of each item of the batch, (B,) int64, if the model's settings say ``conditional``; else None.
    """

    real: Tensor
    round: int
    progress: float
    players: Sequence[Player]
    move: Callable[[Player], None]
    kept: dict[str, Tensor] = field(default_factory=dict)
    labels: Tensor | None = None

    @property
    def size(self) -> int:
        """Batch size B."""
        return len(self.real)

    def labels_for(self, n: int) -> Tensor | None:
        """Return the batch's labels over and over, (n,) int64, for a multiple of B items; None if there are none."""
        return None if self.labels is None else self.labels.repeat(n // self.size)

    def recall(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        """Return ``kept[name]`` detached, or what ``make()`` returns without gradients if no player kept it.

        A discriminator that moves more often than its generator calls
        ``turn.recall("fake", lambda: self.sample(turn.size))``.
        """
        if name in self.kept:
            return self.kept[name].detach()
        with torch.no_grad():
            return make()


@dataclass(frozen=True)
class Player:
    """A network that is trained, and how.

    Attributes:
        name: For logs and records: "generator", "critic", ...
        network: Its parameters are updated when it moves, and frozen while others do. Several networks are one
            ``nn.ModuleList([first, second])``; the model itself is the network of an only player.
        loss: From the turn to a scalar tensor to minimise.
        optimizer: From parameters to an optimiser: :class:`zoo.Adam`, or ``partial(torch.optim.SGD, lr=0.1)``.
        every: It moves in every ``every``-th round: 5 for a generator that moves once in five critic steps.
        active: It moves while the share of the budget spent is in [start, stop): (0.5, 1.0) for a prior that is fitted
            to the codes of an autoencoder trained before it. Learning-rate schedules run over this part.

    Raises:
        ValueError: If ``every`` is below 1, or ``active`` is not an ascending pair within [0, 1].
        PluginError: If ``active`` is given under its old name.
    """

    name: str
    network: nn.Module
    loss: Callable[[Turn], Tensor]
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    every: int = 1
    active: tuple[float, float] = (0.0, 1.0)
    during: InitVar[None] = field(default=None, kw_only=True)

    def __post_init__(self, during: None) -> None:
        if during is not None:
            _refuse_renamed("Player", {"during"}, f"player {self.name!r}")
        if self.every < 1:
            raise ValueError(f"player {self.name!r}: every must be at least 1, got {self.every}")
        start, stop = self.active
        if not 0.0 <= start < stop <= 1.0:
            raise ValueError(f"player {self.name!r}: active must be 0 <= start < stop <= 1, got {self.active}")

    def moves(self, turn: Turn) -> bool:
        """Return whether it moves in this round."""
        start, stop = self.active
        return (turn.round + 1) % self.every == 0 and start <= turn.progress < stop


class GenerativeModel(nn.Module):
    """Base class of all models: build networks in ``__init__``, declare :meth:`players`, and :meth:`sample`.

    A run is a process of its own whose global torch generator the harness has seeded. Draw all randomness from it
    (``torch.randn`` and friends) and never reseed.

    Players may share weights: each updates them in its turn. A network of no player, such as a fixed teacher, is frozen
    with ``requires_grad_(False)`` and may be written to in :meth:`play`, after the players' moves.

    A model with latents may define ``decode(z, labels=None)``, from latents (N, z_dim) to items (N, ...), so that
    :meth:`sample` is ``decode(latent(n))`` plus noise if there is some; ``encode(x, labels=None)``, from items to
    latents; and ``posterior(x, labels)``, of which ``encode`` is the mean: mean and log variance, (N, z_dim) each.
    Labels are (N,) int64, and None unless the model is conditional.

    Attributes:
        Config: The settings' class.
        shape: One item: (C, H, W) or (D,).
        config: The settings.
    """

    Config: ClassVar[type[ModelConfig]] = ModelConfig

    def __init__(self, shape: Shape, config: Any) -> None:
        super().__init__()
        self.shape = shape
        self.config = config

    def players(self) -> list[Player]:
        """Return the players in the order in which they move within a round."""
        raise NotImplementedError(f"{type(self).__name__} must define players()")

    def sample(self, n: int) -> Tensor:
        """Draw ``n`` items: (n, C, H, W), clipped by the harness to [-1, 1], or (n, D).

        The harness calls it in eval mode and without gradients; Langevin dynamics switches them on with
        ``torch.enable_grad()``. A model whose settings are a :class:`zoo.ConditionalConfig` defines
        ``sample(n, labels=None)``, and is given the classes to draw, (n,) int64, if they say ``conditional``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define sample(n)")

    def diagnostics(self, real: Tensor) -> dict[str, float]:
        """Return the model's own measures on held-out data, such as a VAE's ELBO; none by default.

        The harness calls it after training, in eval mode and without gradients. They become columns of the results,
        so no other column may have their names.

        Args:
            real: Items of the validation split, as in :attr:`Turn.real`. A model that is given labels may define
                ``diagnostics(real, labels=None)`` and gets theirs.
        """
        return {}

    def play(self, turn: Turn) -> None:
        """Play one round. Override it only if no order of players, ``every`` and ``active`` express the game."""
        for player in turn.players:
            if player.moves(turn):
                turn.move(player)

    def latent(self, n: int) -> Tensor:
        """Draw ``n`` latents from N(0, I): (n, z_dim)."""
        return torch.randn(n, self.config.z_dim, device=self.device)

    @property
    def conditional(self) -> bool:
        """Whether it is given labels, in training and to sample."""
        return bool(getattr(self.config, "conditional", False))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


def sample_classes(model: GenerativeModel, n: int, labels: Tensor | None = None) -> Tensor:
    """Draw ``n`` items as the model's settings ask for it: with labels, every class in turn if none are given.

    Args:
        model: The model; one that is not given labels ignores them.
        n: How many.
        labels: (n,) int64.
    """
    if not model.conditional:
        return model.sample(n)
    if labels is None:
        labels = torch.arange(n) % model.config.classes
    samples: Tensor = getattr(model, "sample")(n, labels.to(model.device))  # noqa: B009 - with labels it is wider
    return samples


def check_applies(spec: ModelSpec, shape: Shape) -> None:
    """Raise a :class:`ZooError` if the model's spec does not list this kind of data."""
    kind = "images" if len(shape) == 3 else "points"
    if kind not in spec.data:
        raise ZooError(
            f"model {spec.name!r} does not apply to {kind} of shape {shape}: it models {', '.join(spec.data)}"
        )


def load_class(entry: Entry[ModelSpec]) -> type[GenerativeModel]:
    """Import a model's class.

    Raises:
        PluginError: If that fails, the target is not a GenerativeModel, or it defines a name that has been changed.
    """
    try:
        cls = entry.load()
    except BaseException as error:
        reraise_ctrl_c(error)
        message = f"model {entry.spec.name!r} of {entry.plugin} cannot be imported: {error_sentence(error)}"
        raise PluginError(message) from error
    if not (isinstance(cls, type) and issubclass(cls, GenerativeModel)):
        raise PluginError(f"target {entry.spec.target!r} of {entry.plugin} must be a zoo.GenerativeModel subclass")
    lead = f"model {entry.spec.name!r} of {entry.plugin}: "
    _refuse_renamed("GenerativeModel", dir(cls), lead + cls.__name__)
    _refuse_renamed("ModelConfig", dir(cls.Config), lead + cls.Config.__name__)
    return cls


def configure(
    entry: Entry[ModelSpec], shape: Shape, settings: dict[str, Any]
) -> tuple[type[GenerativeModel], ModelConfig]:
    """Import a model's class and resolve its settings.

    Raises:
        UnknownNameError: For a setting that the model does not have.
        ZooError: For a wrong value; for a shape that the model does not apply to.
        PluginError: As :func:`load_class`, or if the config fails otherwise.
    """
    name = entry.spec.name
    check_applies(entry.spec, shape)
    cls = load_class(entry)
    for setting in settings:
        if setting not in cls.Config.model_fields:
            raise UnknownNameError(f"setting of {name}", setting, cls.Config.model_fields)
    try:
        return cls, cls.Config.resolve(shape, settings)
    except ValidationError as error:
        raise ZooError("; ".join(_sentences(name, error))) from error
    except Exception as error:
        message = f"settings of model {name!r} of {entry.plugin} cannot be resolved: {error_sentence(error)}"
        raise PluginError(message) from error


def _sentences(name: str, error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        location = ".".join([name, *map(str, problem["loc"])])
        if problem["type"] == "value_error":
            yield f"{location}: {problem['ctx']['error']}"
            continue
        yield f"{location}: {problem['msg'][0].lower()}{problem['msg'][1:]}, got {problem['input']!r}"


def build(entry: Entry[ModelSpec], shape: Shape, settings: dict[str, Any]) -> GenerativeModel:
    """Build an untrained model on the CPU; errors as :func:`configure`."""
    cls, config = configure(entry, shape, settings)
    return cls(shape, config)

"""Rules about randomness, devices, storage, and the process that a model shares with other code."""

from __future__ import annotations

import contextlib
import copy
import io
import random
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from zoo.model import GenerativeModel
from zoo.settings import changed, snapshot
from zoo.testing.check import rule
from zoo.testing.subject import SEED, Subject, copied, differing, require


def _run(subject: Subject, seed: int = SEED) -> tuple[GenerativeModel, Tensor]:
    """Build, train and sample."""
    model = subject.play(subject.build(seed)).model
    return model, subject.samples(model)


@rule("draw all randomness from torch's global generator: torch.randn and friends, without generator=")
def same_seed_same_run(subject: Subject) -> None:
    """The same seed gives the same weights and the same samples."""
    (first, samples), (second, second_samples) = _run(subject), _run(subject)
    unequal = differing(first.state_dict(), second.state_dict())
    require(not unequal, f"two runs with one seed end with different {', '.join(unequal[:3])}")
    require(torch.equal(samples, second_samples), "two runs with one seed draw different samples")


class _OwnGenerators(TorchDispatchMode):
    """Notices random numbers that are drawn from a generator which is not torch's global one."""

    used = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Run the operation."""
        self.used |= (kwargs or {}).get("generator") is not None
        return func(*args, **(kwargs or {}))


@rule("call no manual_seed and fix no generator: the harness seeds every run")
def seeds_matter(subject: Subject) -> None:
    """Different seeds draw different initial weights, where these are drawn, and different samples."""
    with _OwnGenerators() as own:
        first, second = subject.build(1), subject.build(2)
    alike = not differing(first.state_dict(), second.state_dict())
    require(not (alike and own.used), "two seeds initialise the same weights")
    model = subject.play(first).model  # what is initialised with zeros draws the same samples before it is trained
    draws = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        draws.append(subject.samples(model))
    require(not torch.equal(*draws), "two seeds draw the same samples")


@rule("call no torch.manual_seed or torch.seed: the harness seeds every run")
def never_reseeds(subject: Subject) -> None:
    """Torch's seed is never set."""
    _run(subject)
    require(torch.initial_seed() == SEED, "torch's global generator is seeded anew")


@rule("draw from torch instead: its global generator is the one that the harness seeds")
def torch_randomness_only(subject: Subject) -> None:
    """NumPy's and Python's generators are not used."""
    legacy, plain = np.random.get_state(), random.getstate()
    _run(subject)
    unchanged = all(np.array_equal(old, new) for old, new in zip(legacy, np.random.get_state(), strict=True))
    require(unchanged, "numpy.random is used or seeded")
    require(random.getstate() == plain, "Python's random is used or seeded")


@rule("leave these settings alone: they belong to the process, which other code shares")
def changes_no_settings(subject: Subject) -> None:
    """Building, training and sampling change no global setting of torch."""
    before = snapshot()
    _run(subject)
    require(not (changes := changed(before)), f"the model changes {', '.join(changes)}")


@rule("print to sys.stderr or not at all: stdout is for results")
def prints_nothing(subject: Subject) -> None:
    """Building, training and sampling print nothing to stdout."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        _run(subject)
    require(not output.getvalue(), f"the model prints {output.getvalue().strip()[:60]!r}")


class _NumbersOnMeta(TorchDispatchMode):
    """Lets code read a number from a tensor on the device "meta", which holds none: ``int(buffer)`` is 1 there."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Run the operation."""
        if func is torch.ops.aten._local_scalar_dense.default and args[0].is_meta:
            return torch.ones((), dtype=args[0].dtype).item()
        return func(*args, **(kwargs or {}))


@rule("create tensors with device=self.device or like another tensor, and constants with register_buffer")
def moves_between_devices(subject: Subject) -> None:
    """It trains and samples on another device after model.to(device)."""
    for device in ["meta", *(["cuda"] if torch.cuda.is_available() else [])]:
        model = subject.build().to(device)
        with _NumbersOnMeta():
            subject.play(model)
            sample_device = subject.samples(model, 4).device.type
        require(sample_device == device, f"samples of a model on {device} are on {sample_device}")


@rule("register networks as attributes and constants with register_buffer, and build them from the settings alone")
def state_dict_round_trip(subject: Subject) -> None:
    """A new model that loads the state dict draws the same samples."""
    model, _ = _run(subject)
    twin = subject.build(seed=1)
    twin.load_state_dict(model.state_dict())
    draws = []
    for each in (model, twin):
        torch.manual_seed(1)
        draws.append(subject.samples(each))
    require(torch.equal(*draws), "the new model draws other samples")


@rule("keep only tensors in the state dict: what get_extra_state returns is none")
def weights_can_be_stored(subject: Subject) -> None:
    """The state dict survives the safetensors format, in which runs store it."""
    model, _ = _run(subject)
    stored = load(save({k: v.clone(memory_format=torch.contiguous_format) for k, v in model.state_dict().items()}))
    lost = differing(stored, model.state_dict())
    require(not lost, f"{', '.join(lost[:3])} are read back differently")


@rule("keep no graph, lock, file or generator on the model; detach what it remembers of a round")
def copies(subject: Subject) -> None:
    """A trained model can be copied, and the copy has its weights."""
    model, _ = _run(subject)
    twin = copy.deepcopy(model)
    require(not differing(copied(twin), copied(model)), "the copy has other weights")

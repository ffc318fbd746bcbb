"""Mixtures of Gaussians with known modes, as in VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.task import Mixture, Split, Task
from zoo_bench.judges.mixture import MixtureJudge

TRAIN, VALIDATION, TEST, SAMPLES = 100_000, 2_500, 10_000, 2_500


def draw(mixture: Mixture, n: int, seed: int) -> Split:
    """Draw ``n`` points and the component of each."""
    generator = torch.Generator().manual_seed(seed)
    modes = torch.randint(len(mixture.centres), (n,), generator=generator)
    noise = torch.randn(n, mixture.centres.shape[1], generator=generator)
    return Split(mixture.centres[modes] + mixture.std * noise, modes)


def task(centres: Tensor, std: float) -> Task:
    """Make a task of any mixture: the splits are drawn with fixed seeds."""
    mixture = Mixture(centres, std)
    train, validation, test = (draw(mixture, n, seed) for seed, n in enumerate((TRAIN, VALIDATION, TEST)))
    return Task(train, validation, test, MixtureJudge(mixture), len(centres), SAMPLES, mixture)


def ring8() -> Task:
    """Load ``ring8``: 8 modes on a circle of radius 1, standard deviation 0.01."""
    angle = torch.arange(8) * (2 * math.pi / 8)
    return task(torch.stack([angle.cos(), angle.sin()], dim=1), 0.01)


def grid25() -> Task:
    """Load ``grid25``: 25 modes at {-4, -2, 0, 2, 4}^2, standard deviation 0.05."""
    axis = torch.arange(-4.0, 5.0, 2.0)
    return task(torch.cartesian_prod(axis, axis), 0.05)

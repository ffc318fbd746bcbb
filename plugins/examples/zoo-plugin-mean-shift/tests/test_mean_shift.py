"""The metric on data whose answer is known."""

import pytest
import torch
from zoo_plugin_mean_shift.metric import mean_shift

import zoo
import zoo.testing


class Identity:
    """A judge whose features are the points themselves."""

    name, sha256 = "identity", "0" * 64

    def to(self, device: torch.device) -> "Identity":
        """Stay."""
        return self

    def features(self, data: torch.Tensor) -> torch.Tensor:
        """Return the points."""
        return data

    def modes(self, data: torch.Tensor) -> None:
        """Know none."""


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_shift_of_a_standard_normal(shift: float) -> None:
    """Points moved by so many standard deviations are that far away."""
    real = zoo.Split(torch.randn(5000, 2, generator=torch.Generator().manual_seed(0)))
    evaluation = zoo.Evaluation(zoo.Task(real, real, real, Identity(), modes=0, samples=5000), real.data + shift)
    assert mean_shift(evaluation)["mean_shift"] == pytest.approx(shift, abs=0.02 * max(shift, 0.01))


@zoo.testing.parametrize_with_checks(["mean-shift"])
def test_conforms(check: zoo.testing.Check) -> None:
    """Keep the contract, check by check."""
    check()

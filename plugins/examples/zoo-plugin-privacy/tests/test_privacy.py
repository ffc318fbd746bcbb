"""The metric on data whose answer is known."""

import torch
from zoo_plugin_privacy.metric import membership

import zoo
import zoo.testing

N, DIMENSIONS = 300, 8


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


def found(seed: int, memory: float) -> dict[str, float]:
    """Score samples of which a share are training items with a little noise, and the rest fresh."""
    generator = torch.Generator().manual_seed(seed)
    train, held_out, fresh = (torch.randn(n, DIMENSIONS, generator=generator) for n in (2 * N, N, 2 * N))
    noisy = train + 0.01 * torch.randn(2 * N, DIMENSIONS, generator=generator)
    samples = torch.where(torch.rand(2 * N, 1, generator=generator) < memory, noisy, fresh)
    task = zoo.Task(zoo.Split(train), zoo.Split(held_out), zoo.Split(held_out), Identity(), modes=0, samples=2 * N)
    return membership(zoo.Evaluation(task, samples))


def test_a_model_that_repeats_its_training_data_gives_it_away() -> None:
    """Every training item is nearer to a sample than any other item."""
    assert found(0, 1.0)["membership_advantage"] == 1.0


def test_the_advantage_grows_with_the_share_of_items_that_are_remembered() -> None:
    """A fifth of the items repeated is seen, and half of them more so."""
    fifth, half = found(0, 0.2), found(0, 0.5)
    assert 0.0 < fifth["membership_low"] < fifth["membership_advantage"] < half["membership_advantage"]


def test_the_interval_of_fresh_samples_holds_0_in_95_of_100_draws() -> None:
    """200 draws; 181 to 197 is the 99 % range of a binomial with p = .95."""
    inside = sum(f["membership_low"] <= 0.0 <= f["membership_high"] for f in (found(seed, 0.0) for seed in range(200)))
    assert 181 <= inside <= 197


@zoo.testing.parametrize_with_checks(["membership"])
def test_conforms(check: zoo.testing.Check) -> None:
    """Keep the contract, check by check."""
    check()

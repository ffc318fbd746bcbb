"""Likelihoods and the KL divergence against torch.distributions and Monte Carlo."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import Normal, kl_divergence

from zoo.nn import Bernoulli, Gaussian, active_units, gaussian_kl

SHAPES = [(3, 8, 8), (2,)]


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def gaussian(log_sigma: float) -> Gaussian:
    likelihood = Gaussian().eval()
    likelihood.log_sigma.fill_(log_sigma)
    return likelihood


def test_kl_is_that_of_torch_summed_over_latents():
    mu, logvar = draw(5, 7), draw(5, 7, seed=1)
    expected = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(gaussian_kl(mu, logvar), expected)


def test_kl_agrees_with_monte_carlo():
    mu, logvar = torch.tensor([[0.5, -1.0]]), torch.tensor([[-1.0, 0.5]])
    posterior, prior = Normal(mu, (logvar / 2).exp()), Normal(torch.zeros(1, 2), torch.ones(1, 2))
    torch.manual_seed(0)
    z = posterior.sample((100_000,))
    log_ratio = (posterior.log_prob(z) - prior.log_prob(z)).sum(-1)
    error = log_ratio.std() / math.sqrt(len(z))
    assert abs(log_ratio.mean() - gaussian_kl(mu, logvar)[0]) < 4 * error


def test_kl_of_the_prior_is_zero():
    assert gaussian_kl(torch.zeros(2, 3), torch.zeros(2, 3)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("logit", [-3.0, 0.5, 4.0])
def test_bernoulli_is_no_density_of_grey_values(logit):
    """Its integral over them is (2p - 1) / logit, not 1 (Loaiza-Ganem and Cunningham 2019, equation 4)."""
    grey = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    output = torch.full((10_001, 1), logit, dtype=torch.float64)
    mass = torch.trapezoid((-Bernoulli().nll(output, 2 * grey[:, None] - 1)).exp(), grey).item()
    assert mass == pytest.approx((2 / (1 + math.exp(-logit)) - 1) / logit, rel=1e-6)
    assert mass < 0.5


def test_bernoulli_nll_of_grey_pixels_is_the_mean_over_binary_images_drawn_with_them():
    grey, output = torch.tensor([[0.2, 0.9, 0.5]]), draw(1, 3)
    binary = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)))
    weights = torch.where(binary == 1, grey, 1 - grey).prod(1)
    expected = (weights * Bernoulli().nll(output.expand(8, 3), 2 * binary - 1)).sum()
    torch.testing.assert_close(Bernoulli().nll(output, 2 * grey - 1)[0], expected)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bernoulli_nll_is_that_of_torch_summed_over_pixels(shape):
    logits, x = draw(4, *shape) * 3, draw(4, *shape, seed=1).sign()
    expected = -TorchBernoulli(logits=logits).log_prob((x + 1) / 2).flatten(1).sum(1)
    torch.testing.assert_close(Bernoulli().nll(logits, x), expected)


def test_bernoulli_nll_of_grey_is_the_cross_entropy():
    logits, x = draw(4, 1, 8, 8), torch.full((4, 1, 8, 8), -0.5)
    p = torch.sigmoid(logits)
    expected = -(0.25 * p.log() + 0.75 * (1 - p).log()).flatten(1).sum(1)
    torch.testing.assert_close(Bernoulli().nll(logits, x), expected)


def test_bernoulli_nll_is_finite_for_extreme_logits():
    x = torch.ones(1, 1, 2, 2)
    assert Bernoulli().nll(torch.full_like(x, -1000.0), x).tolist() == [4000.0]
    assert Bernoulli().nll(torch.full_like(x, 1000.0), x).tolist() == [0.0]


def test_bernoulli_mean_spans_minus_one_to_one():
    assert Bernoulli().mean(torch.tensor([-1000.0, 0.0, 1000.0])).tolist() == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("log_sigma", [-1.5, 0.0, 0.7])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gaussian_nll_is_that_of_torch_summed_over_dimensions(shape, log_sigma):
    mean, x = draw(4, *shape), draw(4, *shape, seed=1)
    expected = -Normal(mean, math.exp(log_sigma)).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(gaussian(log_sigma).nll(mean, x), expected)


def test_in_training_sigma_is_the_one_of_the_highest_likelihood():
    mean, x = draw(64, 8), draw(64, 8, seed=1) * 0.1
    best = Gaussian().nll(mean, x).mean()
    others = [-Normal(mean, sigma).log_prob(x).sum(1).mean() for sigma in torch.linspace(0.5, 2.0, 301)]
    torch.testing.assert_close(min(others), best, atol=1e-3, rtol=0)
    assert min(others) >= best


def test_in_training_the_gradient_is_that_of_the_logarithm_of_the_squared_error():
    """The density at the best sigma is -D/2 log(MSE) + const (Rybkin et al. 2021)."""
    mean, x = draw(64, 8).requires_grad_(), draw(64, 8, seed=1) * 0.1
    (mine,) = torch.autograd.grad(Gaussian().nll(mean, x).mean(), mean)
    (theirs,) = torch.autograd.grad(8 / 2 * (mean - x).square().mean().log(), mean)
    torch.testing.assert_close(mine, theirs)


def test_in_evaluation_sigma_is_the_running_average_of_those_of_training():
    likelihood, mean, x = Gaussian(), draw(64, 8), draw(64, 8, seed=1) * 0.1
    for _ in range(100):
        likelihood.nll(mean, x)
    rmse = (mean - x).square().mean().sqrt()
    likelihood.eval()
    torch.testing.assert_close(likelihood.nll(mean, x), -Normal(mean, rmse).log_prob(x).sum(1), rtol=1e-3, atol=0)
    likelihood.nll(mean, mean)
    torch.testing.assert_close(likelihood.log_sigma.exp(), rmse, rtol=1e-3, atol=0)


def test_exact_reconstructions_have_a_finite_density_and_gradient():
    mean = draw(4, 8).requires_grad_()
    nll = Gaussian().nll(mean, mean.detach()).sum()
    nll.backward()
    assert nll.isfinite()
    assert mean.grad.isfinite().all()


def test_gaussian_samples_have_the_mean_and_sigma():
    likelihood, mean = gaussian(math.log(0.2)), torch.full((10_000, 2), 3.0)
    torch.manual_seed(0)
    x = likelihood.sample(mean)
    assert torch.equal(likelihood.mean(mean), mean)
    assert (x.mean() - 3).abs() < 0.01
    assert (x.std() - 0.2).abs() < 0.01


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_a_fixed_sigma_is_stored_but_not_trained(sigma):
    likelihood, mean, x = Gaussian(sigma), draw(4, 8), draw(4, 8, seed=1)
    torch.testing.assert_close(likelihood.nll(mean, x), -Normal(mean, sigma).log_prob(x).sum(1))
    assert list(likelihood.parameters()) == []
    assert likelihood.state_dict().keys() == Gaussian().state_dict().keys() == {"log_sigma"}


def test_units_whose_mean_varies_by_more_than_a_hundredth_are_active():
    n = 4000
    mu = draw(n, 4) * torch.tensor([1.0, 0.13, 0.08, 0.0]) + torch.tensor([0.0, 5.0, -5.0, 9.0])
    assert active_units(mu) == 2
    assert active_units(mu, threshold=0.001) == 3


def test_sigma_may_be_small():
    mean = draw(64, 8)
    x = mean + 0.01 * draw(64, 8, seed=1)
    rmse = (x - mean).square().mean().sqrt()
    torch.testing.assert_close(Gaussian().nll(mean, x), -Normal(mean, rmse).log_prob(x).sum(1))


def test_the_running_average_takes_a_tenth_of_every_batch():
    likelihood, mean = Gaussian(), torch.zeros(4, 8)
    likelihood.nll(mean, mean + math.exp(-1.0))
    assert likelihood.log_sigma.item() == pytest.approx(-0.1)

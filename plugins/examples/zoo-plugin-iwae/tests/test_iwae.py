"""The plugin contract, check by check."""

import math

import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from zoo_plugin_iwae.model import IWAE, IWAEConfig

import zoo.testing


@zoo.testing.parametrize_with_checks(["iwae"])
def test_conforms(check: zoo.testing.Check) -> None:
    """Run one check."""
    check()


def make(k: int) -> IWAE:
    """Make p(x | z) = N(w z + b, sigma^2 I) with p(z)'s posterior given a wrong mean, so that bounds are not tight."""
    model = IWAE((2,), IWAEConfig(samples=k, z_dim=1)).eval()
    model.decoder.forward = lambda z: z * W + B
    model.likelihood.log_sigma.data.fill_(math.log(SIGMA))
    return model


W, B, SIGMA = torch.tensor([0.8, -0.3]), torch.tensor([0.2, 0.1]), 0.5


def test_one_sample_is_the_elbo_and_more_come_nearer_to_the_likelihood() -> None:
    """The ELBO is log p(x) - KL(q || p(z | x)); bounds with k = 1, 5, 50 rise to log p(x) (theorem 1)."""
    torch.manual_seed(0)
    x = torch.randn(4000, 2)
    precision = 1.0 + W @ W / SIGMA**2
    true = Normal((x - B) @ W / SIGMA**2 / precision, precision.rsqrt())
    mu, logvar = true.mean[:, None] + 0.5, 2 * true.stddev.log()[:, None].expand(len(x), 1)
    likelihood = MultivariateNormal(B, torch.outer(W, W) + SIGMA**2 * torch.eye(2)).log_prob(x).mean().item()
    gap = kl_divergence(Normal(mu[:, 0], true.stddev), true).mean().item()
    bounds = []
    for k in (1, 5, 50):
        model = make(k)
        weights = model.log_weights(x, mu, logvar)
        assert weights.shape == (k, len(x))
        bounds.append(model.bound(weights).item())
    assert abs(bounds[0] - (likelihood - gap)) < 0.05
    assert bounds[0] < bounds[1] < bounds[2] < likelihood + 0.02
    assert likelihood - bounds[2] < 0.1 * gap + 0.02

"""Paths between latents, and the order of their dimensions, against models that are written by hand."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

import zoo
from zoo.errors import PluginError, ZooError
from zoo.task import to_model
from zoo_bench.score.latents import between, change, decoded, encoded, latents, mean_kl, require, traversed


class Linear(zoo.GenerativeModel):
    """Three latents: the first changes two pixels in ten, the second none, the last all of them by a tenth of that."""

    Config = zoo.LatentConfig

    def __init__(self) -> None:
        super().__init__((1, 2, 5), zoo.LatentConfig(z_dim=3))
        self.weight = torch.nn.Parameter(torch.zeros(3, 10))
        self.weight.data[0, :2], self.weight.data[2] = 0.2, 0.02

    def decode(self, z, labels=None):
        return (z @ self.weight).view(-1, *self.shape)

    def sample(self, n):
        return self.decode(self.latent(n))


class Encoding(Linear):
    """Its posterior has means and deviations that are known."""

    MEAN, DEVIATION = torch.tensor([0.1, 2.0, 0.0]), torch.tensor([0.9, 0.2, 1.0])

    def posterior(self, x, labels):
        mu = x.flatten(1).mean(1, keepdim=True) * self.MEAN
        return mu, (2 * self.DEVIATION.log()).expand_as(mu)

    def encode(self, x, labels=None):
        return self.posterior(x, labels)[0]


IMAGES = torch.randint(256, (700, 1, 2, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("way", ["linear", "spherical"])
def test_paths_begin_and_end_at_the_latents(way):
    a, b = torch.randn(2, 6, 20)
    paths = between(a, b, 7, way)
    assert paths.shape == (6, 7, 20)
    torch.testing.assert_close(paths[:, 0], a)
    torch.testing.assert_close(paths[:, -1], b)


def test_what_is_decoded_at_the_ends_of_a_linear_path_are_its_ends():
    model = Linear()
    a, b = torch.randn(2, 4, 3)
    images = decoded(model, between(a, b, 5, "linear")).unflatten(0, (4, 5))
    assert torch.equal(images[:, 0], decoded(model, a))
    assert torch.equal(images[:, -1], decoded(model, b))


def test_a_linear_path_is_straight():
    a, b = torch.randn(2, 6, 20)
    torch.testing.assert_close(between(a, b, 5, "linear")[:, 1], 0.75 * a + 0.25 * b)


def test_a_spherical_path_keeps_the_norm_and_turns_at_equal_speed():
    a, b = torch.nn.functional.normalize(torch.randn(2, 6, 20), dim=-1) * 4.0
    paths = between(a, b, 9, "spherical")
    torch.testing.assert_close(paths.norm(dim=-1), torch.full((6, 9), 4.0))
    angles = torch.cosine_similarity(paths[:, :-1], paths[:, 1:], dim=-1).acos()
    torch.testing.assert_close(angles, angles[:, :1].expand(-1, 8), rtol=1e-3, atol=1e-4)
    total = torch.cosine_similarity(a, b, dim=-1).acos()
    torch.testing.assert_close(angles.sum(1), total, rtol=1e-3, atol=1e-3)


def test_norms_of_a_spherical_path_go_evenly_from_one_to_the_other():
    a, b = torch.randn(2, 6, 20)
    norms = between(a, b, 5, "spherical").norm(dim=-1)
    torch.testing.assert_close(norms[:, 2], (a.norm(dim=-1) + b.norm(dim=-1)) / 2)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_a_spherical_path_between_parallel_latents_is_a_line(factor):
    a = torch.randn(3, 4)
    paths = between(a, factor * a, 5, "spherical")
    torch.testing.assert_close(paths, between(a, factor * a, 5, "linear"))


def test_one_dimension_is_traversed_at_a_time():
    z = torch.tensor([0.1, 0.2, 0.3])
    rows = traversed(z, torch.tensor([2, 0]), 3)
    assert (
        rows.tolist()
        == torch.tensor(
            [[[0.1, 0.2, -3.0], [0.1, 0.2, 0.0], [0.1, 0.2, 3.0]], [[-3.0, 0.2, 0.3], [0.0, 0.2, 0.3], [3.0, 0.2, 0.3]]]
        ).tolist()
    )


def test_the_kl_of_each_dimension_is_that_of_its_gaussian():
    mu, deviation = Encoding().encode(to_model(IMAGES)), Encoding.DEVIATION
    expected = kl_divergence(Normal(mu, deviation.expand_as(mu)), Normal(0.0, 1.0)).mean(0)
    found = mean_kl(Encoding(), IMAGES)
    torch.testing.assert_close(found, expected)
    assert found.argsort(descending=True).tolist() == [1, 0, 2]


def test_without_a_posterior_dimensions_are_told_apart_by_the_variance_of_codes():
    model = Encoding()
    codes = encoded(model, IMAGES)
    model.posterior = None
    model.encode = lambda x: x.flatten(1).mean(1, keepdim=True) * Encoding.MEAN
    torch.testing.assert_close(mean_kl(model, IMAGES), codes.var(0))


def test_the_kl_of_a_vae_adds_up_to_what_it_says_itself(digits_task):
    torch.manual_seed(0)
    model = zoo.create("vae", shape=(1, 8, 8)).eval()
    data = digits_task.validation.data
    with torch.no_grad():
        own = model.diagnostics(to_model(data))["kl"]
    assert float(mean_kl(model, data).sum()) == pytest.approx(own, rel=1e-5)


def test_the_change_of_the_image_is_a_root_mean_square_of_grey_values():
    """From -3 to 3 pixels go by 6 times their weight, on a scale of 127.5 a unit."""
    found = change(Linear(), torch.zeros(2, 3))
    expected = [6 * 0.2 * 127.5 * np.sqrt(2 / 10), 0.0, 6 * 0.02 * 127.5]
    assert found.tolist() == pytest.approx(expected, rel=0.05)


def test_a_model_is_told_what_it_lacks():
    class Nothing(zoo.GenerativeModel):
        def __init__(self) -> None:
            super().__init__((1, 2, 5), zoo.ModelConfig())

    with pytest.raises(ZooError, match=r"Nothing defines no decode\(z, labels=None\) and no latent\(n\)"):
        require(Nothing(), "decode")
    with pytest.raises(ZooError, match=r"Linear defines no encode\(x, labels=None\)$"):
        require(Linear(), "decode", "encode")
    require(Encoding(), "decode", "encode")


def test_latents_and_codes_of_a_wrong_size_are_refused():
    model = Encoding()
    model.encode = lambda x: torch.zeros(len(x), 4)
    with pytest.raises(ZooError, match=r"Encoding.encode returned \(700, 4\), and its latents are \(700, 3\)"):
        encoded(model, IMAGES)
    model.latent = lambda n: torch.zeros(n, 3, 1, 1)
    with pytest.raises(ZooError, match=r"returned \(2, 3, 1, 1\), not \(2, z_dim\)"):
        latents(model, 2)
    model.decode = lambda z: torch.zeros(len(z), 1, 5, 5)
    with pytest.raises(PluginError, match=r"Encoding.decode of 2 latents returned \(2, 1, 5, 5\), not \(2, 1, 2, 5\)"):
        decoded(model, torch.zeros(2, 3))


def test_what_decodes_to_nan_is_refused():
    with pytest.raises(ZooError, match="infinite or NaN"):
        decoded(Linear(), torch.full((2, 3), float("nan")))

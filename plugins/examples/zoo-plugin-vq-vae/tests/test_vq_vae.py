"""The plugin contract, check by check."""

import torch
import torch.nn.functional as F
from zoo_plugin_vq_vae.model import VQVAE, VQVAEConfig

import zoo.testing


@zoo.testing.parametrize_with_checks(["vq-vae"])
def test_conforms(check: zoo.testing.Check) -> None:
    """Run one check."""
    check()


def make() -> VQVAE:
    """Make an untrained model of 8x8 images."""
    torch.manual_seed(0)
    return VQVAE((1, 8, 8), VQVAEConfig(codes=5, code_dim=3, width=8))


def test_a_code_s_logits_depend_on_the_codes_before_it_alone() -> None:
    """Change one code of a grid and see which logits change: none up to it, some after it."""
    prior, codes = make().prior.eval(), torch.randint(5, (1, 4, 4))
    before = prior(codes).detach().flatten(2)
    for i in range(16):
        modified = codes.flatten(1).clone()
        modified[0, i] = (modified[0, i] + 1) % 5
        changed = (prior(modified.view(1, 4, 4)).flatten(2) - before).abs().sum(1)[0] > 1e-6
        assert not changed[: i + 1].any()
        assert changed[i + 1 :].any() or i == 15


def test_the_encoder_gets_the_gradient_at_the_decoder_s_input() -> None:
    """Equation 3 without commitment: the gradient passes the codebook unchanged."""
    model = make()
    x = torch.rand(4, 1, 8, 8) * 2 - 1
    encoding = model.autoencoder.encoder(x).detach().requires_grad_()
    vectors = model.autoencoder.codebook.lookup(model.autoencoder.codebook.nearest(encoding)).requires_grad_()
    (expected,) = torch.autograd.grad(F.mse_loss(model.autoencoder.decoder(vectors), x), vectors)
    through = encoding + (vectors - encoding).detach()
    (gradient,) = torch.autograd.grad(F.mse_loss(model.autoencoder.decoder(through), x), encoding)
    torch.testing.assert_close(gradient, expected)


def test_vectors_are_moving_averages_of_the_encodings_that_chose_them() -> None:
    """Repeated updates with one batch end at the means of its clusters."""
    book = make().autoencoder.codebook
    encoding = torch.randn(6, 3, 2, 2)
    codes = torch.arange(24).view(6, 2, 2) % 3
    for _ in range(1500):
        book.update(encoding, codes)
    points = encoding.permute(0, 2, 3, 1).flatten(0, 2)
    for code in range(3):
        torch.testing.assert_close(book.vectors[code], points[codes.flatten() == code].mean(0), atol=1e-3, rtol=1e-3)
    assert torch.equal(book.nearest(book.lookup(codes)), codes)

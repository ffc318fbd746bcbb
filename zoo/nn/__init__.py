"""Trunks, likelihoods, penalties and initialisation that several models share."""

from zoo.nn.conv import ConvEncoder, ConvGenerator, Permute, add_spectral_norm, dcgan_init, default_width, halvings
from zoo.nn.labels import append_labels, project
from zoo.nn.likelihood import Bernoulli, Gaussian, Likelihood, active_units, gaussian_kl
from zoo.nn.mlp import Maxout, mlp
from zoo.nn.penalties import gradient_penalty, input_gradient, pack, zero_centred_penalty
from zoo.nn.resnet import DownBlock, ResNetDiscriminator, ResNetGenerator, UpBlock, residual_init
from zoo.nn.trunk import POINTS_HIDDEN, decoder, encoder

__all__ = [
    "POINTS_HIDDEN",
    "Bernoulli",
    "ConvEncoder",
    "ConvGenerator",
    "DownBlock",
    "Gaussian",
    "Likelihood",
    "Maxout",
    "Permute",
    "ResNetDiscriminator",
    "ResNetGenerator",
    "UpBlock",
    "active_units",
    "add_spectral_norm",
    "append_labels",
    "dcgan_init",
    "decoder",
    "default_width",
    "encoder",
    "gaussian_kl",
    "gradient_penalty",
    "halvings",
    "input_gradient",
    "mlp",
    "pack",
    "project",
    "residual_init",
    "zero_centred_penalty",
]

"""Rules about samples, and about what drawing them may touch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.config import ConditionalConfig
from zoo.model import GenerativeModel
from zoo.testing.check import rule
from zoo.testing.subject import SAMPLES, Subject, copied, differing, require

SAMPLE_COUNTS = (1, 7, 32)
MAX_SAMPLE_MAGNITUDE = 20.0
"""Samplers may exceed 1, since the harness clips; images on a scale of 0 to 255 are beyond it."""
CLASSES = 3
"""Of stand-in data for models that are given labels."""

UNTRAINED_MODELS = 16
"""How many are built to find a pixel below 0: an output that is little more than one random bias is positive in half of
them, and in all of them once in 65,000."""


def _trained(subject: Subject) -> GenerativeModel:
    return subject.play(subject.build()).model


@rule("let sample(n) return floats of shape (n, *self.shape), for every n from 1")
def sample_shape(subject: Subject) -> None:
    """sample(n) returns n items as floats, for 1, for odd and for many n."""
    model = _trained(subject)
    for n in SAMPLE_COUNTS:
        samples = subject.samples(model, n)
        require(isinstance(samples, Tensor), f"sample({n}) returns a {type(samples).__name__}")
        require(samples.is_floating_point(), f"sample({n}) returns {samples.dtype}")
        expected = (n, *subject.shape)
        require(samples.shape == expected, f"sample({n}) returns {tuple(samples.shape)}, not {expected}")


@rule("return images in [-1, 1] as turn.real has them, not 0 to 255, and clip what a sampler may blow up")
def sample_range(subject: Subject) -> None:
    """Samples are finite, and images are on the scale of [-1, 1]."""
    samples = subject.samples(_trained(subject), 32)
    require(torch.isfinite(samples).all(), "samples are infinite or NaN")
    if samples.dim() == 4:
        low, high = (float(x) for x in samples.aminmax())
        within = low > -MAX_SAMPLE_MAGNITUDE and high < MAX_SAMPLE_MAGNITUDE
        require(within, f"samples reach from {low:.3g} to {high:.3g}")


@rule("end in Tanh rather than Sigmoid, or map [0, 1] to [-1, 1] in sample(n): turn.real is in [-1, 1], 0 its middle")
def samples_below_zero(subject: Subject) -> None:
    """Images are not in [0, 1]: untrained models have pixels below 0, or none above it."""
    if len(subject.shape) != 3:
        return
    high = 0.0
    for seed in range(UNTRAINED_MODELS):
        samples = subject.samples(subject.build(seed))
        if (samples < 0).any():
            return
        high = max(high, float(samples.max()))
    require(not high, f"untrained models' pixels reach from 0 or above to {high:.3g}, none below 0")


@rule(
    "say conditional=True in the ModelSpec of a model whose settings are a zoo.ConditionalConfig, show labels to every "
    "network (zoo.nn.append_labels, zoo.nn.project), and draw what sample(n, labels) asks for"
)
def labels(subject: Subject) -> None:
    """A model that can be given labels trains with them, and its samples depend on the class that is asked for."""
    able = isinstance(subject.config, ConditionalConfig)
    require(able == subject.spec.conditional, f"the spec says conditional={not able}, and the settings do not")
    if not able:
        return
    model = subject.play(subject.build(conditional=True, classes=CLASSES)).model
    drawn = []
    for asked in range(CLASSES):
        torch.manual_seed(1)
        samples = subject.samples(model, SAMPLES, torch.full((SAMPLES,), asked))
        expected = (SAMPLES, *subject.shape)
        require(samples.shape == expected, f"sample({SAMPLES}, labels) returns {tuple(samples.shape)}, not {expected}")
        drawn.append(samples)
    require(not torch.equal(drawn[0], drawn[1]), f"sample({SAMPLES}, labels) returns the same items for other labels")


@rule("draw noise with torch.randn or self.latent(n) for every sample")
def samples_vary(subject: Subject) -> None:
    """Samples differ within a call, and from one call to the next."""
    model = _trained(subject)
    samples, more = subject.samples(model), subject.samples(model)
    require((samples != samples[:1]).any(), f"sample({SAMPLES}) returns {SAMPLES} equal items")
    require(not torch.equal(samples, more), f"sample({SAMPLES}) returns the same items twice")


@rule("switch gradients on only where sampling needs them, and detach what sample(n) returns")
def sample_has_no_graph(subject: Subject) -> None:
    """Samples carry no graph."""
    model = _trained(subject).eval()
    with torch.no_grad():
        require(not model.sample(4).requires_grad, "samples require a gradient")


@rule("change no parameter, buffer or requires_grad in sample(n); batch statistics belong to training")
def sample_changes_no_state(subject: Subject) -> None:
    """Sampling in eval mode changes no parameter and no buffer."""
    model = _trained(subject)
    before, flags = copied(model), [w.requires_grad for w in model.parameters()]
    subject.samples(model)
    changed = differing(before, copied(model))
    require(not changed, f"sampling changes {', '.join(changed[:3])}")
    require([w.requires_grad for w in model.parameters()] == flags, "sampling freezes or unfreezes parameters")


@rule("leave train and eval mode to the harness")
def sample_keeps_mode(subject: Subject) -> None:
    """Sampling leaves every module in the mode that it was in."""
    model = _trained(subject)
    subject.samples(model)
    switched = [name for name, module in model.named_modules() if module.training]
    require(not switched, f"after sampling {', '.join(switched[:3]) or 'the model'} is in train mode")


@rule("keep nothing from sample(n): what is made without gradients cannot be trained with")
def trains_after_sampling(subject: Subject) -> None:
    """Training goes on after samples were drawn from a fresh model."""
    model = subject.build()
    subject.samples(model)
    subject.play(model.train())


@rule("avoid .item(), data-dependent branches and Python side effects in the networks' forward")
def compiles(subject: Subject) -> None:
    """Sampling works with compiled networks, and gives the same samples but for rounding."""
    model = _trained(subject)
    torch.manual_seed(1)
    expected = subject.samples(model)
    torch.compiler.reset()
    for network in model.children():
        network.compile(backend="aot_eager")
    torch.manual_seed(1)
    try:
        samples = subject.samples(model)
    finally:
        torch.compiler.reset()
    require(torch.allclose(samples, expected, rtol=1e-2, atol=1e-2), "compiled networks give other samples")


@rule("return a dict from lower-case names to finite numbers, and change nothing in diagnostics(real)")
def diagnostics(subject: Subject) -> None:
    """The model's own diagnostics on held-out data are finite numbers, and computing them changes no state."""
    model = _trained(subject).eval()
    before = copied(model)
    with torch.no_grad():
        values = model.diagnostics(subject.batch())
    bad = [f"{name!r}: {value!r}" for name, value in values.items() if not (name.islower() and math.isfinite(value))]
    require(not bad, f"diagnostics(real) returns {', '.join(bad)}")
    changed = differing(before, copied(model))
    require(not changed, f"diagnostics(real) changes {', '.join(changed[:3])}")

"""Latents of trained models: which models have them, paths between them, and what each of their dimensions does."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from zoo.errors import ZooError
from zoo.model import GenerativeModel
from zoo.nn.likelihood import gaussian_kl
from zoo.task import to_model
from zoo_bench.score.drawing import BATCH_SIZE, decode

Way = Literal["linear", "spherical"]
CALLS = {"decode": "decode(z, labels=None)", "encode": "encode(x, labels=None)"}
"""What a model may define, by the name of the method."""

LIMIT = 3.0
"""Up to which numbers, minus and plus, a dimension of a latent is traversed; that of N(0, 1) in 99.7 % of cases."""

NEARLY_PARALLEL = 1e-3
"""Sine of an angle below which a great circle between two directions is not told apart from a line."""


def require(model: GenerativeModel, *methods: str) -> None:
    """Raise a :class:`ZooError` if the model lacks latents, or one of these methods of them."""
    missing = [CALLS[method] for method in methods if not callable(getattr(model, method, None))]
    if type(model).latent is GenerativeModel.latent and not hasattr(model.config, "z_dim"):
        missing.append("latent(n), nor has it a setting z_dim")
    if missing:
        raise ZooError(
            f"this needs a model's latents, and {type(model).__name__} defines no {' and no '.join(missing)}"
        )


def latents(model: GenerativeModel, n: int) -> Tensor:
    """Draw ``n`` latents of a model that has them, (n, z_dim); of another size they are refused."""
    z = model.latent(n)
    if z.dim() != 2 or len(z) != n:
        raise ZooError(f"{type(model).__name__}.latent({n}) returned {tuple(z.shape)}, not ({n}, z_dim)")
    return z


def decoded(model: GenerativeModel, z: Tensor, labels: Tensor | None = None) -> Tensor:
    """Decode latents (..., z_dim), of a conditional model with labels (...): items (N, ...) as data are stored.

    Raises:
        ZooError: If one is infinite or NaN.
    """
    items = decode(model, z.flatten(0, -2), None if labels is None else labels.flatten())
    if items is None:
        raise ZooError(f"{type(model).__name__} decodes to what is infinite or NaN: nothing was written")
    return items


def encoded(model: GenerativeModel, data: Tensor, labels: Tensor | None = None) -> Tensor:
    """Encode stored items (N, ...): (N, z_dim). Codes of another size than latents have are refused."""
    codes: Tensor = torch.cat(_on_batches(model, "encode", data, labels))
    expected = (len(data), latents(model, 1).shape[1])
    if tuple(codes.shape) != expected:
        raise ZooError(f"{type(model).__name__}.encode returned {tuple(codes.shape)}, and its latents are {expected}")
    return codes


def between(a: Tensor, b: Tensor, steps: int, way: Way) -> Tensor:
    """Return paths between latents, both ends included.

    Spherical ones (Shoemake 1985; White 2016) turn the direction at equal speed on a great circle and change the norm
    linearly, so that latents on the way are as long as those that a Gaussian gives in many dimensions.

    Args:
        a: Starts, (N, D).
        b: Ends, (N, D).
        steps: Latents on each path, at least 2.
        way: "linear" or "spherical".

    Returns:
        (N, steps, D).
    """
    a, b = a[:, None], b[:, None]
    t = torch.linspace(0, 1, steps, device=a.device)[:, None]
    line = torch.lerp(a, b, t)
    if way == "linear":
        return line
    norms = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    starts, ends = (x / norm.clamp(min=1e-12) for x, norm in zip((a, b), norms, strict=True))
    angle = (starts * ends).sum(-1, keepdim=True).clamp(-1, 1).acos()
    turned = (((1 - t) * angle).sin() * starts + (t * angle).sin() * ends) / angle.sin()
    return torch.where(angle.sin() < NEARLY_PARALLEL, line, turned * torch.lerp(*norms, t))


def traversed(z: Tensor, dimensions: Tensor, steps: int) -> Tensor:
    """Return copies of a latent (D,) with one dimension in turn from -3 to 3: (len(dimensions), steps, D)."""
    rows = z.repeat(len(dimensions), steps, 1)
    values = torch.linspace(-LIMIT, LIMIT, steps, device=z.device)
    return rows.scatter_(
        2, dimensions[:, None, None].expand(-1, steps, 1), values.expand(len(dimensions), -1)[..., None]
    )


def mean_kl(model: GenerativeModel, data: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return the KL divergence of every latent dimension's posterior from N(0, 1), (D,), in nats, a mean over items.

    Args:
        model: One that defines ``encode``, and ``posterior(x, labels)`` if it has one: mean and log variance, (N, D)
            each. Without it the variance of the codes is returned instead, by which unused dimensions are last too.
        data: Stored items (N, ...).
        labels: (N,) int64 of a conditional model.
    """
    if not callable(getattr(model, "posterior", None)):
        return encoded(model, data, labels).var(0)
    parts = _on_batches(model, "posterior", data, labels, always_labels=True)
    mu, logvar = (torch.cat(part) for part in zip(*parts, strict=True))
    return gaussian_kl(mu.reshape(-1, 1), logvar.reshape(-1, 1)).view_as(mu).mean(0)


def change(model: GenerativeModel, z: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return how much items change as each latent dimension goes from -3 to 3: (D,), a root mean square of 0 to 255.

    Args:
        model: One that defines ``decode``.
        z: Latents, (N, D), whose other dimensions stay.
        labels: (N,) int64 of a conditional model.
    """
    found = []
    for dimension in range(z.shape[1]):
        ends = torch.stack([z.clone(), z.clone()])
        ends[0, :, dimension], ends[1, :, dimension] = -LIMIT, LIMIT
        low, high = decoded(model, ends, None if labels is None else labels.expand(2, -1)).float().chunk(2)
        found.append((high - low).square().mean().sqrt())
    return torch.stack(found)


def _on_batches(
    model: GenerativeModel, method: str, data: Tensor, labels: Tensor | None, *, always_labels: bool = False
) -> list[Any]:
    found = []
    with torch.no_grad():
        for i, part in enumerate(data.split(BATCH_SIZE)):
            given = None if labels is None else labels[i * BATCH_SIZE :][: len(part)]
            arguments = (given,) if always_labels or given is not None else ()
            found.append(getattr(model, method)(to_model(part), *arguments))
    return found

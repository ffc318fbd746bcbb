"""Whether the gradients of an arithmetic are those of fp32."""

from __future__ import annotations

import statistics
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import PluginError

DRAWS = 7
"""Initial weights, each with a batch of its own, of which medians count. In single ones a gradient may nearly cancel
and be mostly rounding: in bf16 the cosine of sngan's discriminator on ring8 is below 0.99 for an eighth of them."""
MIN_COSINE = 0.99
"""With fp32's gradient. Medians in bf16 are above 0.997; inputs of products with 3 bits of mantissa instead of 7 bring
them below this, and the gradients of two batches are at 0.75 to 0.99."""
MAX_NORM_ERROR = 0.05
"""Of the gradient's norm, as a share of fp32's. Medians in bf16 err by less than 0.01; a scale that is a tenth off must
not pass."""


def agreement(draws: list[dict[str, Tensor]], reference: list[dict[str, Tensor]]) -> dict[str, dict[str, float]]:
    """Return the median cosine and ratio of norms of every player's gradients with those of the reference.

    Raises:
        PluginError: If a gradient is not finite.
    """
    found: dict[str, dict[str, float]] = {}
    for player in draws[0] if draws else ():
        cosines, norms = [], []
        for gradient, other in (
            (a[player].double(), b[player].double()) for a, b in zip(draws, reference, strict=True)
        ):
            if not gradient.isfinite().all():
                raise PluginError(f"the gradients of player {player!r} are not finite")
            same = torch.equal(gradient, other)  # also where both are zero
            cosines.append(1.0 if same else float(F.cosine_similarity(gradient, other, dim=0)))
            norms.append(1.0 if same else float(gradient.norm() / other.norm().clamp(min=1e-30)))
        found[player] = {"cosine": statistics.median(cosines), "norm": statistics.median(norms)}
    return found


def refusal(name: str, result: dict[str, Any]) -> str:
    """Return why a mode does not count for a model on a task, or "" if it does."""
    if "error" in result:
        return f"{name} fails: {result['error']}"
    for player, agreement in result["gradients"].items():
        whose = f"the gradients of the {player} of {name} have"
        if agreement["cosine"] < MIN_COSINE:
            return f"{whose} a cosine of {agreement['cosine']:.4f} with those of fp32 (at least {MIN_COSINE})"
        if abs(agreement["norm"] - 1) > MAX_NORM_ERROR:
            limits = f"{1 - MAX_NORM_ERROR} to {1 + MAX_NORM_ERROR}"
            return f"{whose} {agreement['norm']:.4f} times the norm of those in fp32 ({limits})"
    return ""

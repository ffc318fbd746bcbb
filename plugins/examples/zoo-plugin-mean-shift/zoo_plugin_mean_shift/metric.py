"""The first thing to look at when two distributions differ: their means."""

from __future__ import annotations

import zoo


def mean_shift(evaluation: zoo.Evaluation) -> dict[str, float]:
    """Return the root mean square, over features, of the difference of means in units of the real deviation."""
    shift = evaluation.features_generated.mean(0) - evaluation.features_real.mean(0)
    return {"mean_shift": float(shift.square().mean().sqrt())}

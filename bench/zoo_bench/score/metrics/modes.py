"""Mode coverage: which of the known modes a model generates, and in what shares."""

from __future__ import annotations

import statistics

import torch
from torch import Tensor

from zoo.evaluation import Evaluation

CAPTURED_SHARE = 0.1
HIGH_QUALITY_STDS = 3.0
MIN_POINTS = 10
"""Points of a mode from which its spread is estimated."""

SPREAD_STEPS = 20


def classes(evaluation: Evaluation) -> dict[str, float]:
    """Return mode coverage of a labelled task; the judge names the class of every generated item.

    A class counts as captured if its share among generated items is at least a tenth of its share among real ones, so
    that the judge's few mistakes do not capture a class that is not there. ``mode_kl`` is KL(generated || real) of the
    class shares in nats, as in Metz et al. 2017; ``mode_tv`` is half the sum of their absolute differences, 0 to 1. For
    real data the first is about (K - 1) / 2 (1 / m + 1 / n) with K classes, m generated and n real items.

    A class that the test split lacks can neither be captured nor missed, and is not in ``modes_total``. Items of it are
    in the shares all the same, and make ``mode_kl`` infinite.
    """
    total = evaluation.task.modes
    real, generated = shares(evaluation.modes_real, total), shares(evaluation.modes_generated, total)
    return {
        "modes_captured": int(((generated >= CAPTURED_SHARE * real) & (real > 0)).sum()),
        "modes_total": int((real > 0).sum()),
        **divergences(generated, real),
    }


def mixture(evaluation: Evaluation) -> dict[str, float]:
    """Return mode coverage of a mixture of Gaussians, by the protocol of VEEGAN (2017) and PacGAN (2018).

    A point is of high quality if it lies within three standard deviations of its nearest centre; a mode counts as
    captured with one such point; the shares of ``mode_kl`` and ``mode_tv`` are those of the high-quality points,
    against uniform, and missing if there are none.

    Perfect samples in two dimensions are 98.889 % of high quality: more means that modes have shrunk, which
    ``mode_spread`` shows. It is the median over captured modes of the standard deviation of the points that are nearest
    to their centre (:func:`spread`), over the true one: 1 is right, below it modes are too narrow, above it too wide.
    """
    truth = evaluation.task.mixture
    assert truth is not None
    offsets = evaluation.generated - truth.centres[evaluation.modes_generated]
    distance = offsets.double().norm(dim=1)
    good = distance <= HIGH_QUALITY_STDS * truth.std
    nearest = evaluation.modes_generated
    modes = nearest[good]
    counts = torch.bincount(modes, minlength=len(truth.centres))
    result = {
        "modes_captured": int((counts > 0).sum()),
        "modes_total": len(truth.centres),
        "high_quality": float(good.double().mean()),
    }
    if len(modes):
        uniform = torch.full((len(counts),), 1 / len(counts), dtype=torch.float64)
        result |= divergences(counts / counts.sum(), uniform)
    captured = [offsets[nearest == k].double() for k in range(len(counts)) if counts[k]]
    if spreads := [spread(points) for points in captured if len(points) >= MIN_POINTS]:
        result["mode_spread"] = statistics.median(spreads) / truth.std
    return result


def spread(points: Tensor) -> float:
    """Return the standard deviation of a coordinate of a round Gaussian, whatever lies far off it.

    It is first estimated by the median distance from the coordinates' medians, then twenty times by the points within
    three standard deviations of these, corrected for the cut (:func:`truncated_std`), as long as they are half of all.

    Args:
        points: (N, D) float64, more than half of them of the Gaussian.
    """
    from scipy.stats import chi2

    dimensions = points.shape[1]
    distance = (points - points.median(dim=0).values).norm(dim=1)
    found = float(distance.median()) / float(chi2.median(dimensions)) ** 0.5
    for _ in range(SPREAD_STEPS):
        within = points[distance <= HIGH_QUALITY_STDS * found]
        if 2 * len(within) < len(points):
            break
        found = float(within.var(dim=0).mean()) ** 0.5 / truncated_std(dimensions)
    return found


def shares(modes: Tensor, total: int) -> Tensor:
    """Return the share of each mode, (total,) float64."""
    return torch.bincount(modes, minlength=total).double() / len(modes)


def divergences(generated: Tensor, real: Tensor) -> dict[str, float]:
    """Return KL(generated || real) in nats and the total variation of two vectors of shares."""
    generated, real = generated.double(), real.double()
    return {
        "mode_kl": float(torch.special.xlogy(generated, generated / real).nansum()),
        "mode_tv": float(0.5 * (generated - real).abs().sum()),
    }


def truncated_std(dimensions: int) -> float:
    """Return one coordinate's standard deviation of N(0, I) cut off at radius 3.

    E[r^2 | r <= 3] / D, with r^2 chi-square of D degrees: P(D + 2) / P(D) at 9.
    """
    from scipy.stats import chi2

    edge = HIGH_QUALITY_STDS**2
    return float((chi2.cdf(edge, dimensions + 2) / chi2.cdf(edge, dimensions)) ** 0.5)

"""Mode coverage: which of the known modes a model generates, and in what shares."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.evaluation import Evaluation

CAPTURED_SHARE = 0.1
HIGH_QUALITY_STDS = 3.0


def classes(evaluation: Evaluation) -> dict[str, float]:
    """Return mode coverage of a labelled task; the judge names the class of every generated item.

    A class counts as captured if its share among generated items is at least a tenth of its share among real ones, so
    that the judge's few mistakes do not capture a class that is not there. ``mode_kl`` is KL(generated || real) of the
    class shares in nats, as in Metz et al. 2017; ``mode_tv`` is half the sum of their absolute differences, 0 to 1.
    """
    total = evaluation.task.modes
    real, generated = shares(evaluation.modes_real, total), shares(evaluation.modes_generated, total)
    return {
        "modes_captured": int((generated >= CAPTURED_SHARE * real).sum()),
        "modes_total": total,
        **divergences(generated, real),
    }


def mixture(evaluation: Evaluation) -> dict[str, float]:
    """Return mode coverage of a mixture of Gaussians, by the protocol of VEEGAN (2017) and PacGAN (2018).

    A point is of high quality if it lies within three standard deviations of its nearest centre; a mode counts as
    captured with one such point; the shares of ``mode_kl`` and ``mode_tv`` are those of the high-quality points,
    against uniform, and missing if there are none.

    Perfect samples in two dimensions are 98.889 % of high quality: more means that modes have shrunk, which
    ``mode_spread`` shows. It is the median over captured modes of the standard deviation of their high-quality points,
    over what that of perfect samples would be: 1 is right, below it modes are too narrow.
    """
    truth = evaluation.task.mixture
    assert truth is not None
    offsets = evaluation.generated - truth.centres[evaluation.modes_generated]
    distance = offsets.double().norm(dim=1)
    good = distance <= HIGH_QUALITY_STDS * truth.std
    modes = evaluation.modes_generated[good]
    counts = torch.bincount(modes, minlength=len(truth.centres))
    result = {
        "modes_captured": int((counts > 0).sum()),
        "modes_total": len(truth.centres),
        "high_quality": float(good.double().mean()),
    }
    if len(modes):
        uniform = torch.full((len(counts),), 1 / len(counts), dtype=torch.float64)
        result |= divergences(counts / counts.sum(), uniform)
    offsets_by_mode = [offsets[good][modes == k] for k in range(len(counts)) if counts[k] >= 10]
    if offsets_by_mode:
        spread = torch.stack([points.double().std(dim=0).mean() for points in offsets_by_mode]).median()
        result["mode_spread"] = float(spread / (truth.std * truncated_std(offsets.shape[1])))
    return result


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

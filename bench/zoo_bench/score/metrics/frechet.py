"""The Fréchet distance of two sets of features: fast, by torch-fidelity, without bias, and what chance alone gives."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from zoo_bench.core.frechet import frechet_distance

EXTRAPOLATION_SIZES = 15

MIN_SHARE = 0.2
"""Share of the items in the smallest of the sizes from which is extrapolated."""


def frechet_infinity(x: Tensor, y: Tensor) -> float:
    """Extrapolate the Fréchet distance to infinitely many samples (Chong & Forsyth 2020, FID_inf).

    The bias of FID goes with 1/N. It is computed at 15 evenly spaced sizes, and the intercept of a least-squares line
    in 1/N is returned. The paper shrinks the generated set only; here both shrink together, from all down to a fifth,
    so the bias from a small reference goes too. The spread grows by a third to two thirds.

    Args:
        x: (N, F) float64, N >= 10.
        y: (M, F) float64, M >= 10.
    """
    shares = np.linspace(MIN_SHARE, 1.0, EXTRAPOLATION_SIZES)
    values = [frechet_distance(_part(x, share), _part(y, share)) for share in shares]
    return float(np.polynomial.Polynomial.fit(1.0 / shares, values, 1)(0.0))


def _part(x: Tensor, share: float) -> Tensor:
    """Draw a share of the rows: for each share different ones, but the same ones from sets of equal length."""
    n = round(share * len(x))
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(n))[:n]]


EXTRACTOR = "genzoo-features"


def torch_fidelity_distance(x: Tensor, y: Tensor) -> float:
    """Return torch-fidelity's Fréchet distance between two sets of features, (N, F) and (M, F) float64.

    All relevant arguments are set explicitly, because torch-fidelity silently ignores those that it does not know.
    Its cache is off: the key holds no content hash.
    """
    import torch_fidelity

    _register_extractor()
    result = torch_fidelity.calculate_metrics(
        input1=_Rows(x),
        input2=_Rows(y),
        fid=True,
        feature_extractor=EXTRACTOR,
        batch_size=max(len(x), len(y)),
        cuda=False,
        save_cpu_ram=True,
        cache=False,
        verbose=False,
    )
    return float(result["frechet_inception_distance"])


def expected_null(features: Tensor, n: float, m: float) -> float:
    """Return E[FID] of ``n`` against ``m`` samples from one Gaussian with the covariance of ``features``.

    First order in 1/n and 1/m (delta method), with l the covariance's eigenvalues:
    (1/n + 1/m) (5/4 sum_i l_i + 1/2 sum_ij l_i l_j / (l_i + l_j)). It is too low where n or m is not far above the
    number of features. Infinitely many leave their part out.
    """
    eigenvalues = torch.linalg.eigvalsh(torch.cov(features.T)).clamp_min(0.0)
    pairs = eigenvalues[:, None] * eigenvalues / (eigenvalues[:, None] + eigenvalues).clamp_min(1e-300)
    return float((1 / n + 1 / m) * (1.25 * eigenvalues.sum() + 0.5 * pairs.sum()))


class _Rows(Dataset[Tensor]):
    """Features as a data set of bare tensors, the only in-memory form that torch-fidelity accepts."""

    def __init__(self, features: Tensor) -> None:
        self._features = features

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, index: int) -> Tensor:
        return self._features[index]


@cache
def _register_extractor() -> None:
    """Register an extractor that passes features through; names are unique per process, so only once."""
    from torch_fidelity import FeatureExtractorBase, register_feature_extractor

    class PassThrough(FeatureExtractorBase):  # type: ignore[misc]
        def __init__(self, name: str, features_list: list[str], **kwargs: object) -> None:
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return ("features",)

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "features"

        @staticmethod
        def can_be_compiled() -> bool:
            return False

        @staticmethod
        def get_dummy_input_for_compile() -> None:
            return None

        def forward(self, x: Tensor) -> tuple[Tensor]:
            return (x,)

    register_feature_extractor(EXTRACTOR, PassThrough)

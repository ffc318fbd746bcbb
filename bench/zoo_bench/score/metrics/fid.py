"""The Fréchet distance between generated and held-out real features, and its floor."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.utils.data import Dataset

from zoo.evaluation import Evaluation
from zoo_bench.score.metrics.inputs import check

EXTRACTOR = "genzoo-features"


def fid(evaluation: Evaluation) -> dict[str, float]:
    """Return ``fid`` and ``fid_floor``.

    ``fid`` is |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) of the judge's standardised features (Heusel et al.
    2017, equation 6), computed by torch-fidelity; 0 to infinity, lower is better. ``fid_floor`` is what two samples of
    these sizes from one Gaussian with the real covariance would score on average: no model can be told from real
    data below it.
    """
    generated, real = evaluation.features_generated, evaluation.features_real
    check(2, generated=generated, real=real)
    return {"fid": frechet_distance(generated, real), "fid_floor": expected_null(real, len(generated), len(real))}


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Return torch-fidelity's Fréchet distance between two sets of features, (N, F) and (M, F) float64.

    Every argument that torch-fidelity knows and that matters is set here, because it ignores unknown ones in silence.
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


def expected_null(features: Tensor, n: int, m: int) -> float:
    """Return E[FID] of ``n`` against ``m`` samples from one Gaussian with the covariance of ``features``.

    First order in 1/n and 1/m (delta method), with l the covariance's eigenvalues:
    (1/n + 1/m) (5/4 sum_i l_i + 1/2 sum_ij l_i l_j / (l_i + l_j)).
    """
    eigenvalues = torch.linalg.eigvalsh(torch.cov(features.T)).clamp_min(0.0)
    pairs = eigenvalues[:, None] * eigenvalues / (eigenvalues[:, None] + eigenvalues).clamp_min(1e-300)
    return float((1 / n + 1 / m) * (1.25 * eigenvalues.sum() + 0.5 * pairs.sum()))


class _Rows(Dataset[Tensor]):
    """Features as a data set of bare tensors, the only in-memory form that torch-fidelity takes."""

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

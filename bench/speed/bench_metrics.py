"""Metrics in turns with torch-fidelity and prdc, each side with as many threads as it takes by default.

pytest bench/speed/bench_metrics.py --benchmark-json metrics.json && python bench/speed/ratios.py metrics.json
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest
import torch
import torch_fidelity
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from zoo.evaluation import Evaluation
from zoo.task import Split, Task
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.frechet import EXTRACTOR, _register_extractor, _Rows
from zoo_bench.score.metrics.specs import METRICS

ITEMS, FEATURES = 10_000, 64
FRECHET_ITEMS, FRECHET_FEATURES = 1_000, 2_048
FEATURE_METRICS = [spec for spec in METRICS if "features" in spec.needs and spec.name != "panel"]  # of other judges


class PassThrough:
    name, sha256 = "pass-through", "0"

    def to(self, device: torch.device) -> PassThrough:
        return self

    def features(self, data: Tensor) -> Tensor:
        return data

    def modes(self, data: Tensor) -> None:
        return None


def features(seed: int, n: int, d: int) -> Tensor:
    mixing = torch.randn(d, d, generator=torch.Generator().manual_seed(d), dtype=torch.float64) / d**0.5
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) @ mixing


@cache
def sets() -> tuple[Tensor, Tensor, Tensor]:
    return features(0, ITEMS, FEATURES), features(1, ITEMS, FEATURES), features(2, ITEMS, FEATURES)


def evaluation() -> Evaluation:
    training, real, generated = sets()
    splits = [Split(data) for data in (training, real, real)]
    return Evaluation(Task(*splits, PassThrough(), modes=0, samples=ITEMS), generated)


def every_metric() -> Callable[[], None]:
    seen = evaluation()

    def loop() -> None:
        for spec in FEATURE_METRICS:
            spec.load()(seen)

    return loop


def of_others() -> Callable[[], None]:
    import prdc

    _, real, generated = sets()
    _register_extractor()

    def loop() -> None:
        torch_fidelity.calculate_metrics(
            input1=_Rows(generated), input2=_Rows(real), isc=True, fid=True, kid=True, prc=True,
            feature_extractor=EXTRACTOR, batch_size=ITEMS, cuda=False, save_cpu_ram=True, cache=False, verbose=False,
        )  # fmt: skip
        prdc.compute_prdc(real.numpy(), generated.numpy(), nearest_k=5)

    return loop


def distance() -> Callable[[], object]:
    return partial(frechet_distance, *(features(seed, FRECHET_ITEMS, FRECHET_FEATURES) for seed in (0, 1)))


def trace_term() -> Callable[[], object]:
    """Only the trace term of torch-fidelity: means and covariances are computed before."""
    moments = [fid_features_to_statistics(features(seed, FRECHET_ITEMS, FRECHET_FEATURES)) for seed in (0, 1)]
    return partial(fid_statistics_to_metric, *moments, verbose=False)


def test_whole_set(pair):
    pytest.importorskip("prdc")
    what = "whole set, 10k x 10k, 64 features"
    pair(every_metric, of_others, what=what, against="torch-fidelity and prdc", items=1)


def test_frechet(pair):
    what = "Fréchet distance, n = 1k, d = 2048"
    pair(distance, trace_term, what=what, against="torch-fidelity", items=1)


@pytest.mark.parametrize("spec", FEATURE_METRICS, ids=lambda spec: spec.name)
def test_one_metric(benchmark, spec):
    """Each metric on its own, including work that it shares with others; features are computed before."""
    benchmark.pedantic(spec.load(), setup=lambda: ((evaluation(),), {}), rounds=2)

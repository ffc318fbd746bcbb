"""Metrics side by side with torch-fidelity and prdc: ``pytest bench/speed/bench_metrics.py --benchmark-only``.

Each side uses as many threads as it does by default. Ratios of the fastest rounds are printed at the end, and are
errors if they fall below what is promised. Run it on a machine that does nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

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
MIN_SPEEDUPS = {"whole set, 10k x 10k, 64 features": 5.0, "Fréchet distance, n = 1k, d = 2048": 10.0}
WHOLE, FRECHET = MIN_SPEEDUPS
FEATURE_METRICS = [spec for spec in METRICS if "features" in spec.needs]


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


@pytest.fixture(scope="module")
def seconds(request) -> Iterator[dict[str, dict[str, float]]]:
    """Seconds of each comparison by side, "ours" or "theirs"; printed when all have run."""
    times: dict[str, dict[str, float]] = {name: {} for name in MIN_SPEEDUPS}
    yield times
    ratios = {name: t["theirs"] / t["ours"] for name, t in times.items() if len(t) == 2}
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        for name, ratio in ratios.items():
            t = times[name]
            print(f"\n{name}: {t['ours']:.3f} s against {t['theirs']:.3f} s, {ratio:.1f} times faster", end="")
    assert all(ratio >= MIN_SPEEDUPS[name] for name, ratio in ratios.items())


@pytest.fixture(scope="module")
def sets() -> tuple[Tensor, Tensor, Tensor]:
    return features(0, ITEMS, FEATURES), features(1, ITEMS, FEATURES), features(2, ITEMS, FEATURES)


def timed(benchmark, function, rounds: int) -> float:
    benchmark.pedantic(function, rounds=rounds)
    return benchmark.stats.stats.min


def every_metric(training: Tensor, real: Tensor, generated: Tensor) -> None:
    splits = [Split(data) for data in (training, real, real)]
    evaluation = Evaluation(Task(*splits, PassThrough(), modes=0, samples=ITEMS), generated)
    for spec in FEATURE_METRICS:
        spec.load()(evaluation)


@pytest.mark.benchmark(group=WHOLE)
def test_whole_set(benchmark, seconds, sets):
    seconds[WHOLE]["ours"] = timed(benchmark, lambda: every_metric(*sets), rounds=4)


@pytest.mark.benchmark(group=WHOLE)
def test_whole_set_of_torch_fidelity_and_prdc(benchmark, seconds, sets):
    prdc = pytest.importorskip("prdc")
    _, real, generated = sets
    _register_extractor()

    def theirs() -> None:
        torch_fidelity.calculate_metrics(
            input1=_Rows(generated), input2=_Rows(real), isc=True, fid=True, kid=True, prc=True,
            feature_extractor=EXTRACTOR, batch_size=ITEMS, cuda=False, save_cpu_ram=True, cache=False, verbose=False,
        )  # fmt: skip
        prdc.compute_prdc(real.numpy(), generated.numpy(), nearest_k=5)

    seconds[WHOLE]["theirs"] = timed(benchmark, theirs, rounds=2)


@pytest.mark.parametrize("spec", FEATURE_METRICS, ids=lambda spec: spec.name)
def test_one_metric(benchmark, sets, spec):
    """Each metric on its own, including work that it shares with others; features are computed before."""
    training, real, generated = sets
    metric = spec.load()

    def once() -> None:
        splits = [Split(data) for data in (training, real, real)]
        metric(Evaluation(Task(*splits, PassThrough(), modes=0, samples=ITEMS), generated))

    benchmark.pedantic(once, rounds=2)


@pytest.mark.benchmark(group=FRECHET)
def test_frechet(benchmark, seconds):
    x, y = features(0, FRECHET_ITEMS, FRECHET_FEATURES), features(1, FRECHET_ITEMS, FRECHET_FEATURES)
    seconds[FRECHET]["ours"] = timed(benchmark, lambda: frechet_distance(x, y), rounds=3)


@pytest.mark.benchmark(group=FRECHET)
def test_frechet_of_torch_fidelity(benchmark, seconds):
    """Only its trace term: means and covariances are computed before."""
    moments = [fid_features_to_statistics(features(seed, FRECHET_ITEMS, FRECHET_FEATURES)) for seed in (0, 1)]
    seconds[FRECHET]["theirs"] = timed(benchmark, lambda: fid_statistics_to_metric(*moments, verbose=False), rounds=2)

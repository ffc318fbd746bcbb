import numpy as np
import pytest
import torch
import torch_fidelity
from scipy.spatial.distance import cdist
from scipy.stats import binom

from zoo_bench.score.metrics.frechet import EXTRACTOR, _register_extractor, _Rows
from zoo_bench.score.metrics.neighbours import ball_scores, good_share, neighbours


def radius(x, k):
    return np.sort(cdist(x, x), axis=1)[:, k]


def by_definition(x, y):
    """The clipped scores before calibration, from whole distance matrices."""
    x, y = x.numpy(), y.numpy()
    r = radius(x, 5)
    clipped = np.minimum(r, np.median(r))[:, None]
    inside = cdist(x, x) <= clipped * (1 + 1e-9)
    np.fill_diagonal(inside, False)
    fidelity, own = (np.minimum(hits.sum(0) / 5, 1).mean() for hits in (cdist(x, y) <= clipped, inside))
    return min(1.0, fidelity / own), np.minimum((cdist(x, y) <= r[:, None]).sum(1) / 5, 1).mean()


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_precision_and_recall_are_torch_fidelitys(draw, shift):
    x, y = draw(0), draw(1, shift=shift)
    _register_extractor()
    expected = torch_fidelity.calculate_metrics(
        input1=_Rows(y), input2=_Rows(x), prc=True, feature_extractor=EXTRACTOR,
        cuda=False, save_cpu_ram=True, cache=False, verbose=False,
    )  # fmt: skip
    scores = ball_scores(x, y)
    assert scores["precision"] == pytest.approx(expected["precision"], abs=1e-6)
    assert scores["recall"] == pytest.approx(expected["recall"], abs=1e-6)


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_all_four_are_those_of_prdc(draw, shift):
    prdc = pytest.importorskip("prdc")
    x, y = draw(0), draw(1, shift=shift)
    three, five = (prdc.compute_prdc(x.numpy(), y.numpy(), nearest_k=k) for k in (3, 5))
    expected = {name: three[name] for name in ("precision", "recall")}
    expected |= {name: five[name] for name in ("density", "coverage")}
    scores = ball_scores(x, y)
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_clipped_scores_follow_their_definition(draw, shift):
    x, y = draw(0, 300), draw(1, 300, shift=shift)
    density, covered = by_definition(x, y)
    scores = ball_scores(x, y)
    assert scores["clipped_density"] == pytest.approx(density, abs=1e-12)
    assert scores["clipped_coverage"] == pytest.approx(good_share(covered, 300, 300), abs=1e-12)


def test_coverage_of_one_distribution_has_its_closed_form(draw):
    n, k = 500, 5
    expected = 1 - np.prod([(n - j) / (2 * n - j) for j in range(1, k + 1)])
    found = [ball_scores(draw(2 * s, n, 3), draw(2 * s + 1, n, 3))["coverage"] for s in range(15)]
    assert np.mean(found) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("n", "m"), [(400, 400), (200, 900)])
def test_good_share_inverts_the_expected_coverage(n, m):
    for share in (0.1, 0.5, 1.0):
        masses = np.random.default_rng(0).beta(5, n - 5, 100_000)
        hits = binom(round(share * m), masses).rvs(random_state=1)
        assert good_share(np.minimum(hits / 5, 1).mean(), n, m) == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize("good", [0.25, 0.5, 0.75])
def test_clipped_scores_are_the_share_of_good_samples(draw, good):
    n = 1000
    y = torch.cat([draw(1, round(good * n)), draw(2, n - round(good * n), shift=50.0)])
    scores = ball_scores(draw(0, n), y)
    assert scores["clipped_density"] == pytest.approx(good, abs=0.05)
    assert scores["clipped_coverage"] == pytest.approx(good, abs=0.05)


def test_a_collapsed_set_has_values(draw):
    x = draw(0)
    scores = ball_scores(x, x[:1].repeat(len(x), 1))
    assert scores["precision"] == 1.0
    assert scores["recall"] == 1 / len(x)
    assert 0 < scores["coverage"] < 0.1


def test_the_larger_set_is_cut_down(draw, evaluate):
    x, y = draw(0, 300), draw(1, 700)
    several = [neighbours(evaluate(x, x, y)), neighbours(evaluate(x, y, x)), ball_scores(x, y[:300])]
    assert several[0]["coverage"] == pytest.approx(several[2]["coverage"], abs=0.05)
    assert several[1]["coverage"] == pytest.approx(several[2]["coverage"], abs=0.05)

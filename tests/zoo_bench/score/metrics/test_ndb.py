import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import chi2_contingency
from sklearn.cluster import KMeans

from zoo_bench.score.metrics.cells import Cells
from zoo_bench.score.metrics.ndb import bin_scores, bins


def scores_of(training, real, generated):
    return bin_scores(Cells(training, bins(training, real, generated)), real, generated)


def by_scikit_learn_and_scipy(training, real, generated, k):
    centres = KMeans(k, n_init=1, random_state=0).fit(training.numpy()).cluster_centers_
    counts = [np.bincount(cdist(z.numpy(), centres).argmin(1), minlength=k) for z in (real, generated)]
    p, q = (c / c.sum() for c in counts)
    different = [
        chi2_contingency([[a, len(real) - a], [b, len(generated) - b]], correction=False).pvalue < 0.05
        for a, b in zip(*counts, strict=True)
        if a + b
    ]
    return {"ndb": sum(different) / k, "ndb_js": jensenshannon(p, q) ** 2}


@pytest.mark.parametrize("shift", [0.0, 0.3, 3.0])
@pytest.mark.parametrize(("n", "m", "k"), [(300, 500, 30), (2000, 1500, 100)])
def test_bins_tests_and_divergence_are_those_of_scikit_learn_and_scipy(draw, shift, n, m, k):
    training, real, generated = draw(0, 1000), draw(1, n), draw(2, m, shift=shift)
    expected = by_scikit_learn_and_scipy(training, real, generated, k)
    assert scores_of(training, real, generated) == pytest.approx(expected, rel=1e-9)


def test_one_distribution_differs_in_one_bin_of_twenty(draw):
    runs = [scores_of(draw(3 * s, 2000, 6), draw(3 * s + 1, 2000, 6), draw(3 * s + 2, 3000, 6)) for s in range(8)]
    assert np.mean([run["ndb"] for run in runs]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([run["ndb_js"] for run in runs]) == pytest.approx(99 / 8 * (1 / 2000 + 1 / 3000), rel=0.1)


def test_half_of_the_modes(draw):
    training, real = draw(0, 2000), draw(1, 1000)
    kept = real[real[:, 0] > real[:, 0].median()]
    assert scores_of(training, real, kept)["ndb"] > 0.4


def test_a_collapsed_set_has_values(draw):
    x = draw(0)
    scores = scores_of(x, x, x[:1].repeat(400, 1))
    assert scores["ndb_js"] == pytest.approx(np.log(2), abs=0.1)
    assert torch.tensor(scores["ndb"]) > 0.5

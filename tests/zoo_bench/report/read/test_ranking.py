import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zoo_bench.report.read.ranking import critical_difference, rank

# Demšar 2006, table 5a: q at 5 % for 2 to 10 classifiers.
TABULATED = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}


def scores(models=5, blocks=12, step=0.6, seed=0):
    drawn = np.random.default_rng(seed).normal(size=(blocks, models)) - step * np.arange(models)
    return pd.DataFrame(drawn, columns=[f"m{i}" for i in range(models)])


@pytest.mark.parametrize(("models", "q"), TABULATED.items())
def test_the_critical_difference_is_demsars(models, q):
    assert critical_difference(models, 14) == pytest.approx(q * math.sqrt(models * (models + 1) / (6 * 14)), rel=1e-3)


def test_ranks_and_friedmans_p_agree_with_scipy():
    frame = scores()
    found = rank(frame)
    expected = np.mean([stats.rankdata(-row) for row in frame.to_numpy()], axis=0)
    assert [found.ranks[name] for name in frame.columns] == pytest.approx(expected)
    assert list(found.ranks.values()) == sorted(found.ranks.values())
    assert found.p == pytest.approx(stats.friedmanchisquare(*frame.to_numpy().T).pvalue)


def nemenyi(frame):
    """Return the p-value of every pair; the import takes a second, so that only the process pays that needs it."""
    import scikit_posthocs

    return scikit_posthocs.posthoc_nemenyi_friedman(frame)


@pytest.mark.parametrize("seed", range(10))
def test_cliques_are_what_scikit_posthocs_does_not_separate(seed):
    frame = scores(seed=seed)
    found, p = rank(frame), nemenyi(frame)
    names = list(found.ranks)
    together = {(a, b) for clique in found.cliques for i, a in enumerate(clique) for b in clique[i + 1 :]}
    assert together == {(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if p.loc[a, b] >= 0.05}
    for clique in found.cliques:
        assert not any(set(clique) < set(other) for other in found.cliques)


def test_the_critical_difference_separates_exactly_what_nemenyi_separates():
    frame = scores()
    found, p = rank(frame), nemenyi(frame)
    for a, first in found.ranks.items():
        for b, second in found.ranks.items():
            if a != b:
                assert (abs(first - second) > found.critical_difference) == (p.loc[a, b] < 0.05)


def test_too_few_models_or_blocks_have_no_ranking():
    assert rank(scores(models=2)) is None
    assert rank(scores(blocks=1)) is None
    assert rank(scores(blocks=3).assign(m0=[1.0, math.nan, math.nan])) is None


def test_models_that_are_all_alike_are_not_separated():
    found = rank(pd.DataFrame(np.zeros((4, 3)), columns=list("abc")))
    assert set(found.ranks.values()) == {2.0}
    assert not found.p < 0.05
    assert found.cliques == [("a", "b", "c")]

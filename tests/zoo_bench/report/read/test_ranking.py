import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zoo_bench.report.read.ranking import critical_difference, rank

# Demšar 2006, table 5a: q at 5 % for 2 to 10 classifiers.
TABULATED = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}

# Demšar 2006, table 6: ranks of the AUC of four variants of C4.5 on 14 data sets.
DEMSARS_RANKS = pd.DataFrame(
    {
        "C4.5": [4, 1, 4, 4, 4, 1, 3, 2.5, 4, 2.5, 4, 3, 4, 3],
        "C4.5+m": [3, 2, 1, 1, 2, 2.5, 2, 2.5, 3, 2.5, 2.5, 2, 1, 1],
        "C4.5+cf": [2, 3, 2, 3, 3, 4, 4, 4, 2, 2.5, 1, 4, 2, 4],
        "C4.5+m+cf": [1, 4, 3, 2, 1, 2.5, 1, 1, 1, 2.5, 2.5, 1, 3, 2],
    }
)


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


@pytest.mark.parametrize("seed", range(10))
def test_cliques_are_what_the_tabulated_q_does_not_separate(seed):
    found = rank(scores(seed=seed))
    names = list(found.ranks)
    separated = TABULATED[5] * math.sqrt(5 * 6 / (6 * 12))
    together = {(a, b) for clique in found.cliques for i, a in enumerate(clique) for b in clique[i + 1 :]}
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    assert together == {(a, b) for a, b in pairs if found.ranks[b] - found.ranks[a] < separated}
    assert 0 < len(together) < len(pairs)
    for clique in found.cliques:
        assert not any(set(clique) < set(other) for other in found.cliques)


def test_demsars_example_has_his_ranks_and_his_verdicts(monkeypatch):
    at_5_percent = rank(-DEMSARS_RANKS)
    assert {name: round(value, 3) for name, value in at_5_percent.ranks.items()} == {
        "C4.5+m+cf": 1.964, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5": 3.143,
    }  # fmt: skip
    assert at_5_percent.p < 0.05
    assert round(at_5_percent.critical_difference, 2) == 1.25
    assert at_5_percent.cliques == [("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")]
    monkeypatch.setattr("zoo_bench.report.read.ranking.ALPHA", 0.10)
    at_10_percent = rank(-DEMSARS_RANKS)
    assert round(at_10_percent.critical_difference, 2) == 1.12
    assert at_10_percent.cliques == [("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5")]


def test_too_few_models_or_blocks_have_no_ranking():
    assert rank(scores(models=2)) is None
    assert rank(scores(blocks=1)) is None
    assert rank(scores(blocks=3).assign(m0=[1.0, math.nan, math.nan])) is None


def test_models_that_are_all_alike_are_not_separated():
    found = rank(pd.DataFrame(np.zeros((4, 3)), columns=list("abc")))
    assert set(found.ranks.values()) == {2.0}
    assert not found.p < 0.05
    assert found.cliques == [("a", "b", "c")]

"""Components of variance, against published figures, closed forms and SciPy."""

import math

import numpy as np
import pytest
from scipy import stats

from zoo_bench.report.read.variance import AXES, Components, deviation, share

# Table 2 of Shrout and Fleiss (1979): ratings of six targets by four judges. ICC(1) is .17 there; the interval is that
# of the function ICC of R's package psych 2.4.
RATINGS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def fids(deviations, bases=20, repeats=2, seed=0):
    """Return FIDs of an additive truth with these deviations of log FID."""
    generator = np.random.default_rng(seed)
    base = {axis: generator.normal(0, deviations[axis], bases) for axis in AXES}
    centre = sum(base.values())
    further = {axis: generator.normal(0, deviations[axis], (bases, repeats - 1)) for axis in AXES}
    return {
        axis: np.exp(np.column_stack([centre, (centre - base[axis])[:, None] + further[axis]])).tolist()
        for axis in AXES
    }


def chaotic(bases=20, repeats=2, seed=0):
    """Return FIDs of training in which every change of initialisation, order or noise draws another result."""
    generator = np.random.default_rng(seed)
    base = generator.normal(2, 0.2, (bases, 1))
    found = {axis: np.hstack([base, generator.normal(2, 0.2, (bases, repeats - 1))]) for axis in AXES}
    found["sampling"] = np.hstack([base, base + generator.normal(0, 0.01, (bases, repeats - 1))])
    return {axis: np.exp(found[axis]).tolist() for axis in AXES}


def test_a_share_is_one_minus_the_intraclass_correlation_of_shrout_and_fleiss():
    found = share(RATINGS)
    assert 1 - found.value == pytest.approx(0.17, abs=0.005)
    assert (1 - found.high, 1 - found.low) == pytest.approx((-0.13, 0.72), abs=0.005)


def test_a_deviation_is_that_of_scipy_with_the_interval_of_its_chi_square_distribution():
    values = np.random.default_rng(0).normal(size=12)
    found = deviation([values])
    assert found.value == pytest.approx(np.std(values, ddof=1))
    squares = 11 * found.value**2
    assert [squares / end**2 for end in (found.high, found.low)] == pytest.approx(stats.chi2(11).interval(0.95)[:2])


def test_groups_are_pooled_and_their_means_do_not_matter():
    values = np.random.default_rng(0).normal(size=(8, 3))
    found = deviation(values)
    assert found.value**2 == pytest.approx(np.var(values, axis=1, ddof=1).mean())
    moved = deviation(values + 100 * np.arange(8)[:, None])
    assert moved.value == pytest.approx(found.value)


def ishigami(x):
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def test_total_effects_are_those_of_ishigamis_function_in_closed_form_and_by_scipy():
    """The function has an interaction, so that total effects add up to more than the variance (Sobol 1993)."""
    first = (1 + 0.1 * math.pi**4 / 5) ** 2 / 2
    third = 0.01 * math.pi**8 * (1 / 18 - 1 / 50)
    closed = [first + third, 49 / 8, third]
    total = first + 49 / 8 + third
    uniform = stats.uniform(-math.pi, 2 * math.pi)
    indices = stats.sobol_indices(func=ishigami, n=2**14, dists=[uniform] * 3, rng=np.random.default_rng(0))
    assert indices.total_order == pytest.approx(np.array(closed) / total, abs=0.01)

    generator = np.random.default_rng(0)
    base = generator.uniform(-math.pi, math.pi, (3, 50_000))
    for axis, effect in enumerate(closed):
        changed = base.copy()
        changed[axis] = generator.uniform(-math.pi, math.pi, 50_000)
        values = np.column_stack([ishigami(base), ishigami(changed)])
        assert deviation(values).value ** 2 == pytest.approx(effect, rel=0.03)
        assert share(values).value == pytest.approx(effect / total, rel=0.03)
    assert deviation([ishigami(base)]).value ** 2 == pytest.approx(total, rel=0.03)


@pytest.mark.parametrize("groups", [[], [[1.0, 2.0]], [[1.0], [2.0]], [[1.0, 1.0], [1.0, 1.0]]])
def test_runs_that_do_not_suffice_for_a_share_have_none(groups):
    found = share(groups)
    assert all(math.isnan(end) for end in (found.value, found.low, found.high))


def test_an_axis_that_changes_nothing_has_no_share():
    found = share([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_one_value_has_no_deviation():
    assert math.isnan(deviation([[1.0]]).value)
    assert math.isnan(deviation([[]]).high)


def test_additive_axes_are_told_by_their_shares_and_do_not_interact():
    truth = {"initialisation": 0.3, "data": 0.02, "training": 0.02, "sampling": 0.02}
    components = Components.of(fids(truth, bases=40))
    found = {axis.axis: axis.share for axis in components.axes}
    assert found["initialisation"].low > 0.8
    assert all(found[axis].high < 0.05 for axis in ("data", "training", "sampling"))
    assert not components.interact
    text = " ".join(components.sentences())
    assert "Initialisation: at least" in text
    assert "Data order, training noise and sampling: each at most" in text
    assert "together" not in text


def test_chaos_is_said_in_words_and_sampling_is_told_from_it():
    components = Components.of(chaotic(bases=40))
    assert components.interact
    text = " ".join(components.sentences())
    assert "Initialisation, data order and training noise: each at least" in text
    assert "Sampling: at most" in text
    assert "Shares add up to" in text
    assert "no axis needs seeds of its own" in text


def test_widths_are_those_of_students_interval_with_the_total_deviation():
    components = Components.of(chaotic(bases=40))
    width = math.expm1(stats.t.ppf(0.975, 4) * components.total.value / math.sqrt(5))
    assert f"± {100 * width:.3g} % with 5 seeds" in " ".join(components.sentences())


def test_what_more_samples_could_bring_is_bounded_by_the_interval_of_sampling():
    truth = {"initialisation": 0.1, "data": 0.1, "training": 0.1, "sampling": 0.1}
    components = Components.of(fids(truth, bases=40))
    high = components.axes[-1].share.high
    assert f"by at most {100 * (1 - math.sqrt(1 - high)):.3g} %" in " ".join(components.sentences())


def test_an_interval_without_information_is_called_so():
    truth = {"initialisation": 0.1, "data": 0.1, "training": 0.1, "sampling": 0.1}
    components = Components.of(fids(truth, bases=5))
    sampling = components.axes[-1].share
    assert sampling.low < 0.25 < sampling.high
    assert "which these runs are too few to say" in " ".join(components.sentences())
    [sentence] = Components.of(fids(truth, bases=4)).sentences()
    assert sentence == "Bases that finished: 4. With fewer than 5, these intervals say next to nothing."


def test_runs_that_failed_are_counted_and_their_bases_left_out():
    found = chaotic(bases=10)
    whole = Components.of(found)
    found["training"][3][1] = math.nan
    components = Components.of(found)
    for axis, before in zip(components.axes, whole.axes, strict=True):
        assert (axis == before) == (axis.axis != "training")
    assert (components.axes[2].failed, components.axes[2].runs) == (1, 20)
    assert "1 of 20 runs of training noise failed" in next(components.sentences())
    rest = [[math.log(fid) for fid in group] for group in found["training"][:3] + found["training"][4:]]
    assert components.axes[2].share == share(rest)


def test_a_base_that_failed_is_missing_in_every_axis():
    found = chaotic(bases=10)
    for axis in AXES:
        found[axis][0] = [math.nan, math.nan if axis == "sampling" else found[axis][0][1]]
    components = Components.of(found)
    assert components.failed == 1
    assert [axis.failed for axis in components.axes] == [1, 1, 1, 2]
    assert components.total == deviation([[math.log(group[0]) for group in found["data"][1:]]])


def test_nothing_finished_is_said_without_an_error():
    components = Components.of({axis: [[math.nan, math.nan]] * 6 for axis in AXES})
    assert math.isnan(components.mean)
    assert list(components.sentences())[-1].startswith("Bases that finished: 0.")

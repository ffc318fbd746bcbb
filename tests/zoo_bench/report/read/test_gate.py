"""When a gate of ``zoo compare`` fails, and what it says."""

import math

import pytest

from zoo.columns import Column
from zoo.errors import UnknownNameError, ZooError
from zoo_bench.report.read.changes import Comparison, changes
from zoo_bench.report.read.claims import Model
from zoo_bench.report.read.gate import Gate, Limit, gates
from zoo_bench.report.read.statistics import t_interval

FID = Column("fid", "lower", "", scale="log")
MODES = Column("modes", "higher", "")
PARAMS = Column("params", "", "", group="size", cost=True)
FEW, SAME, MORE = [2.0, 2.1, 1.9, 2.05], [2.02, 2.11, 1.93, 2.01], [3.0, 3.1, 2.9, 3.05]


def comparison(a, b, column=FID, pair="gan", obstacle="", **of_b):
    """Compare two lists of values; keywords are fields of the model B."""

    def model(values, *, ok=None, **fields):
        finished, estimates = len(values) if ok is None else ok, {column.name: t_interval(values, log=column.log)}
        begun = finished + fields.get("failed", 0)
        return Model(pair, begun, finished, 0, {column.name: list(values)}, estimates, **fields)

    return Comparison({"task": "digits"}, pair, column, model(a), model(b, **of_b), obstacle)


def gate(limit, *compared, strict=False):
    """Return the first gate of some comparisons."""
    return gates([Limit.parse(limit)], changes(compared), strict=strict)[0]


@pytest.mark.parametrize("text", ["fid", "fid:5%", "fid:+", "fid:+x%", ":+5%", "fid:+5%%", ""])
def test_a_limit_of_another_form_is_refused(text):
    with pytest.raises(ZooError, match="not understood"):
        Limit.parse(text)


@pytest.mark.parametrize("text", ["fid:+5%", "modes_captured:-1", "fid:+0.3", "fid:+0%"])
def test_a_limit_is_written_as_it_was_read(text):
    assert str(Limit.parse(text)) == text


@pytest.mark.parametrize(
    ("limit", "b", "column", "passed", "strictly"),
    [("fid:+5%", MORE, FID, False, False), ("fid:+90%", MORE, FID, True, True), ("fid:-5%", MORE, FID, True, True),
     ("fid:+0%", SAME, FID, True, False), ("modes:+0.5", MORE, MODES, False, False),
     ("modes:-0.5", MORE, MODES, True, True)],
)  # fmt: skip
def test_it_fails_beyond_the_limit_if_the_seeds_separate_the_sides_or_it_is_strict(limit, b, column, passed, strictly):
    found = [gate(limit, comparison(FEW, b, column), strict=strict).passed for strict in (False, True)]
    assert found == [passed, strictly]


def test_it_says_the_change_its_p_value_and_what_the_seeds_would_have_shown():
    assert str(gate("fid:+5%", comparison(FEW, MORE))).startswith(
        "fid:+5%: gan on digits changed by +49.7 %, separable (p "
    )
    close = gate("fid:+0%", comparison(FEW, SAME))
    rise = 100 * (close.change.difference.detectable(0.05) - 1)
    ending = f"not separable (p 0.93); with 4 seeds about {rise:+.2g} % would have been shown with 80 % probability"
    assert str(close).endswith(ending)
    fall = gate("fid:-0%", comparison(FEW, SAME))
    assert f"about {100 * (1 / (1 + rise / 100) - 1):+.2g} % would" in str(fall)
    linear = gate("modes:-0", comparison(FEW, SAME[:3], MODES))
    assert f"with 4 and 3 seeds about {-linear.change.difference.detectable(0.05):+.2g} would" in str(linear)


def test_it_fails_where_fewer_runs_finish_however_good_these_are():
    found = gate("fid:+5%", comparison(FEW, FEW[:3], failed=1))
    assert (found.passed, str(found)) == (False, "fid:+5%: gan on digits: 3 of 4 runs finished in B, 4 of 4 in A")
    assert not gate("fid:+5%", comparison(FEW, FEW[:3], failed=1), strict=True).passed
    assert not gate("fid:+5%", comparison(FEW, [], failed=2)).passed


@pytest.mark.parametrize(
    ("compared", "reason", "strictly"),
    [
        (comparison([2.0], FEW), "one run says nothing about spread; run more seeds", True),
        (comparison(FEW, [2.0]), "one run says nothing about spread; run more seeds", True),
        (comparison(FEW, SAME, marks=("its samples are copies",)), "B is marked; --strict", True),
        (comparison(FEW, SAME, outside=True), "B was made elsewhere; --strict", True),
        (comparison(FEW, SAME[:3], ok=4), "some finished runs have no value; score them", True),
        (comparison(FEW, [], ok=4), "no finished run in B has a value; run it again or score", False),
        (comparison([], FEW), "no finished run in A has a value", False),
        (comparison(FEW, SAME, obstacle="judges or versions differ"), "judges or versions differ; measure both", False),
    ],
)
def test_what_cannot_be_judged_fails_with_the_reason_unless_the_estimate_decides(compared, reason, strictly):
    found = gate("fid:+5%", compared)
    assert not found.passed
    assert f"fid:+5%: gan on digits cannot be judged: {reason}" in str(found)
    assert reason.partition(";")[0].startswith("no finished run") == found.change.verdict.endswith("has a value")
    assert gate("fid:+5%", compared, strict=True).passed == strictly


def test_failed_runs_on_both_sides_cannot_be_judged():
    sides = [comparison(FEW[:3], SAME[:3], failed=1).b for _ in range(2)]
    found = gate("fid:+5%", Comparison({"task": "digits"}, "gan", FID, *sides))
    assert not found.passed
    assert "cannot be judged: A has failed runs; --strict" in str(found)


def test_a_change_without_any_spread_cannot_be_judged_by_few_seeds():
    """All modes lost in each of three runs must not pass, though no rank test of three against three is below 10 %."""
    lost = comparison([10.0] * 3, [0.0] * 3, MODES)
    assert "3 seeds without spread separate no change" in str(gate("modes:-1", lost))
    assert not gate("modes:-1", lost).passed
    assert gate("modes:-10", lost).passed
    assert "separable" in str(gate("modes:-1", comparison([10.0] * 4, [0.0] * 4, MODES)))


def added(*sides):
    """Compare two models to the first of which seeds were added, given by their values by seed."""
    a, b = (
        Model(
            "gan", len(runs), len(runs), 0, {"fid": [*runs.values()]}, {"fid": t_interval([*runs.values()], log=True)},
            seeds={"fid": [*runs]}, adaptive=adaptive,
        )
        for runs, adaptive in zip(sides, (True, False), strict=True)
    )  # fmt: skip
    return Comparison({"task": "digits"}, "gan", FID, a, b)


def test_where_seeds_were_added_a_gate_does_not_pass_for_want_of_a_look():
    """Other seeds of B must not pass whatever their values, because no p-value but 1 is possible."""
    elsewhere = added(dict(enumerate(FEW)), dict(enumerate([9 * v for v in FEW], start=4)))
    found = gate("fid:+5%", elsewhere)
    assert not found.passed
    assert "cannot be judged: --seeds auto needs seeds 0 to 3 of both; run these, or" in str(found)
    assert found.change.verdict == "needs seeds 0 to 3 of both"
    assert gate("fid:-5%", elsewhere).passed
    assert "separable (p " in str(gate("fid:+5%", added(dict(enumerate(FEW)), dict(enumerate(MORE)))))


def test_where_seeds_were_added_nothing_is_said_of_what_they_would_have_shown():
    close = added(dict(enumerate([*FEW, 2.2])), dict(enumerate([*SAME, 1.8])))
    found = gate("fid:+0%", close)
    assert str(found).endswith("not separable (p 1)")
    assert found.change.verdict == "not separable"
    assert found.change.seeds_needed is None
    assert math.isnan(found.change.row()["detectable"])


def test_two_seeds_are_said_to_show_hardly_anything():
    assert str(gate("fid:+0%", comparison(FEW[:2], SAME[:2]))).endswith("; 2 seeds show hardly any change")


def test_an_exact_value_is_the_same_whatever_the_number_of_runs():
    found = gate("params:+0%", comparison([1000.0] * 4, [1000.0] * 3, PARAMS))
    assert (found.passed, found.change.verdict, found.change.seeds_needed) == (True, "the same", None)


@pytest.mark.parametrize(("size", "passed"), [(2000.0, False), (1000.0, True), (1040.0, True)])
def test_an_exact_change_needs_no_second_run(size, passed):
    assert gate("params:+5%", comparison([1000.0], [size], PARAMS)).passed == passed


def test_metrics_share_the_level_and_exact_ones_take_no_share():
    compared = [comparison(FEW, MORE), comparison(FEW, MORE, MODES), comparison([9.0] * 4, [9.0] * 4, PARAMS)]
    limits = [Limit.parse(text) for text in ("fid:+5%", "fid:-5%", "fid:+5%", "modes:-1", "params:+0%")]
    found = gates(limits, changes(compared))
    assert [str(gate.limit) for gate in found] == ["fid:+5%", "fid:-5%", "modes:-1", "params:+0%"]
    assert {gate.level for gate in found} == {0.025}
    assert ", level 0.025)" in str(found[0])


def test_what_is_separable_at_5_percent_may_not_be_at_the_level_that_is_left():
    (change,) = changes([comparison(FEW, [2.3, 2.5, 2.1, 2.2])])
    assert 0.01 < change.p < 0.05
    found = [Gate(Limit.parse("fid:+5%"), change, level).passed for level in (0.05, 0.01)]
    assert found == [False, True]


def test_p_values_are_corrected_over_the_pairs_of_the_metric():
    alone = gate("fid:+5%", comparison(FEW, MORE))
    among = gate("fid:+5%", comparison(FEW, MORE), *(comparison(FEW, SAME, pair=f"{i}") for i in range(4)))
    assert among.change.p == pytest.approx(5 * alone.change.p)
    assert among.change.tests == 5
    assert not math.isnan(among.change.p)


def test_a_metric_that_no_pair_has_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown metric in --fail-if 'fit': did you mean 'fid'"):
        gate("fit:+5%", comparison(FEW, MORE))

"""Whether the judges of a panel agree."""

import pytest

from zoo.columns import Column
from zoo_bench.report.read.agreement import of_pairs, of_the_best
from zoo_bench.report.read.claims import Claims, Model
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.statistics import t_interval
from zoo_bench.report.read.summary import summarise, with_columns
from zoo_bench.store.tables import to_frame

SPREAD = (0.98, 1.0, 1.02)


@pytest.fixture
def claims():
    """Return the claims of models with these mean FIDs under each judge, three runs each."""

    def made(spread=SPREAD, **means):
        models, columns = [], next(iter(means.values()))
        for label, by_column in means.items():
            values = {c: [by_column[c] * share for share in spread] if c in by_column else [] for c in columns}
            estimates = {column: t_interval(row, log=True) for column, row in values.items()}
            models.append(Model(label, len(spread), len(spread), 0, values, estimates))
        return {column: Claims.of(models, Column(column, "lower", "", scale="log")) for column in columns}

    return made


def fids(own, twin, pixels):
    """Return FIDs by column."""
    return {"fid": own, "fid_twin": twin, "fid_pixels": pixels}


def test_where_all_judges_agree_it_is_said(claims):
    found = claims(a=fids(1, 10, 3), b=fids(2, 20, 6))
    assert of_the_best(found) == "It is lowest under 3 of 3 judges."
    assert of_pairs(found) == "1 pair of models is separable by FID, in the same order under all 3 judges."


def test_the_judge_that_disagrees_is_named_with_its_figures(claims):
    found = claims(vae=fids(13, 77, 3), sngan=fids(18, 20, 3.01))
    assert of_the_best(found) == "It is lowest under 2 of 3 judges; under the twin sngan is (20 against 77)."
    assert of_pairs(found) == (
        "1 pair of models is separable by FID; not all judges confirm vae before sngan (the reverse under the twin and "
        "not separable under the pixels)."
    )


def test_a_lead_that_is_not_separable_is_no_contradiction(claims):
    found = claims(a=fids(1, 10, 3), b=fids(2, 9.99, 6))
    assert of_the_best(found).endswith("under the twin b is (9.99 against 10), not separable from it.")
    assert "a before b (not separable, if anything the reverse under the twin)" in of_pairs(found)


@pytest.mark.parametrize(
    "found",
    [
        {"a": {"fid": 1}, "b": {"fid": 2}},
        {"a": fids(1, 1, 1)},
        {"spread": (1.0,), "a": fids(1, 1, 1), "b": fids(2, 2, 2)},
    ],
    ids=["one judge", "one model", "one run each"],
)
def test_where_there_is_nothing_to_compare_nothing_is_said(claims, found):
    assert of_the_best(claims(**found)) == of_pairs(claims(**found)) == ""


def test_many_doubtful_pairs_are_counted(claims):
    found = claims(**{f"m{i}": fids(2.0**i, 2.0**-i, 1.0 + i) for i in range(5)})
    assert of_pairs(found).startswith("10 pairs of models are separable by FID; not all judges confirm m0 before m1")
    assert of_pairs(found).endswith("and 6 more.")


def test_a_judge_that_has_not_seen_every_run_of_the_models_has_no_say(claims):
    """As where the runs of two folders, each with a twin of its own, are in one table."""
    found = claims(a=fids(1, 10, 3), b=fids(2, 20, 6), c={"fid": 4, "fid_pixels": 9})
    assert of_the_best(found) == "It is lowest under 2 of 2 judges."
    assert of_pairs(found) == "3 pairs of models are separable by FID, in the same order under both judges."


def test_judges_with_the_same_doubt_share_a_clause(claims):
    found = claims(a=fids(1, 10, 3), b=fids(2, 10.01, 3.01))
    assert of_pairs(found) == (
        "1 pair of models is separable by FID; not all judges confirm a before b (not separable under the twin and the "
        "pixels)."
    )


def test_what_is_claimed_depends_on_all_judges_whatever_columns_are_shown(make):
    values = {"a": fids(1, 10, 3), "b": fids(2, 5, 6)}
    records = [
        make.record(make.spec(model=model, seed=seed), metrics={c: v * (1 + 0.01 * seed) for c, v in row.items()})
        for model, row in values.items()
        for seed in range(3)
    ]
    (group,) = groups(to_frame(records))
    whole = summarise(group)
    (part,) = with_columns([whole], ["fid"])
    assert part.verdict() == whole.verdict()
    assert part.verdict().endswith("It is lowest under 2 of 3 judges; under the twin b is (5.05 against 10.1).")
    assert part.notes == whole.notes

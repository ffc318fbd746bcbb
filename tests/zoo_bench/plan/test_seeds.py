"""How training seeds are named."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ZooError
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.seeds import MAX_SEEDS, canonical, format_seeds, looks, parse_limit, parse_seeds

SEEDS = st.sets(st.integers(0, 30) | st.integers(0, 10**9), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (3, (0, 1, 2)), ("3", (0, 1, 2)), ("0,3,7", (0, 3, 7)), ("5-9", (5, 6, 7, 8, 9)), ("0,3,5-7", (0, 3, 5, 6, 7)),
        ("7-7", (7,)), ([7], (7,)), ([7, 0, 3], (0, 3, 7)), ((1, 1), (1,)), (range(2, 4), (2, 3)),
        ("4,2-4,3", (2, 3, 4)), (" 0, 3 ", (0, 3)), (str(MAX_SEEDS), tuple(range(MAX_SEEDS))),
    ],
)  # fmt: skip
def test_seeds_are_how_many_or_which(seeds, expected):
    assert parse_seeds(seeds) == expected


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [
        ("0", "--seeds must be at least 1, got 0"),
        (-1, "--seeds must be at least 1, got -1"),
        ("9-5", "--seeds '9-5': the range 9-5 ends before it starts"),
        ("1,,2", "--seeds '1,,2' is not understood"),
        ("x", "--seeds 'x' is not understood: write a count, as 3, or seeds and ranges, as 0,3,5-9, or auto"),
        ("auto:x", "--seeds 'auto:x' is not understood: write auto, or with a limit auto:20"),
        ("auto:", "--seeds 'auto:' is not understood: write auto, or with a limit auto:20"),
        ("auto:2", "--seeds 'auto:2': the limit must be from 4 to 10,000 seeds"),
        ("auto:-8", "--seeds 'auto:-8': the limit must be from 4 to 10,000 seeds"),
        ("auto:10001", "--seeds 'auto:10001': the limit must be from 4 to 10,000 seeds"),
        ("automatic", "--seeds 'automatic' is not understood"),
        ("1.5", "--seeds '1.5' is not understood"),
        ("", "--seeds '' is not understood"),
        ("٣", "--seeds '٣' is not understood"),
        ("9" * 20, "is not understood"),
        ([], r"--seeds \[\] is not understood"),
        ([0, -1], r"--seeds \[0, -1\] is not understood"),
        (1.5, "--seeds 1.5 is not understood"),
        (None, "--seeds None is not understood"),
        (True, "--seeds True is not understood"),
        (MAX_SEEDS + 1, "--seeds asks for 10,001 seeds, and a bench takes 10,000 at most"),
        ("0-999999999999", "--seeds asks for 1,000,000,000,000 seeds"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(seeds, sentence):
    with pytest.raises(ZooError, match=f"^{sentence}" if sentence.startswith("--") else sentence):
        BenchOptions(seeds=seeds)


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [([0], "1"), ([2, 0, 1], "3"), ([7], "7-7"), ([0, 3], "0,3"), ([0, 3, 5, 6, 7], "0,3,5-7"), ([1, 2], "1-2")],
)
def test_seeds_are_written_as_short_as_they_are_read(seeds, expected):
    assert format_seeds(seeds) == expected


@given(SEEDS)
def test_what_is_written_is_read_again(seeds):
    assert parse_seeds(format_seeds(seeds)) == parse_seeds(list(seeds)) == tuple(sorted(seeds))


@given(SEEDS, SEEDS)
def test_parts_of_a_list_are_its_union(some, others):
    text = ",".join(f"{seed}-{seed}" for seed in [*some, *others])
    assert set(parse_seeds(text)) == some | others


def test_a_plan_has_the_runs_of_these_seeds():
    runs = plan(BenchOptions(models="vae,gan", task="ring8", budget="1k", seeds="7,2-3")).runs
    assert [(run.model, run.seed) for run in runs] == [(m, s) for s in (2, 3, 7) for m in ("vae", "gan")]


@pytest.mark.parametrize(("seeds", "limit"), [("auto", 20), ("auto:4", 4), (" auto:30 ", 30), ("3", None), ([0], None)])
def test_auto_begins_with_four_seeds_and_has_a_limit(seeds, limit):
    assert parse_limit(seeds) == limit == BenchOptions(seeds=seeds).seed_limit
    assert not limit or parse_seeds(seeds) == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("seeds", "text"), [("auto:20", "auto"), ("auto", "auto"), ("auto:8", "auto:8"), ("0-2", "3"), ([7], "7-7")]
)
def test_the_canonical_text_is_read_as_the_same(seeds, text):
    assert canonical(seeds) == text
    assert (parse_limit(text), parse_seeds(text)) == (parse_limit(seeds), parse_seeds(seeds))


def test_looks_are_a_third_apart_and_their_shares_never_sum_to_more_than_one():
    found = looks()
    assert [n for n, _ in found[:10]] == [4, 6, 8, 11, 15, 20, 27, 36, 48, 64]
    assert all(n == math.ceil(4 * before / 3) for (before, _), (n, _) in pairwise(found))
    assert [share for _, share in found[:9]] == pytest.approx([0.15] * 6 + [0.05, 0.025, 0.0125])
    assert 0.99 < math.fsum(share for _, share in found) <= 1
    assert all(share > 0 for _, share in found)


@pytest.mark.parametrize(("limit", "last"), [(4, 4), (5, 4), (6, 6), (19, 15), (20, 20), (30, 27)])
def test_a_higher_limit_changes_no_earlier_look(limit, last):
    found = looks(limit)
    assert found == looks()[: len(found)]
    assert found[-1][0] == last

"""Small versions of the simulation behind docs/statistics.md."""

import runpy
from pathlib import Path

import pytest

SIMULATION = runpy.run_path(str(Path(__file__).parents[3] / "bench" / "simulations" / "claims.py"))


@pytest.mark.parametrize("n", [3, 10])
def test_intervals_cover_the_mean_as_often_as_they_say(n):
    assert SIMULATION["coverage"](n, skewed=False, benches=1000) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("skewed", [False, True])
def test_no_more_than_one_table_in_twenty_separates_equal_models(skewed):
    assert SIMULATION["family_wise_error"](5, skewed, benches=400) <= 0.05


def test_a_model_gains_nothing_by_diverging_where_it_would_finish_badly():
    finished, dropped, counted = (
        SIMULATION["claimed"](how, 5, 0.6, benches=300)[0] for how in ("finished", "dropped", "counted")
    )
    assert dropped > 0.8  # what a mean over the runs that finished would say
    assert counted <= finished + 0.02 < 0.1


def test_the_range_of_seeds_needed_holds_the_true_number():
    assert SIMULATION["seeds_needed"](5, 1.0, benches=200)["covered"] >= 0.9

"""A small version of the simulation of the expected best of n trials."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "bench" / "simulations" / "best_of_n.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("simulation_of_best_of_n", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", ["uniform", "log-normal", "a third good, the rest bad", "a quarter diverges"])
def test_the_estimate_is_unbiased_and_its_band_covers_where_others_do_not(script, case):
    found = script.simulate(case, draws=15, repeats=600)
    assert abs(found["bias"]) < 4 * found["standard error"]
    assert found["standard error"] < 0.03
    assert found["bias with replacement"] > 0.05
    assert found["band"] > 0.97
    assert found["bootstrap, all"] < 0.7
    assert found["apart, equal"] < 0.05
    assert found["apart, a fifth"] > 0.7


def test_the_truth_is_that_of_uniform_draws(script):
    survival, _ = script.CASES["uniform"]
    assert script.truth(survival, 12.0, 5) == pytest.approx([2 + 10 / (m + 1) for m in range(1, 6)], rel=1e-6)

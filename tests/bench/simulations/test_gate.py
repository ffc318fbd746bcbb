"""A small version of the simulation of gates."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[3] / "bench" / "simulations" / "gate.py"


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("simulation_gate", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("models", "metrics", "seeds"), [(6, 1, 3), (6, 1, 5), (3, 3, 5), (1, 1, 10)])
def test_without_any_change_at_most_5_percent_of_commands_fail(simulation, models, metrics, seeds):
    """By the estimate alone most commands of several models fail."""
    repeats = 200 if models > 1 else 1000
    found = [
        simulation.share_failing(repeats, models, seeds, metrics=metrics, strict=strict) for strict in (False, True)
    ]
    assert found[0] <= 0.05
    assert found[1] > (0.5 if models > 1 else 0.1)


@pytest.mark.parametrize(("models", "seeds"), [(1, 5), (1, 10), (6, 5)])
def test_a_gate_has_the_power_that_it_states(simulation, models, seeds):
    alpha = simulation.ALPHA / models
    measured = simulation.measured_rise(50_000, seeds, alpha)
    assert simulation.share_failing(400, models, seeds, rise=measured) == pytest.approx(0.8, abs=0.06)
    assert np.median(simulation.stated_rises(500, seeds, alpha)) == pytest.approx(measured, rel=0.1)

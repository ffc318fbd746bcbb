"""A small version of the simulation of components of variance."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from zoo_bench.report.read.variance import AXES

SCRIPT = Path(__file__).parents[3] / "bench" / "simulations" / "variance.py"


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("simulations_variance", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["additive, all alike", "chaotic: one interaction of all", "half and half"])
@pytest.mark.parametrize("size", [(5, 2), (10, 2), (6, 4)])
def test_intervals_hold_the_truth_as_often_as_they_say(simulation, name, size):
    truth = simulation.TRUTHS[name]
    for level, low, high in ((0.95, 0.93, 0.97), (0.90, 0.87, 0.93)):
        found = simulation.coverage(truth, size, studies=1500, level=level)
        assert all(low < found[what] < high for what in ("deviation", "share", "total")), found


def test_axes_are_said_to_act_together_where_they_do_and_hardly_ever_where_they_do_not(simulation):
    size = 10, 2
    assert simulation.interactions(simulation.TRUTHS["additive, all alike"], size, studies=300) < 0.05
    assert simulation.interactions(simulation.TRUTHS["chaotic: one interaction of all"], size, studies=300) > 0.9


def test_effects_are_drawn_with_the_variances_of_the_truth(simulation):
    truth = simulation.TRUTHS["chaotic training, 5 % sampling"]
    found = simulation.study(truth, (50_000, 2), np.random.default_rng(0))
    within = {axis: np.var(found[axis], axis=1, ddof=1).mean() for axis in AXES}
    assert [within[axis] for axis in AXES] == pytest.approx([0.95, 0.95, 0.95, 0.05], rel=0.03)
    assert np.var(found["data"][:, 0]) == pytest.approx(1, rel=0.03)
    assert all((found[axis][:, 0] == found["data"][:, 0]).all() for axis in AXES)

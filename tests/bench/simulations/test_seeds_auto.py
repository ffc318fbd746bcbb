"""A small version of the simulation of ``--seeds auto``, and whether it plays what the harness does."""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from zoo.columns import Column
from zoo_bench.plan.seeds import looks
from zoo_bench.report.read.claims import Claims, Model
from zoo_bench.report.read.statistics import t_interval

SCRIPT = Path(__file__).parents[3] / "bench" / "simulations" / "seeds_auto.py"
SCORE = Column("score", "lower", "")


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("simulation_seeds_auto", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def generator():
    return np.random.default_rng(1)


@pytest.mark.parametrize("draw", ["normal", "skewed"])
def test_of_equal_models_at_most_5_percent_have_a_winner(simulation, generator, draw):
    played = simulation.one_pair(0.0, 10_000, generator, getattr(simulation, draw))
    assert 0.005 < played.wrong.mean() < 0.05
    every_look = simulation.one_pair(0.0, 10_000, generator, schedule=[(n, 1.0) for n, _ in looks(20)])
    assert every_look.wrong.mean() > 0.1  # what a test does that knows nothing of the looks


def test_of_six_equal_models_at_most_5_percent_have_a_winner(simulation, generator):
    played = simulation.several_models([0.0] * 6, 2000, generator)
    assert played.wrong.any(1).mean() < 0.05


def test_at_two_standard_deviations_30_percent_fewer_runs_are_needed(simulation, generator):
    played = simulation.one_pair(2.0, 10_000, generator)
    assert played.separable.mean() > 0.999
    assert not played.wrong.any()
    assert played.seeds.mean() < 0.7 * simulation.fixed_seeds(2.0, 0.999)


def test_a_fixed_number_of_seeds_has_the_power_that_is_computed_of_it(simulation, generator):
    power = simulation.one_pair(1.0, 20_000, generator, schedule=[(13, 1.0)]).separable.mean()
    assert simulation.fixed_seeds(1.0, power) == pytest.approx(13, abs=0.3)
    many = simulation.several_models([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 1000, generator).separable.mean()
    assert 0.8 < many < 0.9
    assert math.isnan(simulation.fixed_seeds_of_many([0.0, 0.0], 0.5, 100, generator))


@pytest.mark.parametrize("difference", [0.0, 1.0, 2.0])
def test_intervals_cover_the_mean_about_as_often_as_they_say(simulation, generator, difference):
    played = simulation.one_pair(difference, 10_000, generator)
    assert 0.93 < played.covered.mean() < 0.965
    assert 0.92 < played.difference_covered.mean() < 0.97


def test_the_simulation_decides_as_tables_do(simulation, generator):
    """Benches of three models, played a second time with the models and claims of tables."""
    means, schedule = [0.0, 0.8, 2.0], looks(11)
    values = simulation.normal(generator, (60, 3, 11)) + np.array(means)[:, None]
    played = simulation.play(values, means, schedule)
    numbers = [n for n, _ in schedule]
    decisions = set()
    for bench, seeds, separable in zip(values, played.seeds, played.separable, strict=True):
        at = [numbers[0]] * 3
        for following in [*numbers[1:], None]:
            models = [model(str(i), bench[i, :n]) for i, n in enumerate(at)]
            claims = Claims.of(models, SCORE)
            pairs = [(0, 1), (0, 2), (1, 2)]
            found = [claims.is_separable(models[a], models[b]) for a, b in pairs]
            if following is None:
                break
            is_open = {i for pair, is_decided in zip(pairs, found, strict=True) if not is_decided for i in pair}
            at = [following if i in is_open else n for i, n in enumerate(at)]
        assert at == list(seeds)
        assert found == list(separable)
        decisions.add((tuple(at), tuple(found)))
    assert len(decisions) > 5


def model(label, values):
    """Make a model whose seeds were added until it was separable."""
    runs, estimates = list(map(float, values)), {"score": t_interval(values)}
    seeds = {"score": list(range(len(runs)))}
    return Model(label, len(runs), len(runs), 0, {"score": runs}, estimates, seeds=seeds, adaptive=True)

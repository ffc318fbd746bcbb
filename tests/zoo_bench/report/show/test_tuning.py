"""The picture of the expected best of n trials."""

import math

import pytest

from zoo_bench.report.read.best_of_n import best_of_n
from zoo_bench.report.show.tuning import tuning_curves


@pytest.mark.parametrize("default", [5.0, math.inf])
def test_a_curve_is_drawn_where_it_is_finite(default):
    curves = {"gan": best_of_n(default, [3.0, 4.0, 2.0]), "vae": best_of_n(math.inf, [math.inf])}
    assert tuning_curves("digits, 5k a run", curves).startswith(b"\x89PNG")

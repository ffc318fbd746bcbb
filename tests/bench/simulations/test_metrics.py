"""Small versions of the simulations of metrics."""

import importlib.util
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "bench" / "simulations"


def script(name):
    spec = importlib.util.spec_from_file_location(f"simulations_{name}", SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("duplicates", [0, 1, 10])
def test_perfect_data_have_a_support_as_rarely_as_the_level_says(duplicates):
    found = [script("support").found(None, duplicates, seed, n=200) for seed in range(400)]
    assert sum("support" in each for each in found) <= 0.025 * 400 + 3 * (400 * 0.025 * 0.975) ** 0.5


@pytest.mark.parametrize("duplicates", [0, 1, 10])
@pytest.mark.parametrize("size", [50, 200])
def test_supports_of_known_size_are_found_beside_duplicates(size, duplicates):
    found = [script("support").found(size, duplicates, seed, n=200) for seed in range(40)]
    assert sum("support" in each for each in found) >= 38
    assert sum(each["support_low"] <= size for each in found) >= 37
    inverse = [1 / each["support"] for each in found if "support" in each]
    assert sum(inverse) / len(inverse) == pytest.approx(1 / size, rel=0.1)


@pytest.mark.parametrize("features", [2, 8, 64])
def test_bases_make_shifts_exact_and_err_less_in_what_else_there_is(features):
    shift, ours, stretch, our_stretch = script("mind").errors(features)
    assert shift > 0.005
    assert ours < 1e-10
    assert our_stretch < 0.4 * stretch


@pytest.mark.parametrize(("k", "n", "m"), [(10, 600, 600), (10, 600, 2000), (50, 1000, 1000)])
def test_shares_of_real_data_differ_as_both_sides_sampling_makes_them(k, n, m):
    for mean, expected in script("modes").real_shares(k, n, m, repetitions=300):
        assert mean == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("true", [0.2, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("outliers", [0.0, 0.3])
def test_the_spread_of_modes_is_read_whatever_it_is(true, outliers):
    mean, _ = script("modes").read_spread(true, 300, outliers, repetitions=30)
    assert mean == pytest.approx(true, rel=0.05)

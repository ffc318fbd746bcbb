"""What holds for every metric whatever the features: each test draws sizes, widths and seeds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo import distances, evaluation
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.score.metrics.kid import kernel_distance
from zoo_bench.score.metrics.mind import sliced_distance
from zoo_bench.score.metrics.neighbours import ball_scores
from zoo_bench.score.metrics.specs import METRICS
from zoo_bench.score.metrics.vendi import vendi_score

OF_FEATURES = [spec for spec in METRICS if "features" in spec.needs and not spec.judge]
OF_MODES = [spec for spec in METRICS if spec.needs == ("modes",)]
IDENTITY = {
    "fid": 0, "fid_inf": 0, "mind": 0, "precision": 1, "recall": 1, "density": 1.2, "coverage": 1,
    "clipped_density": 1, "clipped_coverage": 1, "vendi": 1, "ndb": 0, "ndb_js": 0,
}  # fmt: skip
few = settings(max_examples=12, deadline=None, derandomize=True)
cases = given(seed=st.integers(0, 10**6), n=st.integers(60, 150), d=st.integers(2, 10), shift=st.floats(0, 1))


def scores(evaluated, metrics=OF_FEATURES):
    return {name: value for spec in metrics for name, value in spec.load()(evaluated).items()}


def grid(x):
    """Round so that float32 holds the values exactly even after 100 has been added."""
    return (x * 2**12).round() / 2**12


@pytest.fixture(scope="module")
def sets(draw):
    return lambda seed, n, d, shift: (draw(seed, 2 * n, d), draw(seed + 1, n, d), draw(seed + 2, n, d, shift))


@few
@cases
def test_identity(sets, evaluate, seed, n, d, shift):
    training, real, _ = sets(seed, n, d, shift)
    found = scores(evaluate(training, real, real))
    assert {name: found[name] for name in IDENTITY} == pytest.approx(IDENTITY, abs=1e-6)
    assert found["kid"] <= 0


@few
@cases
def test_copies_of_the_training_set(sets, evaluate, seed, n, d, shift):
    training, real, _ = sets(seed, n, d, shift)
    found = scores(evaluate(training[:n], real, training[:n]))
    assert found["fid_train"] == pytest.approx(0, abs=1e-6)
    assert found["authentic"] == 0
    assert found["ct"] < -3


@few
@cases
def test_the_order_of_items_does_not_matter(sets, evaluate, seed, n, d, shift):
    training, real, generated = sets(seed, n, d, shift)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    plain, permuted = (
        scores(evaluate(training, real, generated), OF_FEATURES + OF_MODES),
        scores(evaluate(training, real[order], generated[order]), OF_FEATURES + OF_MODES),
    )
    del plain["fid_inf"], permuted["fid_inf"]  # extrapolates from subsets
    assert permuted == pytest.approx(plain, rel=1e-6, abs=1e-9)


@few
@cases
def test_float32_features_at_mean_100_give_what_centred_float64_ones_do(sets, evaluate, seed, n, d, shift):
    plain = [grid(x) for x in sets(seed, n, d, shift)]
    shifted = [(x + 100).float() for x in plain]
    assert scores(evaluate(*shifted)) == pytest.approx(scores(evaluate(*plain)), rel=1e-6, abs=1e-9)


@few
@cases
def test_the_units_of_features_do_not_matter(sets, evaluate, seed, n, d, shift):
    plain = sets(seed, n, d, shift)
    units = 2.0 ** (torch.arange(d, dtype=torch.float64) % 3 - 5)
    assert scores(evaluate(*(x * units for x in plain))) == pytest.approx(scores(evaluate(*plain)), rel=1e-6, abs=1e-9)


ONE_IN_600 = torch.zeros(600, dtype=torch.float64).index_fill(0, torch.tensor([7]), 1e-3)
HALF = 1e-3 * (torch.arange(600) % 2).double()
NOISE = 1e-7 * torch.randn(600, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_feature_that_one_real_item_has_decides_nothing(evaluate, draw):
    """Divided by its own standard deviation, 4e-5, it made an FID of 0.11 278 and a KID of 0 26,091."""
    sets = [draw(seed, 600) for seed in range(3)]
    without = scores(evaluate(*sets))
    columns = zip(sets, (ONE_IN_600, ONE_IN_600, HALF), strict=True)
    found = scores(evaluate(*(torch.cat([x, column[:, None]], dim=1) for x, column in columns)))
    assert found["fid"] == pytest.approx(without["fid"], rel=1e-3)
    assert found["kid"] == pytest.approx(without["kid"], abs=0.001)
    assert found["mind"] == pytest.approx(without["mind"], rel=0.1)
    assert found["coverage"] == pytest.approx(without["coverage"], abs=0.01)


def test_a_feature_that_varies_by_rounding_counts_as_much_as_the_others(evaluate, draw):
    """Divided by its own standard deviation, 1e-7, it made an FID of 1e14 and a KID of 1e36 of any sign."""
    training, real, generated = (draw(seed, 600) for seed in range(3))
    wide = 1e7 * NOISE * real.std(dim=0).median()
    columns = zip((training, real, generated), (NOISE, NOISE, wide), strict=True)
    found = scores(evaluate(*(torch.cat([x, column[:, None]], dim=1) for x, column in columns)))
    assert found["fid"] == pytest.approx(1.0 + scores(evaluate(training, real, generated))["fid"], rel=0.1)
    assert 0 < found["kid"] < 1


@few
@cases
def test_batches_and_blocks_do_not_matter(sets, evaluate, seed, n, d, shift):
    plain = scores(evaluate(*sets(seed, n, d, shift)), OF_FEATURES + OF_MODES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "JUDGE_BATCH_SIZE", 17)
        patch.setattr(distances, "BLOCK_ENTRIES", 1)
        patch.setattr(distances, "MIN_BLOCK_ROWS", 5)
        assert scores(evaluate(*sets(seed, n, d, shift)), OF_FEATURES + OF_MODES) == pytest.approx(
            plain, rel=1e-6, abs=1e-9
        )


@few
@cases
def test_orthogonal_maps_keep_distances(sets, seed, n, d, shift):
    _, x, y = sets(seed, n, d, shift)
    turn = torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).Q
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(frechet_distance(x, y), rel=1e-7)
    assert kernel_distance(x @ turn, y @ turn) == pytest.approx(kernel_distance(x, y), rel=1e-7, abs=1e-9)
    assert ball_scores(x @ turn, y @ turn) == pytest.approx(ball_scores(x, y), abs=1e-9)
    assert vendi_score(x @ turn) == pytest.approx(vendi_score(x), rel=1e-7)
    assert sliced_distance(x @ turn, y @ turn) == pytest.approx(sliced_distance(x, y), rel=0.2)


@few
@cases
def test_symmetry(sets, seed, n, d, shift):
    _, x, y = sets(seed, n, d, shift)
    for distance in (frechet_distance, kernel_distance, sliced_distance):
        assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-7)
    forth, back = ball_scores(x, y), ball_scores(y, x)
    assert (forth["precision"], forth["recall"]) == (back["recall"], back["precision"])

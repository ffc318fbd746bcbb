import math
from datetime import UTC, datetime

import pytest

from zoo_bench.store.records import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "out")


@pytest.fixture
def records(make_record):
    """Records of all kinds: ok with extra metrics, diverged, and an error with awkward text."""
    return [
        make_record(
            {"model": "gan", "seed": 0}, images=640, rounds=10, updates=20, train_seconds=0.25, flops=123_456_789,
            params=123, contended=True, metrics={"fid": 12.5, "modes_captured": 9.0, "mode_kl": math.inf, "odd": 0.5},
            throughput={"train_images_per_s": 1e4 / 3},
        ),
        make_record(
            {"model": "gan", "seed": 1}, status="diverged", error="the loss of player 'left' is nan", images=640,
            losses={"left": math.nan}, started_at=datetime(2025, 1, 2, 3, 4, 5, 0, UTC),
        ),
        make_record({"model": "vae"}, status="error", error='ValueError: a, "b"\nc;  d'),
    ]  # fmt: skip

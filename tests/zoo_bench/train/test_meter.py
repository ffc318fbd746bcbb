from types import SimpleNamespace

import pytest

from zoo_bench.core.budget import Budget
from zoo_bench.train import meter as module
from zoo_bench.train.meter import Meter


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=100.0, cpu=7.0, thread=1.0)
    monkeypatch.setattr(module, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(module, "process_time", lambda: clock.cpu)
    monkeypatch.setattr(module, "thread_time", lambda: clock.thread)
    return clock


def test_the_meter_counts_time_only_while_its_clock_runs(clock):
    meter = Meter()
    assert meter.seconds == 0.0
    clock.now += 5
    meter.start()
    clock.now += 2
    clock.cpu += 4
    clock.thread += 1.5
    assert (meter.seconds, meter.cpu_seconds, meter.thread_seconds) == (2.0, 4.0, 1.5)
    meter.stop()
    clock.now += 10
    clock.cpu += 20
    clock.thread += 10
    assert (meter.seconds, meter.cpu_seconds, meter.thread_seconds) == (2.0, 4.0, 1.5)
    meter.start()
    clock.now += 1
    clock.cpu += 2
    clock.thread += 0.5
    meter.stop()
    assert (meter.seconds, meter.cpu_seconds, meter.thread_seconds) == (3.0, 6.0, 2.0)


def test_the_share_is_that_of_the_limit_nearest_to_its_end(clock):
    meter = Meter(images=50, rounds=5, flops=10**9)
    meter.start()
    clock.now += 3
    assert meter.share(Budget(images=100)) == 0.5
    assert meter.share(Budget(images=100, rounds=20)) == 0.5
    assert meter.share(Budget(images=100, rounds=8)) == 0.625
    assert meter.share(Budget(images=100, seconds=4)) == 0.75
    assert meter.share(Budget(images=100, seconds=4, flops=5e8)) == 2.0


def test_a_limit_that_is_reached_exactly_is_spent():
    assert Meter(images=640).share(Budget(images=640)) == 1.0

import sys
from types import SimpleNamespace

import psutil
import torch

import zoo
from zoo_bench.run import speed


def test_speeds_are_those_of_samples_and_sampling_is_in_eval_mode(monkeypatch):
    class Slow(zoo.GenerativeModel):
        """One hundredth of a second per item, on a clock of its own."""

        def sample(self, n):
            nonlocal now
            modes.add((self.training, torch.is_grad_enabled()))
            now += 0.01 * n
            return torch.zeros(n, 2)

    now, modes = 0.0, set()
    monkeypatch.setattr(speed, "perf_counter", lambda: now)
    model = Slow((2,), zoo.ModelConfig())
    model.weight = torch.nn.Parameter(torch.zeros(1))
    speeds = speed.sampling(model)
    assert round(speeds["sample_images_per_s"], 6) == 100.0
    assert round(speeds["sample_latency_ms"], 6) == 10.0
    assert modes == {(False, False)}


def test_peak_memory_is_at_least_what_is_used_now():
    assert speed.peak_memory_mb(torch.device("cpu")) >= 0.9 * psutil.Process().memory_info().rss / 1e6


def test_on_windows_the_peak_is_that_of_the_working_set(monkeypatch):
    process = SimpleNamespace(memory_info=lambda: SimpleNamespace(peak_wset=5_000_000))
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(psutil, "Process", lambda: process)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert speed.peak_memory_mb(torch.device("cpu")) == 5.0

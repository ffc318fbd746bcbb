"""Data larger than memory: gathered from where they are, in the same order."""

import psutil
import torch

from zoo_bench.data import stream as module
from zoo_bench.data.stream import Items, Stream

CPU = torch.device("cpu")


def test_small_data_are_resident_and_large_stay_where_they_are(monkeypatch):
    data = torch.arange(1000)
    assert Items(data, CPU).resident
    monkeypatch.setattr(module, "RESIDENT_SHARE", data.nbytes / psutil.virtual_memory().total / 2)
    large = Items(data, CPU)
    assert not large.resident
    assert len(large) == 1000
    assert large[torch.tensor([5, 3])].tolist() == [5, 3]


def test_the_order_does_not_depend_on_where_data_are(monkeypatch):
    data = torch.randint(0, 256, (50, 3, 4, 4), dtype=torch.uint8)
    resident = Stream(data, 1, CPU)
    monkeypatch.setattr(module, "RESIDENT_SHARE", 0.0)
    streamed = Stream(data, 1, CPU)
    assert all(torch.equal(resident.next(8), streamed.next(8)) for _ in range(20))

from types import SimpleNamespace

import psutil
import pytest
import torch

from zoo_bench.data import stream as module
from zoo_bench.data.stream import Items, Stream

CPU = torch.device("cpu")


def drawn(seed: int, sizes: list[int], items: int = 10) -> torch.Tensor:
    stream = Stream(torch.arange(items), seed, CPU)
    return torch.cat([stream.indices(n) for n in sizes])


def test_every_epoch_is_a_permutation_of_the_data():
    for epoch in drawn(0, [10, 10, 10]).split(10):
        assert sorted(epoch.tolist()) == list(range(10))


def test_epochs_differ():
    first, second = drawn(0, [100, 100], items=100).split(100)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("sizes", [[1] * 30, [7, 7, 7, 7, 2], [30], [10, 20], [3, 27]])
def test_batch_sizes_only_cut_one_sequence(sizes):
    assert torch.equal(drawn(3, sizes), drawn(3, [5] * 6))


def test_a_batch_may_be_larger_than_the_data():
    assert len(drawn(0, [25])) == 25


def test_seeds_give_different_orders():
    orders = {tuple(drawn(seed, [50], items=50).tolist()) for seed in range(10)}
    assert len(orders) == 10


@pytest.mark.parametrize(("share", "resident"), [(1.0, True), (0.5, False)])
def test_a_run_plans_with_its_share_of_a_gpu(monkeypatch, share, resident):
    data = SimpleNamespace(nbytes=100, to=lambda device: data)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=400))
    assert Items(data, torch.device("cuda"), gpu_share=share).resident == resident


def test_the_order_does_not_depend_on_the_global_generator():
    torch.manual_seed(0)
    first = drawn(0, [30])
    torch.manual_seed(1)
    assert torch.equal(drawn(0, [30]), first)
    torch.manual_seed(1)
    undisturbed = torch.rand(3)
    torch.manual_seed(1)
    drawn(0, [30])
    assert torch.equal(torch.rand(3), undisturbed)


def test_images_reach_the_model_as_floats_from_minus_one_to_one():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1).expand(3, 1, 4, 4).contiguous()
    batch = Stream(images, 0, CPU).next(3)
    assert batch.dtype == torch.float32
    assert batch.shape == (3, 1, 4, 4)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert batch[:, 0, 0, 0].sort().values == pytest.approx([-1.0, -0.6, 1.0])


def test_a_batch_holds_the_items_of_its_indices():
    images = torch.arange(12, dtype=torch.uint8).reshape(12, 1, 1, 1)
    batch, same = Stream(images, 5, CPU).next(7), Stream(images, 5, CPU).indices(7)
    assert torch.allclose(batch.flatten().add(1).mul(127.5), same.float(), atol=1e-4)


def test_points_reach_the_model_as_they_are():
    points = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    stream, same = Stream(points, 1, CPU), Stream(points, 1, CPU)
    assert torch.equal(stream.next(20), points[same.indices(20)])


def test_batches_do_not_share_memory_with_the_data():
    points = torch.ones(4, 2)
    Stream(points, 0, CPU).next(4).zero_()
    assert torch.equal(points, torch.ones(4, 2))


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

import os

import psutil
import pytest

from zoo.errors import ZooError
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.resources import Resources, share_machine, share_this_machine, visible_gpus

GIB = 2**30


@pytest.mark.parametrize(
    ("budget", "workers", "threads", "expected"),
    [
        ("640", None, None, (4, 1)),
        ("640", 2, None, (2, 2)),
        ("640", None, 2, (2, 2)),
        ("640", 3, None, (3, 1)),
        ("640", 8, None, (8, 1)),
        ("640", None, 8, (1, 8)),
        ("640", 3, 3, (3, 3)),
        ("90s", None, None, (1, 4)),
        ("640,90s", None, None, (1, 4)),
        ("90s", 2, None, (2, 2)),
        ("90s", None, 1, (1, 1)),
    ],
)
def test_cores_and_memory_are_shared_and_a_run_against_the_clock_is_alone(
    monkeypatch, make_spec, budget, workers, threads, expected
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    specs = [make_spec(budget=budget, seed=seed, threads=None) for seed in range(9)]
    slots = share_this_machine(specs, workers, threads)
    assert (len(slots), slots[0].threads) == expected
    assert {s.contended for s in slots} == {expected[0] > 1}
    assert sum(s.memory for s in slots) <= psutil.virtual_memory().total < sum(s.memory for s in slots) + len(slots)


def test_a_single_run_is_not_contended_however_many_could_run(make_spec):
    slots = share_machine([make_spec()], 4, 1, cores=4, memory=GIB, gpus=[])
    assert not any(slot.contended for slot in slots)


@pytest.mark.parametrize(
    ("asked", "workers", "threads", "expected"),
    [([2, 2], None, None, (2, 2)), ([3, 1], None, None, (1, 3)), ([2, 2], 1, None, (1, 2)), ([2, 2], None, 1, (4, 1))],
)
def test_runs_have_the_threads_of_their_specs_unless_others_are_given(make_spec, asked, workers, threads, expected):
    specs = [make_spec(threads=number) for number in asked]
    slots = share_machine(specs, workers, threads, cores=4, memory=GIB, gpus=[])
    assert (len(slots), slots[0].threads) == expected


@pytest.mark.parametrize(
    ("workers", "gpus", "shares"),
    [
        (None, ["2", "5"], [1, 1]),
        (1, ["2"], [1]),
        (3, ["2", "5", "2"], [1 / 2, 1, 1 / 2]),
        (4, ["2", "5", "2", "5"], [1 / 2] * 4),
    ],
    ids=["one each", "one", "one is shared", "both are shared"],
)
def test_runs_are_spread_over_gpus_and_share_their_memory(make_spec, workers, gpus, shares):
    specs = [make_spec(device="cuda", seed=seed, threads=None) for seed in range(4)]
    slots = share_machine(specs, workers, None, cores=8, memory=8 * GIB, gpus=["2", "5"])
    n = len(gpus)
    assert slots == [Resources(8 // n, n > 1, 8 * GIB // n, *own) for own in zip(gpus, shares, strict=True)]


def test_fewer_runs_than_workers_leave_a_gpu_to_fewer(make_spec):
    specs = [make_spec(device="cuda", seed=seed, threads=None) for seed in range(3)]
    slots = share_machine(specs, 8, None, cores=8, memory=GIB, gpus=["0"])
    assert {(slot.gpu, slot.gpu_share, slot.contended) for slot in slots} == {("0", 1 / 3, True)}


@pytest.mark.parametrize(
    ("number", "visible", "expected"),
    [
        (2, None, ["0", "1"]),
        (1, "3", ["3"]),
        (2, "2, 3", ["2", "3"]),
        (2, "3,1,-1,0", ["3", "1"]),
        (1, "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", ["GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"]),
        (1, "MIG-GPU-8932f937/1/2", ["MIG-GPU-8932f937/1/2"]),
        (0, "", []),
        (0, "-1", []),
    ],
)
def test_the_gpus_of_runs_are_those_that_the_user_left_visible(monkeypatch, make_spec, number, visible, expected):
    assert visible_gpus(number, visible) == expected
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr("torch.cuda.device_count", lambda: number)
    slots = share_this_machine([make_spec(device="cuda", seed=seed) for seed in range(4)], None, 1)
    assert [slot.gpu for slot in slots if slot.gpu] == expected


def test_gpus_are_left_alone_by_runs_on_the_cpu(make_spec):
    slots = share_machine([make_spec()] * 2, None, None, cores=2, memory=GIB, gpus=["0", "1"])
    assert {(slot.gpu, slot.gpu_share) for slot in slots} == {(None, 1.0)}


@pytest.mark.parametrize(("workers", "threads", "name"), [(0, None, "workers"), (-1, 2, "workers"), (2, 0, "threads")])
def test_less_than_one_worker_or_thread_is_refused(workers, threads, name):
    with pytest.raises(ZooError, match=f"--{name} must be at least 1"):
        BenchOptions(workers=workers, threads=threads)

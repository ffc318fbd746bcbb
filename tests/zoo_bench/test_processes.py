import os
import subprocess
import sys

import pytest

from zoo.errors import ZooError
from zoo_bench.processes import apart, keep_memory

ROUNDS = """
import resource
import sys

import torch

from zoo_bench.processes import keep_memory

torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_memory()


def play():
    return float(torch.ones(12 * 2**20).sum())  # 48 MB: from 32 MB on, glibc's own threshold never adapts


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


for _ in range(5):
    play()
counts = []
for _ in range(10):
    before = faults()
    play()
    counts.append(faults() - before)
print(min(counts))  # the least, because the kernel may take pages from a process at any time
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_a_round_takes_no_new_pages_if_the_process_keeps_its_memory():
    usual, kept = (
        int(subprocess.run([sys.executable, "-c", ROUNDS, how], check=True, capture_output=True, text=True).stdout)
        for how in ("usual", "keep")
    )
    assert usual > 10_000
    assert kept < usual / 20


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    keep_memory()


def test_a_call_apart_returns_what_it_returns_and_raises_what_it_raises():
    assert apart(divmod, 7, 2) == (3, 1)
    assert apart(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        apart(divmod, 7, 0)


def test_a_call_apart_that_ends_its_process_is_one_sentence():
    with pytest.raises(ZooError, match=r"^its process ended before it had a result$"):
        apart(os._exit, 3)


def test_a_run_has_no_named_semaphore_that_it_could_leave_behind():
    """tqdm, which torch-fidelity uses, would make one as soon as it is asked for a bar, shown or not."""
    script = """
import multiprocessing.resource_tracker as tracker
import zoo_bench.preload

tracker.register = lambda name, kind: print(kind)
import multiprocessing
multiprocessing.set_start_method("forkserver")
import tqdm
tqdm.tqdm([], disable=True)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == ""

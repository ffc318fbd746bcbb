import subprocess
import sys

import pytest

from zoo_bench.processes import keep_memory

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

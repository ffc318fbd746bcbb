import subprocess
import sys

import pytest

from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.processes import keep_freed_memory

ROUNDS = """
import resource
import sys

from zoo_bench.core.processes import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()


def play():
    return len(b"x" * (48 * 2**20))  # 48 MB: from 32 MB on, glibc's own threshold never adapts


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
    keep_freed_memory()


def test_a_run_has_no_named_semaphore_that_it_could_leave_behind():
    """tqdm, which torch-fidelity uses, would make one as soon as it is asked for a bar, shown or not."""
    script = """
import multiprocessing.resource_tracker as tracker
import multiprocessing

made = []
tracker.register = lambda name, kind: made.append(kind)
multiprocessing.set_start_method("forkserver", force=True)
import tqdm
tqdm.tqdm([], disable=True)
assert not made, made
"""
    run_in_subprocess(exec, script, {}, timeout=60.0)

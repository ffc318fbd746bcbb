import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
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


FORK_SERVER_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the fork server")
APART = "from zoo_bench.core.children import run_in_subprocess; print(run_in_subprocess(divmod, 7, 2, timeout=60.0))"

ASK = """
import zoo


def imported():
    return zoo.__file__
"""


def printed(script, **environment):
    """Return what a new process prints."""
    return subprocess.run(
        [sys.executable, "-c", script], env=os.environ | environment, capture_output=True, text=True, timeout=120
    ).stdout.strip()


@FORK_SERVER_ONLY
def test_a_long_path_of_the_temporary_folder_is_no_hindrance(tmp_path):
    folder = tmp_path / ("x" * 80)
    folder.mkdir()
    script = APART + "; import tempfile; print(tempfile.gettempdir())"
    assert printed(script, TMPDIR=str(folder)).splitlines() == ["(3, 1)", str(folder)]
    assert list(folder.glob("pymp-*")) == []


@FORK_SERVER_ONLY
def test_too_few_open_files_are_one_sentence():
    script = """
import os
import resource

from zoo.errors import ZooError
from zoo_bench.core.children import run_in_subprocess
from zoo_bench.core.processes import warm_up

warm_up()
limit = max(map(int, os.listdir("/proc/self/fd"))) + 4  # enough for a pipe, not for a process
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
try:
    run_in_subprocess(divmod, 7, 2, timeout=60.0)
except ZooError as error:
    print(error)
"""
    sentence = "a process cannot be started: Too many open files: give fewer --workers, or see the limits that"
    assert printed(script) == f"{sentence} `zoo doctor` shows"


def in_a_worker(executor):
    """Return what a call apart returns, or what is wrong with it, in a worker of a pool."""
    return printed(
        f"""
import concurrent.futures
import multiprocessing

from zoo.errors import ZooError
from zoo_bench.core.children import run_in_subprocess


def call(number):
    try:
        return run_in_subprocess(divmod, number, 2, timeout=60.0)
    except ZooError as error:
        return str(error)


fork = multiprocessing.get_context("fork")
with {executor} as pool:
    print(*pool.map(call, [7]))
"""
    )


@FORK_SERVER_ONLY
def test_a_worker_of_a_pool_that_may_start_no_process_is_told_of_one_that_may():
    assert in_a_worker("fork.Pool(1)").startswith("this is a worker of multiprocessing.Pool")
    assert "concurrent.futures.ProcessPoolExecutor" in in_a_worker("fork.Pool(1)")
    assert in_a_worker("concurrent.futures.ProcessPoolExecutor(1, mp_context=fork)") == "(3, 1)"


@FORK_SERVER_ONLY
def test_what_lies_in_the_current_folder_is_not_imported_in_place_of_what_is_installed(tmp_path):
    """The fork server is a Python of its own, which would look there first."""
    shutil.copytree(Path(zoo.__file__).parent, tmp_path / "zoo")
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "ask.py").write_text(ASK)
    command = [sys.executable, tmp_path / "apart" / "script.py"]  # as a console script, which has its own folder first
    command[1].write_text(f"import ask; {APART.replace('divmod, 7, 2', 'ask.imported')}")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == zoo.__file__, done.stderr

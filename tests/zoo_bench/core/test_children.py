import multiprocessing
import os
import queue
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

import odd_children
from zoo.errors import ZooError
from zoo_bench.core import children
from zoo_bench.core.children import Child, Lost, Returned, end, next_message, run_in_subprocess

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and groups of processes are POSIX's")
linux = pytest.mark.skipif(sys.platform != "linux", reason="orphans stay among the descendants on Linux only")

CLOSED = "its process closed its connection and went on, so it was ended"
HUNG = "no sign of progress for 0.5 seconds, since its process began"


def test_a_call_apart_returns_what_it_returns_from_a_process_of_its_own():
    assert run_in_subprocess(divmod, 7, 2, timeout=None) == (3, 1)
    assert run_in_subprocess(os.getpid, timeout=60.0) != os.getpid()
    assert len(run_in_subprocess(bytes, 10**7, timeout=None)) == 10**7


@pytest.mark.parametrize(
    ("call", "timeout", "sentence"),
    [
        pytest.param((divmod, 7, 0), None, "ZeroDivisionError: integer division or modulo by zero", id="raises"),
        pytest.param((sys.exit, "out"), None, "SystemExit: out", id="quits"),
        pytest.param((os._exit, 3), None, "its process ended with exit code 3 before it had a result", id="exits"),
        pytest.param((os.abort,), None, "its process ended with signal SIGABRT", id="aborts", marks=posix),
        pytest.param((time.sleep, 60), 0.5, HUNG, id="hangs"),
        pytest.param((odd_children.ignore_sigterm,), 0.5, HUNG, id="ignores SIGTERM"),
        pytest.param((odd_children.stop,), 0.5, HUNG, id="is stopped", marks=posix),
        pytest.param((odd_children.write_half_a_message,), 0.5, HUNG, id="writes half a message", marks=posix),
        pytest.param((odd_children.write_rubbish,), None, CLOSED, id="writes rubbish", marks=posix),
    ],
)
def test_a_call_apart_that_has_no_result_is_one_sentence(monkeypatch, call, timeout, sentence):
    monkeypatch.setattr(children, "STOPPING_SECONDS", 0.5)
    with pytest.raises(ZooError, match=f"^{re.escape(sentence)}$"):
        run_in_subprocess(*call, timeout=timeout)
    assert multiprocessing.active_children() == []


@posix
def test_a_call_apart_that_closes_all_its_files_is_ended_by_itself_or_its_parent():
    """It takes its parent for gone then, and ends; whichever is first says so."""
    ends = f"{re.escape(CLOSED)}|its process ended with signal SIGKILL"
    with pytest.raises(ZooError, match=f"^({ends})$"):
        run_in_subprocess(odd_children.close_all, timeout=None)
    assert multiprocessing.active_children() == []


def test_what_takes_longer_than_the_timeout_is_not_hung_as_long_as_it_says_that_it_is_alive():
    assert run_in_subprocess(odd_children.work_for, 3.0, timeout=0.5) == "done"


def test_the_step_that_began_last_is_named():
    with pytest.raises(ZooError, match=r"^no sign of progress for 0\.5 seconds, since metric 'slow' began$"):
        run_in_subprocess(odd_children.begin_and_hang, timeout=0.5)


def test_a_child_has_messages_and_a_result_beside_one_that_hangs():
    inbox = queue.SimpleQueue()
    running = [Child(inbox, 0.5, time.sleep, 60), Child(inbox, 60.0, odd_children.tell_and_return)]
    messages = []
    while running:
        child, message = next_message(inbox, running)
        messages.append(message)
        if isinstance(message, Returned | Lost):
            running.remove(child)
            end([child], early=isinstance(message, Lost))
    assert messages == [{"half": 1}, Returned(2), Lost(HUNG, is_hung=True)]


@posix
def test_a_child_that_is_ended_early_can_write_what_it_has(tmp_path):
    inbox = queue.SimpleQueue()
    child = Child(inbox, None, odd_children.write_at_sigterm, tmp_path / "file")
    assert next_message(inbox, [child]) == (child, {"ready": 1})
    end([child], early=True)
    assert (tmp_path / "file").read_text() == "what I have"


def is_gone(pid, seconds=30.0):
    """Return whether a process ends within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@posix
@pytest.mark.parametrize("how", ["plainly", "detached", pytest.param("orphaned", marks=linux)])
def test_what_a_child_has_started_ends_with_it(tmp_path, how):
    run_in_subprocess(odd_children.start, tmp_path / "pid", how, timeout=60.0)
    assert is_gone(int((tmp_path / "pid").read_text()))


@posix
def test_what_a_child_has_started_ends_though_the_child_exits_without_a_word(tmp_path):
    with pytest.raises(ZooError, match="exit code 3"):
        run_in_subprocess(odd_children.start_and_exit, tmp_path / "pid", timeout=60.0)
    assert is_gone(int((tmp_path / "pid").read_text()))


@posix
@pytest.mark.parametrize("how", ["plainly", "detached", pytest.param("orphaned", marks=linux)])
def test_what_a_child_has_started_ends_though_the_child_hangs(tmp_path, how):
    with pytest.raises(ZooError, match="no sign of progress"):
        run_in_subprocess(odd_children.start_and_hang, tmp_path / "pid", how, timeout=1.0)
    assert is_gone(int((tmp_path / "pid").read_text()))


PARENT = """
import queue, sys, time
from pathlib import Path

import odd_children
from zoo_bench.core.children import Child

for how in ("plainly", "detached", "closing all"):
    Child(queue.SimpleQueue(), None, odd_children.start_and_hang, Path(sys.argv[1], how), how)
time.sleep(60)
"""


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the fork server")
def test_a_fork_server_that_is_killed_while_it_is_asked_is_replaced(monkeypatch):
    from multiprocessing import forkserver

    server, calls = forkserver._forkserver, []

    def killed(descriptors):
        calls.append(descriptors)
        server.ensure_running()
        if len(calls) < 3:
            os.kill(server._forkserver_pid, signal.SIGKILL)
        return forkserver.ForkServer.connect_to_new_process(server, descriptors)

    monkeypatch.setattr(forkserver, "connect_to_new_process", killed)
    assert run_in_subprocess(divmod, 7, 2, timeout=60.0) == (3, 1)
    assert len(calls) >= 3


def test_no_process_outlives_a_parent_that_is_killed(tmp_path):
    paths = [tmp_path / how for how in ("plainly", "detached", "closing all")]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], env=variables)
    while not all(path.exists() and path.read_text() for path in paths):
        time.sleep(0.05)
    others = psutil.Process(parent.pid).children(recursive=True)
    assert len(others) == 8, "fork server, resource tracker, and three children with one each"
    parent.kill()
    parent.wait()
    assert [other for other in others if not is_gone(other.pid)] == []

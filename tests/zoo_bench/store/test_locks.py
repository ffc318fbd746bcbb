"""Locks and claims of a folder that several processes share."""

import subprocess
import sys
import threading

import filelock
import pytest

from zoo_bench.core.owner import this_process
from zoo_bench.store.locks import FOLDER, Locks

RUN, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".locks"


@pytest.fixture
def holder(folder):
    """Another process that has claimed and signed a run."""
    code = (
        "import time; from pathlib import Path; from zoo_bench.store.locks import Locks\n"
        f"locks = Locks(Path({str(folder)!r}))\n"
        f"print(locks.claim({RUN!r}), locks.sign({RUN!r}), flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True None\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_run_is_claimed_by_one_at_a_time_until_it_is_dropped(folder):
    first, second = Locks(folder), Locks(folder)
    assert first.claim(RUN)
    assert first.claim(RUN)
    assert not second.claim(RUN)
    assert second.claim(OTHER)
    first.drop(RUN)
    first.drop(RUN)
    assert second.claim(RUN)
    second.drop_all()
    assert list(folder.iterdir()) == []


def test_a_claim_says_whose_it_is(folder, holder):
    locks = Locks(folder)
    assert not locks.claim(RUN)
    assert (locks.owner(RUN).pid, locks.owner(RUN).is_gone()) == (holder.pid, False)
    assert locks.owner(OTHER) is None


def test_a_claim_of_a_process_that_was_killed_is_taken_over_and_its_owner_known(folder, holder):
    holder.kill()
    holder.wait()
    locks = Locks(folder)
    assert locks.claim(RUN)
    assert locks.sign(RUN).pid == holder.pid
    assert locks.owner(RUN) == this_process()
    locks.drop(RUN)
    assert locks.claim(RUN)
    assert locks.sign(RUN) is None


def test_a_lock_is_waited_for_and_may_be_held_within_itself(folder):
    order, entered = [], threading.Event()

    def hold():
        with Locks(folder).hold(FOLDER):
            entered.set()
            with pytest.raises(filelock.Timeout):
                filelock.FileLock(folder / f"{FOLDER}.lock").acquire(timeout=0.1)
            order.append("first")

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    locks = Locks(folder)
    with locks.hold(FOLDER), locks.hold(FOLDER):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(37, "No locks available"), NotImplementedError("no flock")])
def test_where_a_file_system_has_no_locks_nothing_is_locked(folder, monkeypatch, error):
    def refuse(self, *arguments, **options):
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    locks = Locks(folder)
    with locks.hold(FOLDER):
        assert locks.claim(RUN)
    locks.drop_all()

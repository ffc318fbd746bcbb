"""Processes are known by host, number and start."""

import os
import subprocess
import sys

from zoo_bench.core.owner import Owner, this_process


def test_this_process_is_there_and_is_named():
    owner = this_process()
    assert owner.is_gone() is False
    assert str(owner) == f"process {os.getpid()} on {owner.host}"
    assert Owner.model_validate_json(owner.model_dump_json()).is_gone() is False


def test_a_process_that_has_ended_is_gone():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert this_process().model_copy(update={"pid": process.pid}).is_gone() is True


def test_another_process_with_the_same_number_is_not_taken_for_it():
    owner = this_process()
    assert owner.model_copy(update={"begun": owner.begun - 60.0}).is_gone() is True


def test_nothing_is_known_of_a_process_on_another_host():
    assert this_process().model_copy(update={"host": "elsewhere"}).is_gone() is None

"""Several processes that save runs in one folder, some of which are killed."""

import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo_bench.plan.record import Outcome
from zoo_bench.store.records import Store, read_record
from zoo_bench.store.tables import load_results, write_tables

SAVES = 60
SAVING = """
import sys
from datetime import timedelta
from pathlib import Path
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.store.records import Store
root, first, last, text = sys.argv[1:]
store, record = Store(Path(root)), RunRecord.model_validate_json(text)
print("ready", flush=True)
for i in range(int(first), int(last)):
    fields = {"images": i, "started_at": record.started_at + timedelta(seconds=i)}
    files = {".safetensors": str(i).encode() * 999, (".png", ".best.safetensors")[i % 2]: str(i).encode()}
    store.save(Outcome(record.model_copy(update=fields), files))
"""


@pytest.fixture
def saver(store, make_record):
    """Start a process that saves one run again and again, each time with another number in all of its files."""
    started = []

    def start(first, last):
        arguments = [str(store.root), str(first), str(last), make_record().model_dump_json()]
        process = subprocess.Popen([sys.executable, "-c", SAVING, *arguments], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def numbers(path):
    """Return the numbers in the files of a run, which are one number if these are of one save."""
    files = [file for file in path.parent.glob(f"{path.stem}.*") if file != path]
    assert len(files) == 2
    found = {file.read_bytes()[:4].decode() for file in files}
    return {str(read_record(path).images)[:4], *found}


def test_processes_that_save_one_run_do_not_disturb_each_other(store, saver, make_record):
    path = store.path(make_record().spec)
    savers = [saver(1000, 1000 + SAVES), saver(2000, 2000 + SAVES)]
    seen = 0
    while any(process.poll() is None for process in savers):
        try:
            before = read_record(path)
            weights = path.with_suffix(".safetensors").read_bytes()
            after = read_record(path)
        except (ZooError, FileNotFoundError):
            continue  # it is being replaced
        if before.started_at == after.started_at:
            seen += 1
            assert weights[:4] == str(before.images).encode()
    assert [process.returncode for process in savers] == [0, 0]
    assert seen > 0
    assert len(numbers(path)) == 1
    assert len(list(path.parent.iterdir())) == 3
    assert store.find(make_record().spec).images == read_record(path).images


def test_saves_that_are_killed_leave_nothing_that_the_next_bench_does_not_mend(store, saver, make_record):
    path, chance = store.path(make_record().spec), random.Random(0)
    for i in range(8):
        process = saver(1000 * (i + 1), 9999)
        time.sleep(chance.uniform(0.0, 0.1))
        process.kill()
        process.wait()
        Store(store.root).tidy()
        if path.parent.exists() and list(path.parent.iterdir()):
            assert len(numbers(path)) == 1
            assert len(list(path.parent.iterdir())) == 3
    assert path.exists()


class PowerCut(BaseException):
    """Stands for SIGKILL: nothing handles it."""


@pytest.mark.parametrize("step", range(8))
def test_wherever_a_save_is_cut_off_either_the_old_run_is_whole_or_the_new_one_becomes_so(
    store, make_record, monkeypatch, step
):
    old, start = {".safetensors": b"old", ".png": b"old"}, make_record().started_at
    path = store.save(Outcome(make_record(images=1), old))
    new = Outcome(make_record(images=2, started_at=start + timedelta(seconds=1)), {".safetensors": b"new"})
    steps, was_cut = iter(range(100)), False

    def cut(real):
        def call(*arguments, **options):
            if str(arguments[0]).startswith(str(path.parent)) and next(steps) == step:
                raise PowerCut
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *arguments, **options: None)
        for name in ("replace", "unlink", "rename"):
            patch.setattr(os, name, cut(getattr(os, name)))
        try:
            Store(store.root).save(new)
        except PowerCut:
            was_cut = True
    monkeypatch.setattr("zoo_bench.store.records.is_abandoned", lambda path: path.name.endswith(".tmp"))
    Store(store.root).tidy()
    left = {file.suffix: file.read_bytes() for file in path.parent.iterdir()}
    record = read_record(path)
    assert left.pop(".json") == path.read_bytes()
    assert left == (old if record.images == 1 else new.files)
    assert record.images == 2 or was_cut


def test_what_is_saved_with_an_error_leaves_the_run_that_was_there(store, make_record, monkeypatch):
    path = store.save(Outcome(make_record(images=1), {".safetensors": b"old"}))
    before = {file: file.read_bytes() for file in path.parent.iterdir()}

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ZooError, match="No space left on device"):
        store.save(Outcome(make_record(images=2), {".safetensors": b"new"}))
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before
    assert store.find(make_record().spec).images == 1


def test_what_another_process_saves_is_found_at_once(store, make_record):
    other = Store(store.root)
    assert store.find(make_record().spec) is None
    for images in (1, 2):
        other.save(Outcome(make_record(images=images)))
        assert store.find(make_record().spec).images == images
    other.path(make_record().spec).unlink()
    assert store.find(make_record().spec) is None


def test_scores_of_a_run_that_was_trained_again_meanwhile_are_not_written_over_it(store, make_record):
    first = make_record(metrics={"fid": 1.0})
    other = Store(store.root)
    store.save(Outcome(first))
    again = make_record(metrics={"fid": 2.0}, started_at=first.started_at + timedelta(seconds=9))
    path = other.save(Outcome(again))
    store.update(make_record(metrics={"fid": 1.0, "kid": 3.0}))
    assert read_record(path) == store.find(first.spec) == again


def test_a_table_has_the_runs_of_all_processes(store, make_record):
    other = Store(store.root)
    store.save(Outcome(make_record({"seed": 0})))
    write_tables(store)
    other.save(Outcome(make_record({"seed": 1})))
    assert len(write_tables(store)) == len(load_results(Path(store.root, "results.csv"))) == 2

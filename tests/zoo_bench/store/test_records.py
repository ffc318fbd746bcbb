import json
import os

import pytest

from zoo.errors import ZooError
from zoo_bench.plan.record import Outcome
from zoo_bench.store.records import Store, read_record
from zoo_bench.store.tables import write_tables


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_is_stored_under_task_model_and_seed_with_its_files_beside_it(store, make_record):
    record = make_record({"model": "gan", "seed": 7})
    path = store.save(Outcome(record, {".safetensors": b"weights", ".png": b"sheet"}))
    stem = f"runs/digits/gan/seed=7-{record.run_id[:8]}"
    assert path == store.root / f"{stem}.json"
    assert contents(store.root) == {
        f"{stem}.json": path.read_bytes(),
        f"{stem}.safetensors": b"weights",
        f"{stem}.png": b"sheet",
    }
    assert read_record(path) == record


def test_a_stored_run_is_found_by_its_spec_and_no_other(store, make_record, make_spec):
    record = make_record()
    assert store.find(record.spec) is None
    store.save(Outcome(record))
    assert store.find(record.spec) == record
    assert store.find(make_spec(seed=1)) is None


def test_a_record_of_another_run_at_the_same_path_is_not_taken_for_it(store, make_record, make_spec):
    path = store.save(Outcome(make_record()))
    other = make_spec(seed=1)
    store.path(other).write_bytes(path.read_bytes())
    assert store.find(other) is None


def test_a_run_that_is_stored_again_leaves_no_file_of_the_earlier_one(store, make_record):
    store.save(Outcome(make_record(), {".safetensors": b"weights", ".png": b"sheet"}))
    path = store.save(Outcome(make_record(status="error", error="it broke")))
    # Else the weights of the earlier run would pass for those of the failed one.
    assert list(contents(store.root)) == [path.relative_to(store.root).as_posix()]


def test_a_run_whose_files_cannot_be_written_has_no_record(store, make_record, monkeypatch):
    real = os.replace

    def fail_for_sheets(source, target):
        if str(target).endswith(".png"):
            raise OSError("disk full")
        real(source, target)

    monkeypatch.setattr(os, "replace", fail_for_sheets)
    with pytest.raises(ZooError, match="cannot be written: disk full"):
        store.save(Outcome(make_record(), {".safetensors": b"weights", ".png": b"sheet"}))
    assert not list(store.root.rglob("*.json"))
    assert store.find(make_record().spec) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run_id": "abc"}', "\x00\xff"])
def test_a_file_that_is_no_record_is_reported_and_left_alone(store, records, text):
    for record in records:
        store.save(Outcome(record))
    bad = store.root / "runs" / "digits" / "gan" / "seed=9-deadbeef.json"
    bad.write_text(text)
    found, problems = store.scan()
    assert {record.run_id for record in found} == {record.run_id for record in records}
    (problem,) = problems
    assert str(bad) in problem
    assert "\n" not in problem
    assert len(write_tables(store.root)) == 3
    assert bad.read_text() == text


def test_a_record_of_another_layout_is_reported(store, make_record):
    path = store.save(Outcome(make_record()))
    path.write_text(json.dumps({**json.loads(path.read_text()), "shoe_size": 43}))
    _, (problem,) = store.scan()
    assert "shoe_size" in problem
    assert "not a run record of this version" in problem


def test_an_absent_record_is_named(tmp_path):
    with pytest.raises(ZooError, match=r"absent\.json' cannot be read: No such file"):
        read_record(tmp_path / "absent.json")


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ZooError, match="is a file"):
        Store(tmp_path / "file")
    with pytest.raises(ZooError, match="is not writable"):
        Store(tmp_path / "file" / "below")
    assert contents(tmp_path) == {"file": b"mine"}


def test_an_output_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for folder in (tmp_path, tmp_path / "new" / "deeper"):
        with pytest.raises(ZooError, match="is not writable"):
            Store(folder)
    assert not (tmp_path / "new").exists()


def test_naming_an_output_folder_does_not_make_it(tmp_path):
    Store(tmp_path / "new" / "deeper")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(tmp_path, monkeypatch):
    def mkdir(path, **options):
        raise OSError(28, "No space left on device", str(path))

    store = Store(tmp_path / "new")
    monkeypatch.setattr(type(tmp_path), "mkdir", mkdir)
    with pytest.raises(ZooError, match=r"^output folder '.*new' cannot be made: No space left on device: name another"):
        store.create()

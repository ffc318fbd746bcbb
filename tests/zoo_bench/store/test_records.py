import json
import math
import os
from datetime import UTC, datetime

import pandas as pd
import pytest

from zoo.errors import ZooError
from zoo_bench import load_results
from zoo_bench.plan.record import COLUMNS, LAST, Outcome
from zoo_bench.store.records import Store, read_record
from zoo_bench.store.tables import to_frame, write_tables


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "out")


@pytest.fixture
def records(make_record):
    """Records of all kinds: ok with extra metrics, diverged, and an error with awkward text."""
    return [
        make_record(
            {"model": "gan", "seed": 0}, images=640, steps=10, updates=20, train_seconds=0.25, flops=123_456_789,
            params=123, contended=True, metrics={"fid": 12.5, "modes_captured": 9.0, "mode_kl": math.inf, "odd": 0.5},
            throughput={"train_images_per_s": 1e4 / 3},
        ),
        make_record(
            {"model": "gan", "seed": 1}, status="diverged", error="the loss of player 'left' is nan", images=640,
            losses={"left": math.nan}, started_at=datetime(2025, 1, 2, 3, 4, 5, 0, UTC),
        ),
        make_record({"model": "vae"}, status="error", error='ValueError: a, "b"\nc;  d'),
    ]  # fmt: skip


def save_all(store, records):
    for record in records:
        store.save(Outcome(record))
    return write_tables(store.root)


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
    save_all(store, records)
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


def test_the_tables_hold_every_run_with_the_stable_columns_first(store, records):
    frame = save_all(store, records)
    header = (store.root / "results.csv").read_text().splitlines()[0].split(",")
    assert header == [*COLUMNS, "odd", *LAST]
    assert list(frame.columns) == header
    assert set(frame["run_id"]) == {record.run_id for record in records}


def test_what_does_not_apply_is_empty_in_csv(store, records):
    save_all(store, records)
    table = pd.read_csv(store.root / "results.csv", dtype=str, keep_default_na=False).set_index(["model", "seed"])
    assert table.loc[("gan", "1"), "fid"] == ""
    assert table.loc[("vae", "0"), ["images", "flops", "params", "train_seconds", "odd"]].tolist() == [""] * 5
    assert table.loc[("gan", "0"), "flops"] == "123456789"


@pytest.mark.parametrize("name", ["", "results.csv", "results.parquet"])
def test_a_figure_that_is_no_number_is_missing(store, make_record, name):
    save_all(store, [make_record(metrics={"fid": 1.0, "fid_auc": math.nan})])
    assert load_results(store.root / name)["fid_auc"].isna().tolist() == [True]
    assert "nan" not in (store.root / "results.csv").read_text().lower()


@pytest.mark.parametrize("name", ["", "results.csv", "results.parquet"])
def test_counts_too_large_for_a_float_are_exact_beside_runs_that_have_none(store, make_record, name):
    save_all(store, [make_record({"seed": 0}, flops=2**53 + 1), make_record({"seed": 1}, status="error")])
    assert load_results(store.root / name)["flops"][0] == 2**53 + 1


def test_csv_parquet_and_records_load_as_one_table(store, records):
    save_all(store, records)
    loaded = [load_results(store.root / name) for name in ("", "results.csv", "results.parquet")]
    for frame in loaded:
        assert frame.dtypes.astype(str).to_dict() == loaded[0].dtypes.astype(str).to_dict()
        assert len(frame) == 3
    first = loaded[0]
    for other in loaded[1:]:
        for column in first.columns:
            assert first[column].equals(other[column]), column


def test_loaded_columns_have_the_type_of_what_they_hold(store, records):
    save_all(store, records)
    types = load_results(store.root).dtypes.astype(str)
    assert types[["seed", "images", "flops", "modes_captured"]].tolist() == ["Int64"] * 4
    assert types[["fid", "odd", "train_seconds"]].tolist() == ["Float64"] * 3
    assert types[["contended", "status"]].tolist() == ["boolean", "string"]
    assert types["started_at"].startswith("datetime64[")
    assert types["started_at"].endswith("UTC]")


@pytest.mark.parametrize("text", ["NA", "nan", "null", "None"])
def test_text_that_looks_like_nothing_survives_csv(store, make_record, text):
    save_all(store, [make_record(status="error", error=text)])
    assert load_results(store.root / "results.csv")["error"].tolist() == [text]


def test_a_table_of_no_runs_has_the_columns_and_their_types(records):
    assert list(to_frame([]).columns) == [*COLUMNS, *LAST]
    types = to_frame([]).dtypes.astype(str)
    assert (types == to_frame(records).dtypes.astype(str)[types.index]).all()


@pytest.mark.parametrize("name", ["absent", "absent.csv", "absent.parquet", "empty"])
def test_a_place_without_results_is_refused_in_one_sentence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match="no results in"):
        load_results(tmp_path / name)


def test_results_can_be_loaded_from_where_nothing_can_be_written(store, records, monkeypatch):
    save_all(store, records)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert len(load_results(store.root)) == 3


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


@pytest.mark.parametrize("name", ["other.csv", "other.parquet"])
def test_a_table_of_something_else_is_refused_with_what_it_lacks(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame({"error": ["a"], "value": [2]})
    frame.to_csv(path) if name.endswith("csv") else frame.to_parquet(path)
    with pytest.raises(ZooError, match=r"is not a table that `zoo bench` wrote: it has no column 'run_id'$"):
        load_results(path)


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(tmp_path, monkeypatch):
    def mkdir(path, **options):
        raise OSError(28, "No space left on device", str(path))

    store = Store(tmp_path / "new")
    monkeypatch.setattr(type(tmp_path), "mkdir", mkdir)
    with pytest.raises(ZooError, match=r"^output folder '.*new' cannot be made: No space left on device: name another"):
        store.create()

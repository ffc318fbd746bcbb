import json
import os
from pathlib import Path

import pandas as pd
import pytest

from zoo.cli import main
from zoo.errors import ZooError
from zoo_bench import load_results
from zoo_bench.plan.record import LEARNING_CURVE, SCHEMA_VERSION, Outcome, RunRecord, metric_versions
from zoo_bench.plan.spec import RunSpec, key
from zoo_bench.store.records import Store, read_record
from zoo_bench.store.tables import to_frame, write_tables

OLD = Path(__file__).parent / "data" / "schema-1"
BEFORE = OLD.with_name("schema-2")


@pytest.fixture
def write_old(tmp_path):
    """Write a record of schema 2 with the key that it had, and return its path."""

    def write(spec=None, **fields):
        old = json.loads(BEFORE.with_suffix(".json").read_text()) | fields
        old["spec"] |= spec or {}
        old["run_id"] = key(old["spec"])
        path = tmp_path / "old.json"
        path.write_text(json.dumps(old))
        return path

    return write


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


def test_a_task_whose_name_no_folder_can_have_on_windows_is_stored_all_the_same(store, make_record):
    record = make_record({"task": "aux", "model": "gan"})
    path = store.save(Outcome(record))
    assert path.relative_to(store.root).parts[:3] == ("runs", "%61ux", "gan")
    assert store.find(record.spec) == record


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


@pytest.fixture
def read(monkeypatch):
    """Return the paths of the records that are read, in order."""
    paths = []

    def counted(path):
        paths.append(path)
        return read_record(path)

    monkeypatch.setattr("zoo_bench.store.records.read_record", counted)
    return paths


def test_each_file_is_read_once_and_again_when_it_has_changed(store, records, read):
    paths = sorted(store.save(Outcome(record)) for record in records)
    again = Store(store.root)
    for _ in range(3):
        assert list(again.records()) == paths
        assert all(again.find(record.spec).run_id == record.run_id for record in records)
    assert read == paths
    changed = records[0].model_copy(update={"images": 7})
    store.update(changed)
    read.clear()
    assert again.records()[store.path(changed.spec)].images == 7
    assert read == [store.path(changed.spec)]


def test_what_is_saved_is_known_without_being_read(store, records, read):
    store.records()
    for record in records:
        store.save(Outcome(record))
    assert len(store.records()) == 3
    assert read == []


def test_a_record_that_is_gone_is_no_longer_there(store, records):
    path, *_ = [store.save(Outcome(record)) for record in records]
    assert len(store.records()) == 3
    path.unlink()
    assert len(store.records()) == 2
    assert store.find(records[0].spec) is None


def test_a_record_that_is_damaged_meanwhile_is_a_problem_until_it_is_mended(store, make_record):
    path = store.save(Outcome(make_record()))
    whole = path.read_text()
    path.write_text("half a rec")
    for _ in range(2):
        assert store.records() == {}
        assert len(store.problems) == 1
    path.write_text(whole)
    assert list(store.records()) == [path]
    assert store.problems == []


def test_histories_are_stored_and_not_kept_in_memory(store, make_record):
    history = [{"images": 4, "seconds": 0.5, "losses": {"left": 1.0}}]
    record = make_record(history=history)
    path = store.save(Outcome(record))
    assert read_record(path).history == record.history == history
    for known in (store, Store(store.root)):
        assert known.find(record.spec) == record.model_copy(update={"history": []})


def test_an_update_leaves_the_other_files_of_a_run_as_they_are(store, make_record):
    files = {".safetensors": b"weights", ".best.safetensors": b"best", ".samples.npz": b"samples", ".png": b"sheet"}
    path = store.save(Outcome(make_record(metrics={"fid": 1.0}), files))
    before = contents(store.root)
    renewed = make_record(metrics={"fid": 2.0})
    assert store.update(renewed) == path
    now = contents(store.root)
    name = path.relative_to(store.root).as_posix()
    assert now.pop(name) != before.pop(name)
    assert now == before
    assert store.find(renewed.spec) == read_record(path) == renewed


@pytest.fixture
def write_twice(store, write_old):
    """Store one run twice, as schema 2 did for two selections of metrics; returns the paths in the order of keywords.

    Each keyword is the name of a metric, with the fields of its record.
    """

    def write(**records):
        paths = []
        for metric, fields in records.items():
            old = write_old({"metrics": [metric]}, metrics={metric: 1.0}, **fields)
            key_of_old = json.loads(old.read_text())["run_id"]
            path = store.root / "runs" / "digits" / "vae" / f"seed=0-{key_of_old[:8]}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            paths.append(old.rename(path))
        return paths

    return write


EARLY, LATE = "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        ({"started_at": EARLY}, {"started_at": LATE}, 1),
        ({"started_at": LATE}, {"started_at": EARLY}, 0),
        ({"started_at": EARLY}, {"started_at": LATE, "status": "timeout"}, 0),
        ({"started_at": EARLY, "status": "error"}, {"started_at": LATE, "status": "timeout"}, 1),
    ],
)
def test_two_records_of_one_run_are_one_the_last_that_ended_ok(store, write_twice, first, second, counts):
    paths = write_twice(fid=first, kid=second)
    assert len(set(paths)) == 2
    [(path, record)] = store.records().items()
    assert path == paths[counts] == store.path(record.spec)
    assert store.find(record.spec) == record
    assert len(load_results(store.root)) == len(write_tables(store)) == 1
    assert load_results(store.root)["started_at"].tolist() == [record.started_at]


def test_an_older_record_is_renewed_where_it_is(store, write_twice):
    (path,) = write_twice(fid={})
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(b"weights")
    [record] = store.records().values()
    assert record.run_id[:8] not in path.name
    assert store.update(record) == path
    assert contents(store.root).keys() == {file.relative_to(store.root).as_posix() for file in (path, weights)}
    assert json.loads(path.read_text())["run_id"] == record.run_id


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run_id": "abc"}', "\x00\xff"])
def test_a_file_that_is_no_record_is_reported_and_left_alone(store, records, text):
    for record in records:
        store.save(Outcome(record))
    bad = store.root / "runs" / "digits" / "gan" / "seed=9-deadbeef.json"
    bad.write_text(text)
    found = store.records().values()
    assert {record.run_id for record in found} == {record.run_id for record in records}
    (problem,) = store.problems
    assert str(bad) in problem
    assert "\n" not in problem
    assert len(write_tables(store)) == 3
    assert bad.read_text() == text


def test_a_record_of_another_layout_is_reported(store, make_record):
    path = store.save(Outcome(make_record()))
    path.write_text(json.dumps({**json.loads(path.read_text()), "shoe_size": 43}))
    assert Store(store.root).records() == {}
    again = Store(store.root)
    again.records()
    (problem,) = again.problems
    assert "shoe_size" in problem
    assert "not a run record of this version" in problem


def test_a_record_of_schema_1_is_read_as_one_of_today():
    record = read_record(OLD.with_suffix(".json"))
    old = json.loads(OLD.with_suffix(".json").read_text())
    assert (record.rounds, record.schema_version) == (old["steps"], SCHEMA_VERSION)
    assert record.metric_errors == {"diagnostics": old["metric_errors"]["figures"]}
    assert record.metrics == old["metrics"]
    assert record.spec.budget == "300,3rounds"
    assert record.run_id == record.spec.run_id != old["run_id"]
    [point] = record.history[:1]
    spent = {name: old["history"][0].pop(name) for name in ("images", "seconds")}
    assert point == {**spent, "losses": old["history"][0]}
    unchanged = old.keys() & RunRecord.model_fields.keys() - {"schema_version", "spec", "run_id", "history"}
    assert json.loads(record.model_dump_json(include=unchanged)) == {name: old[name] for name in unchanged}


def test_a_record_of_schema_2_keeps_its_figures_and_gets_a_key_of_its_training():
    record = read_record(BEFORE.with_suffix(".json"))
    old = json.loads(BEFORE.with_suffix(".json").read_text())
    assert (record.schema_version, record.judge) == (SCHEMA_VERSION, old["spec"]["judge"])
    assert (record.metrics, record.metric_errors) == (old["metrics"], old["metric_errors"])
    judge, values = old["spec"]["judge"], old["metrics"]
    expected = {
        "class-modes": ("modes_captured", "modes_total", "mode_kl", "mode_tv"),
        "fid": ("fid", "fid_floor"), "kid": (), LEARNING_CURVE: ("fid_auc", "fid_best"),
    }  # fmt: skip
    assert {name: score.values for name, score in record.scores.items()} == {
        name: {column: values[column] for column in columns} for name, columns in expected.items()
    }
    assert {(score.plugin, score.version, score.judge) for score in record.scores.values()} == {("genzoo", "1", judge)}
    assert record.diagnostics.keys() == {"elbo", "reconstruction", "kl", "active_units"}
    assert (record.curve, record.curve_judge) == (old["curve"], judge)
    spec = {name: value for name, value in old["spec"].items() if name not in ("judge", "metrics")}
    assert record.spec == RunSpec(**spec, threads=old["threads"])
    assert record.run_id == record.spec.run_id != old["run_id"]
    changed = {"schema_version", "spec", "run_id"}
    unchanged = old.keys() & RunRecord.model_fields.keys() - changed
    assert json.loads(record.model_dump_json(include=unchanged)) == {name: old[name] for name in unchanged}


def test_metrics_and_judge_of_schema_2_make_no_other_run(write_old):
    plain = read_record(write_old())
    assert read_record(write_old({"metrics": ["fid"], "judge": "other@76543210"})).run_id == plain.run_id
    assert read_record(write_old(threads=2)).run_id != plain.run_id
    assert read_record(write_old({"device": "cuda"})).spec.threads is None


def test_a_metric_of_schema_2_that_is_not_installed_keeps_its_values_without_a_version(write_old):
    record = read_record(write_old({"metrics": ["fid", "foreign"]}, metrics={"fid": 1.0, "foreign_a": 2.0}))
    assert record.metrics == {"fid": 1.0, "foreign_a": 2.0}
    assert (record.scores["foreign"].plugin, record.scores["foreign"].version) == ("", "")
    assert json.loads(metric_versions(record)) == {"genzoo 1": "fid"}


def test_a_run_of_schema_2_that_did_not_end_ok_has_no_scores(write_old):
    record = read_record(write_old(status="diverged", metrics={}, metric_errors={}, curve=[]))
    assert (record.scores, record.diagnostics, record.curve_judge) == ({}, {}, "")


@pytest.mark.parametrize("changes", [{"spec": {}}, {"metrics": 3}, {"metric_errors": [1]}])
def test_what_is_no_record_of_schema_2_either_is_refused(tmp_path, changes):
    old = json.loads(BEFORE.with_suffix(".json").read_text()) | changes
    (tmp_path / "old.json").write_text(json.dumps(old))
    with pytest.raises(ZooError, match="is not a run record of this version"):
        read_record(tmp_path / "old.json")


def test_an_older_record_whose_key_is_not_that_of_its_spec_is_refused(tmp_path):
    for path in (OLD, BEFORE):
        old = json.loads(path.with_suffix(".json").read_text())
        old["spec"]["seed"] = 1
        (tmp_path / "old.json").write_text(json.dumps(old))
        with pytest.raises(ZooError, match="its run_id is not the hash of its spec"):
            read_record(tmp_path / "old.json")


def test_a_record_whose_key_is_not_that_of_its_spec_is_refused(store, make_record):
    path = store.save(Outcome(make_record({"budget": "640"})))
    path.write_text(path.read_text().replace('"budget": "640"', '"budget": "6400"'))
    with pytest.raises(ZooError, match="its run_id is not the hash of its spec"):
        read_record(path)


@pytest.mark.parametrize("spec", [3, None, {"budget": 3}, {"budget": ["3steps"]}, {"budget": "3steps"}])
def test_what_is_no_record_of_schema_1_either_is_refused(tmp_path, spec):
    run_id = key(spec) if isinstance(spec, dict) else ""
    old = {"schema_version": 1, "run_id": run_id, "spec": spec, "metric_errors": 1}
    (tmp_path / "old.json").write_text(json.dumps(old))
    with pytest.raises(ZooError, match="is not a run record of this version"):
        read_record(tmp_path / "old.json")


@pytest.mark.parametrize("path", [OLD, BEFORE], ids=lambda path: path.name)
def test_an_older_table_loads_as_its_record_does(path):
    table, record = load_results(path.with_suffix(".csv")), to_frame([read_record(path.with_suffix(".json"))])
    assert list(table.columns) == list(record.columns)
    # A table's sentences are those of the old version, and it cannot say which of its metrics were computed.
    for column in record.columns.difference(["error", "metric_versions"]):
        assert table[column].equals(record[column]), column
    [versions], [expected] = table["metric_versions"].map(json.loads), record["metric_versions"].map(json.loads)
    assert set(expected["genzoo 1"].split()) <= set(versions["genzoo 1"].split())


def test_a_parquet_table_of_schema_1_loads_as_its_csv_does(tmp_path):
    counts = {"steps": "Int64", "schema_version": "Int64"}
    pd.read_csv(OLD.with_suffix(".csv"), dtype=counts).to_parquet(tmp_path / "results.parquet")
    table, expected = load_results(tmp_path / "results.parquet"), load_results(OLD.with_suffix(".csv"))
    assert list(table.columns) == list(expected.columns)
    for column in ("rounds", "budget", "schema_version"):
        assert table[column].equals(expected[column]), column


def test_a_report_of_an_old_table_has_its_budget_in_rounds(capsys, tmp_path):
    (tmp_path / "results.csv").write_bytes(OLD.with_suffix(".csv").read_bytes())
    assert main(["report", str(tmp_path)]) == 0
    assert "ring8: budget 300,3rounds per run" in capsys.readouterr().out


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

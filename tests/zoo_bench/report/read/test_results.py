import json

import pytest

from zoo.errors import ZooError
from zoo_bench.plan import record
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load, load_controls
from zoo_bench.store import upgrades
from zoo_bench.store.records import read_record
from zoo_bench.store.tables import load_results


def test_a_run_in_two_folders_is_named_with_both(tmp_path, make):
    (first, *others) = load([make.bench(tmp_path / "a", seeds=1), make.bench(tmp_path / "b", seeds=1)]).duplicates()
    assert len(others) == 5
    assert "/a/runs/" in first
    assert "/b/runs/" in first


def test_a_table_alone_will_do(bench, tmp_path):
    expected = [len(g.runs) for g in groups(load([bench]).frame)]
    for name in ("results.csv", "results.parquet"):
        alone = tmp_path / name.partition(".")[2]
        alone.mkdir()
        (alone / name).write_bytes((bench / name).read_bytes())
        for path in (alone, alone / name):
            assert [len(g.runs) for g in groups(load([path]).frame)] == expected


@pytest.mark.parametrize("name", ["absent", "empty", "table.csv", "table.parquet", "other.txt"])
def test_a_place_without_results_is_refused_in_one_sentence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    for file in ("table.csv", "table.parquet", "other.txt"):
        (tmp_path / file).write_text("nothing,of\nthe,kind\n")
    with pytest.raises(ZooError) as refused:
        load([tmp_path / name])
    assert "\n" not in str(refused.value)
    assert name in str(refused.value)


def test_files_that_are_no_records_are_told_of_and_left_alone(bench):
    bad = bench / "runs" / "digits" / "gan" / "seed=9-deadbeef.json"
    bad.write_text("{")
    (bench / "controls" / "odd.json").write_text('{"controls": [1]}')
    problems = load([bench]).problems
    assert len(problems) == 2
    assert str(bad) in problems[0]
    assert bad.read_text() == "{"


def test_controls_with_few_items_say_how_many(bench):
    path = bench / "controls" / "digits.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "few": {"real": 39}}))
    (found,) = load_controls(bench, [])
    assert found["few"] == {"real": 39}


@pytest.mark.parametrize("key", ["at the top", "apart"])
def test_controls_of_older_layouts_are_read_as_those_of_today(bench, key):
    own = {"task": "digits", "task_version": "1", "judge": "digits-cnn@01234567"}
    content = {"controls": {"real": {"fid": 0.26, "modes_captured": 10.0}, "copy": {"fid": 0.2}, "noise": {"fid": 60}}}
    expected = load_controls(bench, [])
    (bench / "controls" / "digits.json").write_text(
        json.dumps(content | (own if key == "at the top" else {"key": own}))
    )
    assert load_controls(bench, []) == expected == [own | content]


def test_records_of_older_layouts_are_upgraded_one_version_at_a_time(bench, monkeypatch):
    path = next(bench.glob("runs/*/*/*.json"))
    now = read_record(path)
    for file in bench.glob("runs/*/*/*.json"):
        old = {**json.loads(file.read_text()), "schema_version": 1}
        old["spec"] = read_record(file).spec.model_dump(mode="json", exclude_defaults=True)
        old["duration"] = old.pop("train_seconds")
        file.write_text(json.dumps(old))
    before = path.read_text()

    def to_2(fields):
        return {**{k: v for k, v in fields.items() if k != "duration"}, "seconds": fields["duration"]}

    def to_3(fields):
        return {**{k: v for k, v in fields.items() if k != "seconds"}, "train_seconds": fields["seconds"]}

    monkeypatch.setattr(upgrades, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(upgrades, "UPGRADES", {1: to_2, 2: to_3})
    found = read_record(path)
    assert found == now.model_copy(update={"schema_version": 3})
    assert path.read_text() == before
    assert len(load_results(bench)) == 18


def test_a_record_of_a_newer_layout_says_so(tmp_path, make):
    newer = make.record(make.spec(), schema_version=record.SCHEMA_VERSION + 1)
    make.write(tmp_path, [newer], pictures=False)
    with pytest.raises(ZooError, match="upgrade genzoo"):
        load([tmp_path])

import json
from datetime import timedelta

import pytest

from drawn_benches import JUDGE
from zoo.errors import ZooError
from zoo_bench.plan import record
from zoo_bench.plan.record import Score, row
from zoo_bench.report.read.results import groups, kept_apart, load, load_controls
from zoo_bench.store import upgrades
from zoo_bench.store.records import read_record
from zoo_bench.store.tables import load_results, to_frame


@pytest.fixture
def folder(make):
    """Write records into a folder."""
    return lambda path, *records: make.write(path, records, pictures=False)


@pytest.mark.parametrize(
    ("field", "other", "name"),
    [("task_version", "2", "version of the task"), ("judge", "other@1", "judge"), ("budget", "2M", "budget"),
     ("precision_mode", "bf16", "precision"), ("device", "cuda", "device")],
)  # fmt: skip
def test_runs_that_are_not_comparable_are_kept_apart_and_it_is_said_why(folder, tmp_path, field, other, name, make):
    judges, fields = ({field: other}, {}) if field == "judge" else ({}, {field: other})
    one = [make.drawn(make.spec(seed=seed), 2.0) for seed in (0, 1)]
    two = [make.drawn(make.spec(seed=seed, **fields), 2.0, **judges) for seed in (2, 3)]
    found = groups(load([folder(tmp_path, *one, *two)]).frame)
    assert [len(group.runs) for group in found] == [2, 2]
    assert {group.key[field] for group in found} == {row(one[0])[field], other}
    (sentence,) = kept_apart(found)
    assert f"{name} (" in sentence
    assert other in sentence
    assert "not comparable" in sentence


def test_comparable_runs_of_several_folders_are_one_group(folder, tmp_path, make):
    first = make.bench(tmp_path / "a", seeds=2)
    second = folder(tmp_path / "b", *(make.drawn(make.spec(seed=seed), 2.0) for seed in (7, 8, 9)))
    results = load([first, second])
    (group,) = groups(results.frame)
    assert len(group.runs) == 12 + 3
    assert kept_apart([group]) == []
    assert results.duplicates() == []


def test_a_run_in_two_folders_is_named_with_both(tmp_path, make):
    (first, *others) = load([make.bench(tmp_path / "a", seeds=1), make.bench(tmp_path / "b", seeds=1)]).duplicates()
    assert len(others) == 5
    assert "/a/runs/" in first
    assert "/b/runs/" in first


def test_settings_within_one_model_are_never_averaged(folder, tmp_path, make):
    specs = [make.spec(seed=seed, config={"lr": lr, "z_dim": 8}) for seed in (0, 1) for lr in (0.1, 0.2)]
    (group,) = groups(load([folder(tmp_path, *(make.drawn(s, 2.0) for s in specs))]).frame)
    assert sorted(group.runs["_label"].unique()) == ["gan[lr=0.1,z_dim=8]", "gan[lr=0.2,z_dim=8]"]


def test_versions_of_a_plugin_are_never_averaged(folder, tmp_path, make):
    specs = [make.spec(seed=seed, plugin_version=version) for seed in (0, 1) for version in ("0.1.0", "0.2.0")]
    (group,) = groups(load([folder(tmp_path, *(make.drawn(s, 2.0) for s in specs))]).frame)
    assert sorted(group.runs["_label"].unique()) == ["gan 0.1.0", "gan 0.2.0"]


def test_a_repeat_of_a_seed_is_no_further_run(folder, tmp_path, make):
    specs = [make.spec(seed=0, threads=threads) for threads in (1, 2)]
    records = [make.drawn(s, 2.0, started_at=make.start + timedelta(hours=i)) for i, s in enumerate(specs)]
    (group,) = groups(load([folder(tmp_path, *records)]).frame)
    assert group.runs["run_id"].tolist() == [records[1].run_id]
    assert "repeat" in group.notes[0]


@pytest.mark.parametrize(
    "other", [{"environment": {"processor": "Other", "cores": 9}}, {"threads": 7}, {"contended": True}]
)
def test_speeds_of_several_kinds_of_machine_are_not_averaged(folder, tmp_path, other, make):
    most = [make.drawn(make.spec(seed=seed), 2.0) for seed in (0, 1)]
    (group,) = groups(load([folder(tmp_path, *most, make.drawn(make.spec(seed=2), 2.0, **other))]).frame)
    assert group.runs["fid"].notna().tolist() == [True, True, True]
    assert group.runs["train_images_per_s"].notna().tolist() == [True, True, False]
    assert "Speeds are those of 2 runs" in group.notes[0]


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


def test_a_record_of_a_newer_layout_says_so(folder, tmp_path, make):
    folder(tmp_path, make.record(make.spec(), schema_version=record.SCHEMA_VERSION + 1))
    with pytest.raises(ZooError, match="upgrade genzoo"):
        load([tmp_path])


@pytest.fixture
def of_versions(folder, tmp_path, make):
    """Load runs of one model, seed by seed, of which each has FID and KID of some versions of their metrics."""

    def loaded(*versions):
        records = []
        for seed, (fid, kid) in enumerate(versions):
            scores = {
                name: Score(plugin="genzoo", version=version, judge=JUDGE, values={name: 10.0 ** int(version)})
                for name, version in (("fid", fid), ("kid", kid))
                if version
            }
            records.append(
                make.record(make.spec(seed=seed), scores=scores, started_at=make.start + timedelta(days=seed))
            )
        (group,) = groups(load([folder(tmp_path / "bench", *records)]).frame)
        return group

    return loaded


def test_versions_of_a_metric_are_never_averaged(of_versions):
    group = of_versions(("1", "1"), ("1", "1"), ("2", "1"))
    assert group.runs["fid"].dropna().tolist() == [10.0] * 2
    assert group.runs["kid"].tolist() == [10.0] * 3
    assert group.notes == [
        "Values of fid are of genzoo 1 in 2 runs; those of 1 run are of other versions and left out: "
        "`zoo score` computes them again."
    ]


def test_of_as_many_runs_the_version_of_the_latest_is_kept(of_versions):
    group = of_versions(("2", "1"), ("1", "1"))
    assert group.runs["fid"].isna().tolist() == [True, False]
    assert "Values of fid are of genzoo 1 in 1 run;" in group.notes[0]


def test_columns_of_the_same_fate_are_one_sentence(of_versions):
    group = of_versions(("1", "1"), ("1", "1"), ("2", "2"))
    assert [note.partition(" are of genzoo")[0] for note in group.notes] == ["Values of fid and kid"]


def test_a_run_without_a_metric_has_no_other_version_of_it(of_versions):
    group = of_versions(("1", "1"), ("1", ""), ("1", ""))
    assert group.runs["kid"].notna().tolist() == [True, False, False]
    assert group.notes == []


def test_a_version_that_is_not_known_is_another(make):
    """Metrics of others have none in records of schema 2."""
    known, unknown = (Score(plugin="genzoo", version=v, judge=JUDGE, values={"fid": 2.0}) for v in ("1", ""))
    frame = to_frame([make.record(make.spec(seed=i), scores={"fid": s}) for i, s in enumerate((known, known, unknown))])
    (group,) = groups(frame)
    assert group.runs["fid"].notna().tolist() == [True, True, False]


def test_a_table_alone_keeps_versions_apart(of_versions, tmp_path):
    of_versions(("1", "1"), ("1", "1"), ("2", "1"))
    (group,) = groups(load_results(tmp_path / "bench" / "results.csv"))
    assert group.runs["fid"].isna().tolist() == [False, False, True]


def test_samples_made_elsewhere_are_in_every_group_of_their_task_version_and_judge(folder, tmp_path, make):
    runs = [make.drawn(make.spec(seed=s, budget=budget), 2.0) for s in (0, 1) for budget in ("200k", "2M")]
    apart = [
        make.drawn(make.spec(task=task, seed=5), 2.0, judge=j) for task, j in (("ring8", JUDGE), ("digits", "other@1"))
    ]
    found = groups(load([folder(tmp_path, *runs, *apart, make.outside("theirs", 1.0))]).frame)
    assert [(g.key["task"], g.key["judge"], g.key["budget"], list(g.runs["_label"])) for g in found] == [
        ("digits", JUDGE, "200k", ["gan", "gan", "theirs (outside)"]),
        ("digits", JUDGE, "2M", ["gan", "gan", "theirs (outside)"]),
        ("digits", "other@1", "200k", ["gan"]),
        ("ring8", JUDGE, "200k", ["gan"]),
    ]


@pytest.mark.parametrize("changes", [{"task": "ring8"}, {"task_version": "2"}])
def test_samples_without_runs_beside_them_are_a_group_of_their_own(folder, tmp_path, make, changes):
    records = [
        make.drawn(make.spec(), 2.0),
        make.outside("theirs", 1.0, **changes),
        make.outside("ours", 3.0, **changes),
    ]
    of_runs, alone = groups(load([folder(tmp_path, *records)]).frame)
    assert of_runs.runs["_label"].tolist() == ["gan"]
    assert alone.runs["_label"].tolist() == ["ours (outside)", "theirs (outside)"]
    assert (alone.key["budget"], alone.key["task"]) == ("", changes.get("task", "digits"))


def test_samples_of_the_name_of_a_model_are_another_row(folder, tmp_path, make):
    (group,) = groups(load([folder(tmp_path, make.drawn(make.spec(), 2.0), make.outside("gan", 1.0))]).frame)
    assert group.runs["_label"].nunique() == 2

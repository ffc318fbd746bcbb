from datetime import timedelta

import pytest

from drawn_benches import JUDGE, scores
from zoo_bench.plan.record import Score, row
from zoo_bench.report.read.groups import groups, kept_apart
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
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


def test_what_is_odd_of_several_models_is_said_once(make):
    odd = ["a feature hardly varies"]
    specs = [make.spec(model=model, seed=seed) for model in ("gan", "vae") for seed in range(2)]
    records = [make.record(spec, metrics={"fid": 2.0}, notes=odd) for spec in specs]
    (group,) = groups(to_frame([*records, make.record(make.spec(model="dcgan"), metrics={"fid": 2.0})]))
    assert group.notes == ["In 4 runs of gan and vae, a feature hardly varies."]


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


def test_marks_are_said_of_each_model_once(make):
    marks = ["it took steps", "it opened a file"], ["it took steps"], [], []
    models = ("gan", "gan", "gan", "vae")
    records = [
        make.drawn(make.spec(model=model, seed=seed), 2.0, marks=m)
        for seed, (model, m) in enumerate(zip(models, marks, strict=True))
    ]
    (group,) = groups(to_frame(records))
    assert group.marks == {"gan": ["in 2 runs, it took steps", "in 1 run, it opened a file"]}
    summary = summarise(group)
    assert summary.marks == ["! gan: in 2 runs, it took steps; in 1 run, it opened a file."]
    assert [(model.label, model.no_claim) for model in summary.models] == [("vae", ""), ("gan", "marked")]


def test_of_many_marks_the_last_are_counted(make):
    records = [make.drawn(make.spec(seed=seed), 2.0, marks=[f"it took {seed} steps"]) for seed in range(9)]
    (group,) = groups(to_frame(records))
    (said,) = summarise(group).marks
    assert said.count("in 1 run, it took") == 4
    assert said.endswith("; and 5 more.")


def test_a_table_without_marks_has_none(make):
    (group,) = groups(to_frame([make.drawn(make.spec(), 2.0)]).drop(columns="marks"))
    assert group.marks == {}


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
    of_runs, alone = found = groups(load([folder(tmp_path, *records)]).frame)
    assert of_runs.runs["_label"].tolist() == ["gan"]
    assert alone.runs["_label"].tolist() == ["ours (outside)", "theirs (outside)"]
    assert (alone.key["budget"], alone.key["task"]) == ("", changes.get("task", "digits"))
    assert all("budget (200k, none)" in sentence for sentence in kept_apart(found))


def test_samples_of_the_name_of_a_model_are_another_row(folder, tmp_path, make):
    (group,) = groups(load([folder(tmp_path, make.drawn(make.spec(), 2.0), make.outside("gan", 1.0))]).frame)
    assert group.runs["_label"].nunique() == 2


def test_samples_made_elsewhere_have_no_say_on_the_version_of_a_metric(make_record):
    outside = {"plugin": "", "plugin_version": "", "budget": "", "precision_mode": "", "device": "", "threads": None}
    records = [make_record({"seed": seed}, {"fid": 1.0}) for seed in (0, 1)]
    records += [
        make_record(
            {"model": "else", "seed": seed, "samples": "ab", **outside}, scores=scores({"fid": 9.0}, version="2")
        )
        for seed in range(5)
    ]
    (group,) = groups(to_frame(records))
    assert group.trained["fid"].tolist() == [1.0, 1.0]
    assert group.runs["fid"].count() == 2
    assert "those of 5 runs are of other versions" in " ".join(group.notes)


def test_models_that_were_given_labels_stand_in_a_table_of_their_own(folder, tmp_path, make):
    given = {"conditional": True, "classes": 10}
    runs = [make.drawn(make.spec(seed=seed, config=config), 2.0) for seed in (0, 1) for config in ({}, given)]
    found = groups(load([folder(tmp_path, *runs)]).frame)
    assert [group.key["labels"] for group in found] == ["", "given"]
    (sentence,) = kept_apart(found)
    assert "labels (none, given)" in sentence

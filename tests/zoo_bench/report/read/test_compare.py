import math
from itertools import combinations

import pytest

from drawn_benches import JUDGE
from zoo.errors import ZooError
from zoo_bench.plan.record import Outcome, Score
from zoo_bench.report.read.compare import folders, models
from zoo_bench.report.read.gate import Limit, gates
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.statistics import holm, welch
from zoo_bench.report.read.summary import summarise
from zoo_bench.store.records import Store


@pytest.fixture(scope="module")
def pair(tmp_path_factory, make):
    """Two benches, the second with an FID 30 % higher. Do not change them."""
    folder = tmp_path_factory.mktemp("pair")
    return make.bench(folder / "a", seeds=5), make.bench(folder / "b", seeds=5, factor=1.3)


def change_of(changes, model, column):
    (found,) = [c for c in changes if c.pair == model and c.metric.name == column]
    return found


def test_folders_are_compared_model_by_model_with_welchs_test(pair):
    a, b = map(load, ([pair[0]], [pair[1]]))
    changes, notes = folders(a, b)
    assert notes == []
    raw = {}
    for model in a.frame["model"].unique():
        values = [r.frame.loc[r.frame["model"] == model, "fid"].tolist() for r in (a, b)]
        raw[model] = welch(*values, log=True)
    corrected = dict(zip(raw, holm([d.p for d in raw.values()]), strict=True))
    for model, difference in raw.items():
        found = change_of(changes, model, "fid")
        assert found.difference == difference
        assert found.p == pytest.approx(corrected[model])
        assert found.relative == pytest.approx(difference.estimate.mean - 1)
    assert change_of(changes, "dcgan", "fid").verdict == "worse"
    assert change_of(changes, "dcgan", "params").verdict == "the same"


def test_what_is_too_close_is_not_separable(tmp_path, make):
    a, b = (load([make.bench(tmp_path / name, seeds=5, factor=f)]) for name, f in (("a", 1.0), ("b", 1.02)))
    found = change_of(folders(a, b)[0], "gan", "fid")
    assert found.p > 0.05
    assert found.verdict == "not separable"
    assert found.seeds_needed.low > 5


def test_one_seed_says_nothing_about_spread(tmp_path, make):
    a, b = (load([make.bench(tmp_path / name, seeds=1, factor=f)]) for name, f in (("a", 1.0), ("b", 2.0)))
    found = change_of(folders(a, b)[0], "gan", "fid")
    assert math.isnan(found.p)
    assert "nothing about spread" in found.verdict


def test_what_no_seed_changes_differs_without_a_test(tmp_path, make):
    small, large = (
        load([make.write(tmp_path / str(n), [make.drawn(make.spec(seed=s), 2.0, params=n) for s in (0, 1, 2)])])
        for n in (1000, 2000)
    )
    changes, _ = folders(small, large)
    found = change_of(changes, "gan", "params")
    assert (found.verdict, found.seeds_needed, found.shown()) == ("rises", None, ("+100%", ""))
    assert math.isnan(found.p)
    assert found.separable()


def test_two_models_of_one_folder(pair):
    changes = models(load([pair[0]]), "dcgan", "gan")
    assert change_of(changes, "dcgan (A), gan (B)", "fid").verdict == "worse"
    with pytest.raises(ZooError, match="gan"):
        models(load([pair[0]]), "dcgan", "gam")


def test_speeds_of_different_machines_are_not_compared(tmp_path, make):
    a = make.bench(tmp_path / "a", seeds=2)
    records = [make.drawn(make.spec(seed=s), 2.0, environment={"processor": "Other", "cores": 1}) for s in (0, 1)]
    changes, notes = folders(load([a]), load([make.write(tmp_path / "b", records)]))
    assert "train_images_per_s" not in {c.metric.name for c in changes if c.compared}
    assert any("speeds are not compared" in note for note in notes)
    assert any("dcgan is only in A" in note for note in notes)


def test_means_that_leave_out_finished_runs_support_no_verdict(tmp_path, make):
    reached = {"a": [1e5, 1.1e5, 1.05e5, 1.1e5], "b": [1e4, 1.1e4, math.inf, math.inf]}
    specs = {name: [make.spec(seed=seed) for seed in range(4)] for name in reached}
    roots = [
        make.write(
            tmp_path / name,
            [make.record(s, metrics={"images_to_target": v}) for s, v in zip(specs[name], values, strict=True)],
        )
        for name, values in reached.items()
    ]
    changes, _ = folders(*(load([root]) for root in roots))
    found = change_of(changes, "gan", "images_to_target")
    assert (found.b.n, found.verdict) == (2, "some finished runs have no value")


def test_of_samples_made_elsewhere_the_difference_is_shown_and_nothing_is_claimed(tmp_path, make):
    runs = [make.drawn(make.spec(seed=seed), fid) for seed, fid in enumerate((10.0, 10.1, 9.9))]
    others = [make.outside("theirs", fid, seed) for seed, fid in enumerate((1.0, 1.1, 0.9))]
    bench = Store(tmp_path)
    for record in (*runs, *others):
        bench.save(Outcome(record))
    found = change_of(models(load([tmp_path]), "gan", "theirs (outside)"), "gan (A), theirs (outside) (B)", "fid")
    assert found.relative < -0.8
    assert math.isnan(found.p)
    assert found.verdict == "B was made elsewhere: no claim"


def test_figures_under_different_twins_are_not_compared(tmp_path, make):
    """Each folder of results trains a second judge for itself."""

    def bench(name, twin):
        judge = f"{JUDGE} and pixels-32@0123abcd and {twin}"
        panel = Score(plugin="genzoo", version="1", judge=judge, values={"fid_twin": 3.0})
        own = Score(plugin="genzoo", version="1", judge=JUDGE, values={"fid": 2.0})
        records = [make.record(make.spec(seed=seed), scores={"fid": own, "panel": panel}) for seed in range(2)]
        for record in records:
            Store(tmp_path / name).save(Outcome(record))
        return load([tmp_path / name])

    a, b = bench("a", "twin-1@00000001"), bench("b", "twin-2@00000002")
    changes, notes = folders(a, b)
    assert "fid" in {change.metric.name for change in changes if change.compared}
    found = change_of(changes, "gan", "fid_twin")
    assert (found.compared, found.verdict) == (False, "judges or versions differ")
    assert notes[-1].endswith(": fid_twin: not compared, because judges or versions differ")
    same, _ = folders(a, a)
    assert change_of(same, "gan", "fid_twin").compared


def test_a_task_whose_judges_differ_stands_in_the_way_beside_one_that_can_be_compared(tmp_path, make):
    for side, judge in (("a", "x@1"), ("b", "y@1")):
        records = [
            make.drawn(make.spec(task=task, seed=seed), 2.0, judge=judge if task == "mnist" else JUDGE)
            for task in ("digits", "mnist")
            for seed in (0, 1)
        ]
        make.write(tmp_path / side, records)
    changes, notes = folders(load([tmp_path / "a"]), load([tmp_path / "b"]))
    found = {change.key["task"]: change for change in changes if change.metric.name == "fid"}
    assert found["digits"].compared
    assert found["mnist"].verdict == "runs on mnist differ in judge (x@1 in A, y@1 in B)"
    assert math.isnan(found["mnist"].p)
    assert sum("only in" in note for note in notes) == 2


def test_samples_that_were_made_elsewhere_stand_beside_models_to_which_seeds_were_added(tmp_path, make):
    runs = [make.drawn(make.spec(seed=seed), 2.0, seed_plan="auto") for seed in range(4)]
    results = load([make.write(tmp_path, [*runs, make.outside("mine", 1.0), make.outside("mine", 1.1)])])
    (change,) = [c for c in models(results, "mine (outside)", "gan") if c.metric.name == "fid"]
    assert change.verdict == "A was made elsewhere: no claim"
    assert change.difference.estimate.n == 1
    assert any(c.pair == "mine (outside)" for c in folders(results, results)[0])


@pytest.mark.parametrize("seeds", [1, 3])
def test_two_models_of_one_table_have_its_p_values_and_verdicts(tmp_path, make, seeds):
    results = load([make.bench(tmp_path, seeds=seeds)])
    (summary,) = (summarise(group) for group in groups(results.frame))
    for a, b in combinations(summary.models, 2):
        for change in models(results, a.label, b.label):
            claims = summary.claims[change.metric.name]
            assert change.separable() == claims.is_separable(a, b)
            if not change.comparison.exact:
                assert change.p == pytest.approx(claims.p_values[a.label, b.label], nan_ok=True)
                assert change.tests == (15 if seeds > 1 else 0)


def test_a_gate_fails_exactly_where_the_table_separates_two_models(tmp_path, make):
    results = load([make.bench(tmp_path, seeds=3)])
    (summary,) = (summarise(group) for group in groups(results.frame))
    limits, claims, found = [Limit.parse("fid:+0%"), Limit.parse("fid:-0%")], summary.claims["fid"], set()
    for a, b in combinations(summary.models, 2):
        failed = [gate for gate in gates(limits, models(results, a.label, b.label)) if not gate.passed]
        assert len(failed) == claims.is_separable(a, b)
        found.add(len(failed))
    assert found == {0, 1}


def test_a_model_with_failed_runs_has_no_p_value(tmp_path, make):
    records = [make.drawn(make.spec(model=name, seed=s), 2.0) for name in ("gan", "vae") for s in range(3)]
    records.append(make.record(make.spec(model="gan", seed=3), status="diverged", error="it diverged"))
    changes = models(load([make.write(tmp_path, records)]), "gan", "vae")
    found = change_of(changes, "gan (A), vae (B)", "fid")
    assert math.isnan(found.p)
    assert found.verdict == "A has failed runs: no claim"
    assert found.row()["failed_a"] == 1

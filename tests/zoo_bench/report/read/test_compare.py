import json
import math

import pytest

from drawn_benches import JUDGE
from zoo.cli import main
from zoo.errors import ZooError
from zoo_bench.plan.record import Outcome, Score
from zoo_bench.report.read.compare import Limit, folders, models
from zoo_bench.report.read.results import load
from zoo_bench.report.read.statistics import holm, welch
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
    assert [v.endswith("changed by +100 %") for v in Limit.parse("params:+5%").violations(changes)] == [True]


def test_two_models_of_one_folder(pair):
    changes = models(load([pair[0]]), "dcgan", "gan")
    assert change_of(changes, "dcgan (A), gan (B)", "fid").verdict == "worse"
    with pytest.raises(ZooError, match="gan"):
        models(load([pair[0]]), "dcgan", "gam")


@pytest.mark.parametrize(
    ("other", "reason"),
    [({"budget": "2M"}, "budget (200k in A, 2M in B)"), ({"task": "ring8"}, "A has digits, B has ring8"),
     ({"judge": "x@1", "device": "cuda"}, "judge (digits-cnn@01234567 in A, x@1 in B) and device")],
)  # fmt: skip
def test_what_is_not_comparable_is_refused_with_the_reason(tmp_path, make, capsys, other, reason):
    make.bench(tmp_path / "a", seeds=1)
    make.bench(tmp_path / "b", seeds=1, **other)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


def test_speeds_of_different_machines_are_not_compared(tmp_path, make):
    a = make.bench(tmp_path / "a", seeds=2)
    records = [make.drawn(make.spec(seed=s), 2.0, environment={"processor": "Other", "cores": 1}) for s in (0, 1)]
    changes, notes = folders(load([a]), load([make.write(tmp_path / "b", records)]))
    assert "train_images_per_s" not in {c.metric.name for c in changes}
    assert any("speeds are not compared" in note for note in notes)
    assert any("dcgan is only in A" in note for note in notes)


@pytest.mark.parametrize(
    ("limit", "code"),
    [("fid:+5%", 1), ("fid:+90%", 0), ("fid:-5%", 0), ("fid:+0.1", 1), ("fid:+1000", 0), ("params:+0%", 0),
     (" fid : +5 % ", 1)],
)  # fmt: skip
def test_the_exit_code_is_for_ci(pair, capsys, limit, code):
    assert main(["compare", *map(str, pair), "--fail-if", limit]) == code
    assert bool(capsys.readouterr().err) == bool(code)


def test_a_model_that_no_longer_finishes_fails(tmp_path, make, capsys):
    a = make.bench(tmp_path / "a", seeds=2)
    failed = [make.record(make.spec(model="gan", seed=s), status="error", error="it broke") for s in (0, 1)]
    b = make.write(tmp_path / "b", failed)
    assert main(["compare", str(a), str(b), "--fail-if", "fid:+5%"]) == 1
    assert "no finished run in B" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["fid", "fid:5%", "fid:+", "fid:+x%", ":+5%", "fid:+5%%", ""])
def test_a_limit_of_another_form_is_refused(text):
    with pytest.raises(ZooError, match="not understood"):
        Limit.parse(text)


def test_an_unknown_metric_in_a_limit_is_refused_with_the_nearest(pair, capsys):
    assert main(["compare", *map(str, pair), "--fail-if", "fit:+5%"]) == 2
    assert "fid" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["A"], ["A", "A", "A"], ["A", "--models", "gan"], ["A", "A", "--models", "a,b"]])
def test_anything_but_two_sides_is_refused(bench, capsys, arguments):
    assert main(["compare", *(str(bench) if a == "A" else a for a in arguments)]) == 2
    assert "two folders" in capsys.readouterr().err


def test_json_has_a_row_per_metric(pair, capsys):
    assert main(["compare", *map(str, pair), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    (row,) = [r for r in rows if (r["model"], r["metric"]) == ("gan", "fid")]
    assert row["scale"] == "ratio"
    assert row["low"] < row["change"] < row["high"]
    assert row["verdict"] == "worse"


def test_models_of_one_bench_are_named_with_several_settings(tmp_path, make, capsys):
    settings = [{"lr": 0.001, "z_dim": 8}, {"lr": 0.002, "z_dim": 8}]
    specs = [make.spec(model="toy", config=config, seed=seed) for config in settings for seed in (0, 1)]
    root = make.write(tmp_path / "bench", [make.drawn(spec, 1.0) for spec in specs])
    assert main(["compare", str(root), "--models", "toy[lr=0.001,z_dim=8],toy[lr=0.002,z_dim=8]", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["model"] for row in rows} == {"toy[lr=0.001,z_dim=8] (A), toy[lr=0.002,z_dim=8] (B)"}


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
    assert "fid" in {change.metric.name for change in changes}
    assert "fid_twin" not in {change.metric.name for change in changes}
    assert notes[-1].endswith(": fid_twin: not compared, because judges or versions differ")
    same, _ = folders(a, a)
    assert "fid_twin" in {change.metric.name for change in same}

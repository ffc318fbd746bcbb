"""A study of variance: which runs it has, what it trains, samples again and stores, and what it says of failures."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from drawn_benches import scored
from zoo.cli import main
from zoo_bench.executors import Finished, Options
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.scoring import Scoring
from zoo_bench.report.read.variance import AXES
from zoo_bench.run.rescore import is_kept
from zoo_bench.score.stored import WEIGHTS
from zoo_bench.store.records import Store
from zoo_bench.variance import described, design, study

ALONE = Options(workers=1, threads=1, timeout=None)
ARGUMENTS = ["variance", "gan", "--budget", "640", "--workers", "1", "--threads", "1"]
DEVIATIONS = {"initialisation": 0.3, "data": 0.05, "training": 0.1, "sampling": 0.02}


def planned(bases=6, repeats=3, **options):
    usual = {"models": "gan", "budget": "640", "precision": "fp32", "workers": 1, "threads": 1}
    return design(BenchOptions(**{**usual, **options}), bases, repeats)


def log_fid(spec):
    """Return an additive truth: every axis has an effect that is drawn from its seed."""
    draws = {axis: np.random.default_rng(spec.seed_of(axis)).normal(0, DEVIATIONS[axis]) for axis in AXES}
    return 2 + sum(draws.values())


@pytest.fixture
def executed(monkeypatch):
    """Replace training and sampling by that truth; runs in ``broken`` end with that status. Return what was done."""
    done, broken = {"trained": [], "sampled": []}, {}

    def outcome(spec, what):
        done[what].append(spec)
        status = broken.get(spec, "ok")
        found = scored(spec, Scoring(("fid",))) if status == "ok" else {}
        if found:
            found["fid"].values = {"fid": math.exp(log_fid(spec))}
        record = RunRecord(
            run_id=spec.run_id, spec=spec, status=status, error="" if found else "it broke", threads=1, contended=False,
            started_at=datetime.now(UTC), scores=found, judge=found["fid"].judge if found else "",
        )  # fmt: skip
        return Finished(spec, Outcome(record, {WEIGHTS: b"weights", ".png": b"a sheet"}))

    def run(specs, options):
        assert options.scoring.metrics == ("fid",)
        yield from (outcome(spec, "trained") for spec in specs)

    def run_here(specs, options, work):
        for spec in specs:
            path, names = work.keywords["outdated"][spec.run_id]
            assert names == ["fid"]
            assert path.with_suffix(WEIGHTS).read_bytes() == b"weights"
            assert f"seed={spec.seed}-" in path.name
        yield from (outcome(spec, "sampled") for spec in specs)

    monkeypatch.setattr("zoo_bench.executors.local.run", run)
    monkeypatch.setattr("zoo_bench.variance.run_here", run_here)
    return done, broken


def test_runs_of_an_axis_differ_from_their_base_in_its_seed_alone():
    plan = planned()
    for axis in AXES:
        for base, *further in plan.around(axis):
            assert len(further) == 2
            for spec in further:
                assert spec == base.with_changes(seeds=spec.seeds)
                assert [other for other in AXES if spec.seed_of(other) != base.seed_of(other)] == [axis]


def test_runs_that_are_to_be_independent_share_no_seed():
    plan = planned()
    for axis in AXES:
        seeds = Counter(spec.seed_of(axis) for group in plan.around(axis) for spec in group)
        assert set(seeds.values()) == {1}


def test_runs_are_the_same_whatever_the_size_of_the_study():
    small, large = planned(3, 2), planned(5, 4)
    assert set(small.bases + small.further(AXES)) < set(large.bases + large.further(AXES))


def test_sampling_trains_nothing_and_weights_are_those_of_bases_only(executed, tmp_path):
    done, _ = executed
    plan, store = planned(), Store(tmp_path)
    study(plan, store, ALONE)
    assert len(done["trained"]) == 6 * (1 + 3 * 2)
    assert len(done["sampled"]) == 6 * 2
    assert not any("sampling" in spec.seeds for spec in done["trained"])
    assert {spec for spec in done["trained"] if is_kept(store.path(spec))} == set(plan.bases)
    assert not list(tmp_path.rglob("*.png"))
    assert len(Store(tmp_path).records()) == len(done["trained"]), "samplings of one training are no runs of their own"


def test_components_are_those_of_the_runs(executed, tmp_path):
    plan = planned(8, 2)
    found = study(plan, Store(tmp_path), ALONE)
    assert (found.label, found.task, found.budget, found.failed) == ("gan", "digits", "640", [])
    bases = [log_fid(spec) for spec in plan.bases]
    assert found.components.mean == pytest.approx(math.exp(np.mean(bases)))
    assert found.components.total.value == pytest.approx(np.std(bases, ddof=1))
    for component in found.components.axes:
        pairs = [[log_fid(spec) for spec in group] for group in plan.around(component.axis)]
        assert component.deviation.value == pytest.approx(np.sqrt(np.mean(np.var(pairs, axis=1, ddof=1))))


def test_stored_runs_are_not_done_again_and_more_bases_add_only_theirs(executed, tmp_path):
    done, _ = executed
    first = study(planned(), Store(tmp_path), ALONE)
    counts = {what: len(specs) for what, specs in done.items()}
    assert study(planned(), Store(tmp_path), ALONE) == first
    assert {what: len(specs) for what, specs in done.items()} == counts
    study(planned(7, 3), Store(tmp_path), ALONE)
    assert {spec.seed for specs in done.values() for spec in specs[counts["trained"] :]} == {6}
    assert len(done["trained"]) - counts["trained"] == 7


def test_a_base_without_weights_is_trained_again(executed, tmp_path):
    done, _ = executed
    plan, store = planned(), Store(tmp_path)
    first = study(plan, store, ALONE)
    store.path(plan.bases[2]).with_suffix(WEIGHTS).unlink()
    done["trained"].clear()
    assert study(plan, Store(tmp_path), ALONE) == first
    assert done["trained"] == [plan.bases[2]]


@pytest.mark.parametrize(("status", "again"), [("diverged", False), ("error", True), ("timeout", True)])
def test_a_run_that_failed_is_named_and_its_base_is_left_out_of_the_axis(executed, tmp_path, status, again):
    done, broken = executed
    plan = planned()
    spec = plan.around("data")[1][2]
    whole = study(plan, Store(tmp_path / "whole"), ALONE).components.axes
    broken[spec] = status
    found = study(plan, Store(tmp_path / "broken"), ALONE)
    assert found.failed == [f"gan on digits, seed 1, data order 2001: {status}: it broke"]
    assert [axis.failed for axis in found.components.axes] == [0, 1, 0, 0]
    assert [axis == other for axis, other in zip(found.components.axes, whole, strict=True)] == [
        True,
        False,
        True,
        True,
    ]
    done["trained"].clear()
    study(plan, Store(tmp_path / "broken"), ALONE)
    assert done["trained"] == [spec] * again


def test_weights_of_a_base_that_failed_are_not_sampled(executed, tmp_path):
    done, broken = executed
    plan = planned()
    broken[plan.bases[0]] = "diverged"
    found = study(plan, Store(tmp_path), ALONE)
    assert not any(spec.seed == 0 for spec in done["sampled"])
    assert [axis.failed for axis in found.components.axes] == [1, 1, 1, 3]
    assert found.components.failed == 1
    assert "gan on digits, seed 0, sampling 1000: not done, because its base failed" in found.failed


def test_an_fid_without_logarithm_counts_as_failed(executed, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "log_fid", lambda spec: -math.inf)
    found = study(planned(2, 2), Store(tmp_path), ALONE)
    assert len(found.failed) == 2 * (1 + 4)
    assert found.failed[0] == "gan on digits, seed 0: FID 0.0 has no logarithm"


def test_a_run_is_called_by_the_axis_in_which_it_differs():
    [base, other, _], *_ = planned().around("training")
    assert described(base) == "gan on digits, seed 0"
    assert described(other) == "gan on digits, seed 0, training noise 1000"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gn"], "unknown model 'gn': did you mean 'gan'?"),
        (["gan,vae"], "a study is of one model on one task, and here are 2: gan on digits, vae on digits"),
        (["gan", "--task", "digits,ring8"], "here are 2: gan on digits, gan on ring8"),
        (["gan", "--task", "digit"], "unknown task 'digit': did you mean 'digits'?"),
        (["gan", "--budget", "much"], "budget 'much'"),
        (["gan", "--bases", "1"], "--bases must be 2 to 1,000, got 1"),
        (["gan", "--repeats", "1001"], "--repeats must be 2 to 1,000, got 1001"),
        (["gan", "--workers", "0"], "--workers must be at least 1, got 0"),
        (["gan", "--set", "gan.pakcing=2"], "did you mean 'packing'?"),
        (["dcgan", "--task", "ring8"], "'dcgan' does not apply to points"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(arguments, sentence, tmp_path, capsys, monkeypatch):
    from zoo.cli import entry

    monkeypatch.setattr("sys.argv", ["zoo", "variance", "--out", str(tmp_path / "out"), *arguments])
    with pytest.raises(SystemExit) as end:
        entry()
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_prints_a_row_per_axis_and_what_it_means(executed, tmp_path, capsys):
    assert main([*ARGUMENTS, "--bases", "6", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    names = ["axis", "initialisation", "data", "training", "sampling", "all"]
    assert [row[0] for row in rows if row and row[0] in names] == names
    assert "gan on digits, budget 640, judge digits-cnn@" in printed
    found = study(planned(6, 2), Store(tmp_path), ALONE)
    assert all(sentence in printed for sentence in found.components.sentences())
    assert f" {100 * math.expm1(found.components.total.value):.3g}% " in printed


def test_a_command_that_is_interrupted_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo_bench.variance.study", interrupted)
    assert main([*ARGUMENTS, "--bases", "6", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted: finished runs are stored; the same command does the rest\n"


def test_json_has_what_the_table_has_and_no_nan(executed, tmp_path, capsys):
    _, broken = executed
    broken.update(dict.fromkeys(planned().bases, "diverged"))
    assert main([*ARGUMENTS, "--bases", "6", "--out", str(tmp_path), "--json"]) == 1
    printed, logged = capsys.readouterr()
    found = json.loads(printed, parse_constant=pytest.fail)
    assert (found["label"], found["components"]["failed"], found["components"]["mean"]) == ("gan", 6, None)
    assert [axis["share"]["value"] for axis in found["components"]["axes"]] == [None] * 4
    assert found["sentences"][-1].startswith("Bases that finished: 0.")
    assert "gan on digits, seed 5: diverged: it broke" in logged


def test_a_study_of_real_runs_ends_as_it_is_repeated(tmp_path, capsys):
    arguments = [*ARGUMENTS, "--bases", "2", "--out", str(tmp_path), "--json"]
    assert main(arguments) == 0
    first, logged = capsys.readouterr()
    assert logged.count(": ok, FID") == 2 * 5
    assert all(axis["deviation"]["value"] > 0 for axis in json.loads(first)["components"]["axes"])
    assert main(arguments) == 0
    again, logged = capsys.readouterr()
    assert again == first
    assert ": ok" not in logged

"""Tuning: equal effort for every model, chosen on validation, repeatable and recorded."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime

import pytest

import zoo
from drawn_benches import JUDGE, scores
from zoo.cli import main
from zoo_bench.executors import Finished, Options
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.report.read.best_of_n import best_of_n
from zoo_bench.store.records import Store
from zoo_bench.tune import Effort, Study, tunable, tune

pytest.importorskip("optuna")
pytestmark = pytest.mark.extra
ALONE = Options(workers=1, threads=1, timeout=None)
EFFORT = Effort("digits", "5k", trials=12)


@pytest.fixture
def executed(monkeypatch):
    """Replace training: validation FID is lowest at lr 1e-3; test FID says the opposite. Return what was executed."""
    specs = []

    def run(missing, options):
        for spec in missing:
            specs.append(spec)
            lr = spec.config["lr"]
            distance = abs(math.log10(lr) + 3)
            record = RunRecord(
                run_id=spec.run_id, spec=spec, status="ok" if lr < 5e-3 else "diverged", threads=1, contended=False,
                started_at=datetime.now(UTC), scores=scores({"fid": 10 - distance}), curve_judge=JUDGE,
                curve=[{"images": 32, "fid": 0.0}, {"images": 64, "fid": 1 + distance + 0.1 * (spec.seed - 1000)}],
            )  # fmt: skip
            yield Finished(spec, Outcome(record, {".safetensors": b"weights"}))

    monkeypatch.setattr("zoo_bench.executors.local.run", run)
    return specs


def study(folder, model="gan", effort=EFFORT) -> Study:
    return tune(model, effort, Store(folder), ALONE)


def test_every_model_has_as_many_trials_and_the_first_are_the_defaults(executed, tmp_path):
    runs = set()
    for model in ("gan", "wgan-gp", "beta-vae"):
        found = study(tmp_path, model)
        assert len(found.trials) == 12
        assert found.trials[0].settings == {}
        assert all(trial.settings.keys() == found.search.keys() for trial in found.trials[1:])
        runs.update(run for trial in found.trials for run in trial.runs)
    assert len(executed) == len(runs), "a suggestion that is the defaults again is one run with them"


def test_the_choice_is_by_validation_at_the_end_and_nears_the_optimum(executed, tmp_path):
    found = study(tmp_path, effort=Effort("digits", "5k", trials=40))
    assert found.best.value == min(trial.value for trial in found.trials if trial.value is not None)
    assert abs(math.log10(found.best.settings["lr"]) + 3) < 0.15
    assert found.best.value < found.trials[0].value


def test_what_is_suggested_lies_in_the_declared_space(executed, tmp_path):
    found = study(tmp_path)
    assert found.search["lr"] == {"low": 1e-5, "high": 1e-2, "scale": "log"}
    for trial in found.trials[1:]:
        assert 1e-5 <= trial.settings["lr"] <= 1e-2
        assert trial.settings["betas"] in [(0.0, 0.9), (0.5, 0.9), (0.5, 0.999), (0.9, 0.999)]
        assert trial.settings["batch_size"] in [64, 128, 256]


def test_a_study_is_repeatable_by_its_seed(executed, tmp_path):
    one, same = (study(tmp_path / name) for name in "ab")
    other = study(tmp_path / "c", effort=Effort("digits", "5k", trials=12, seed=1))
    assert one == same
    assert one != other


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_draws_are_those_that_depend_on_no_value(executed, tmp_path, monkeypatch, sampler):
    """With other values the draws are the same; what TPE suggests after them differs."""
    effort = Effort("digits", "5k", trials=25, sampler=sampler)
    one = study(tmp_path / "one", effort=effort)
    monkeypatch.setattr("zoo_bench.tune._value", lambda records: 100 * records[0].spec.config["lr"])
    other = study(tmp_path / "other", effort=effort)
    assert [trial.settings for trial in one.draws] == [trial.settings for trial in other.draws]
    assert len(one.draws) == (24 if sampler == "random" else 10)
    assert one.draws == one.trials[1 : 1 + len(one.draws)]
    if sampler == "tpe":
        assert [trial.settings for trial in one.trials[13:]] != [trial.settings for trial in other.trials[13:]]


def test_the_curve_is_of_the_defaults_and_the_draws_with_what_diverged_as_worst(executed, tmp_path):
    found = study(tmp_path, effort=Effort("digits", "5k", trials=30, sampler="random"))
    values = [math.inf if trial.value is None else trial.value for trial in found.trials]
    assert math.inf in values[1:]
    assert found.best_of_n == best_of_n(values[0], values[1:])


def test_stored_runs_are_not_run_again_and_weights_are_not_kept(executed, tmp_path):
    first = study(tmp_path)
    done = len(executed)
    assert study(tmp_path) == first
    assert len(executed) == done
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize("status", ["error", "timeout", "interrupted"])
def test_a_run_that_did_not_end_by_itself_is_run_again(executed, tmp_path, make_record, status):
    first = study(tmp_path)
    [lost] = {spec.run_id: spec for spec in executed}.keys() & set(first.trials[3].runs)
    spec = next(spec for spec in executed if spec.run_id == lost)
    record = RunRecord(run_id=lost, spec=spec, status=status, threads=1, contended=False, started_at=datetime.now(UTC))
    Store(tmp_path).save(Outcome(record))
    executed.clear()
    assert study(tmp_path) == first
    assert [spec.run_id for spec in executed] == [lost]


def test_a_diverged_run_is_a_trial_without_value_and_is_never_best(executed, tmp_path):
    found = study(tmp_path, effort=Effort("digits", "5k", trials=40))
    diverged = [trial for trial in found.trials if trial.settings.get("lr", 0.0) >= 5e-3]
    assert diverged
    assert all(trial.value is None for trial in diverged)
    assert found.best not in diverged


def test_trials_of_several_seeds_are_averaged_on_the_log_scale(executed, tmp_path):
    found = study(tmp_path, effort=Effort("digits", "5k", trials=1, seeds=2))
    [trial] = found.trials
    base = 1 + abs(math.log10(executed[0].config["lr"]) + 3)
    assert trial.value == pytest.approx(math.sqrt(base * (base + 0.1)))
    assert [spec.seed for spec in executed] == [1000, 1001], "no seed of a bench"
    assert trial.runs == [spec.run_id for spec in executed]


def test_finals_run_the_best_trials_again_and_decide(executed, tmp_path, monkeypatch):
    effort = Effort("digits", "5k", trials=12, final_budget="20k")
    monkeypatch.setattr("zoo_bench.tune._order", lambda trial: -math.log10(trial.settings.get("lr", 1e-9)))
    found = study(tmp_path, effort=effort)
    ranked = sorted(found.trials, key=lambda trial: trial.settings.get("lr", 0.0), reverse=True)
    assert [trial.settings for trial in found.finals] == [trial.settings for trial in ranked[:3]]
    assert [spec.budget for spec in executed[-3:]] == ["20k"] * 3
    assert found.final_budget == "20k"
    assert found.best == found.finals[0]


def test_a_suggestion_that_repeats_another_is_one_finalist(executed, tmp_path, monkeypatch):
    one = {"lr": 1e-3, "betas": (0.5, 0.9), "batch_size": 64}
    monkeypatch.setattr("zoo_bench.tune._suggest", lambda trial, name, space: one[name])
    found = study(tmp_path, effort=Effort("digits", "5k", trials=4, final_budget="20k"))
    assert len({trial.runs[0] for trial in found.finals}) == len(found.finals) == 2


def test_the_study_is_a_file_that_says_what_it_took(executed, tmp_path):
    found = study(tmp_path)
    stored = json.loads((tmp_path / "digits-gan.json").read_text())
    assert Study.model_validate(stored).model_dump(mode="json") == found.model_dump(mode="json") == stored
    assert (stored["budget"], stored["seeds"], stored["seed"], stored["plugin"]) == ("5k", 1, 0, "genzoo")
    assert "optuna" in stored["sampler"]
    assert stored["judge"] == JUDGE, "that of the curves by which it was chosen"


def test_a_model_without_a_search_space_is_left_out_by_name(monkeypatch):
    cls = zoo.installed().models.get("gan").spec.load()
    monkeypatch.setattr(cls.Config, "search", {})
    names, [sentence] = tunable("gan,vae", "digits")
    assert names == ["vae"]
    assert sentence == "model 'gan' declares no search space: give its Config a `search`"


def test_a_model_that_does_not_apply_to_the_task_is_left_out_by_name():
    names, [sentence] = tunable("vae,dcgan", "grid25")
    assert names == ["vae"]
    assert "'dcgan' does not apply to points" in sentence


def test_what_is_fixed_is_in_every_trial_and_not_searched(executed, tmp_path):
    fixed = {"gan": {"betas": [0.5, 0.9], "batch_size": 32}}
    found = study(tmp_path, effort=Effort("digits", "5k", trials=4, final_budget="20k", fixed=fixed))
    assert found.fixed == fixed["gan"]
    assert list(found.search) == ["lr"]
    assert [sorted(trial.settings) for trial in found.trials] == [[], ["lr"], ["lr"], ["lr"]]
    assert {(spec.config["batch_size"], *spec.config["betas"]) for spec in executed} == {(32, 0.5, 0.9)}
    stored = Study.model_validate_json((tmp_path / "digits-gan.json").read_text())
    assert stored.fixed == fixed["gan"]


def test_a_model_with_nothing_left_to_search_is_left_out_by_name():
    names, [sentence] = tunable("gan,vae", "digits", {"gan": {"lr": 1e-3, "betas": [0.5, 0.9], "batch_size": 32}})
    assert names == ["vae"]
    assert sentence == "model 'gan' has nothing left to search: --set has all of lr, betas, batch_size"


@pytest.mark.parametrize("name", ["trials", "seeds"])
def test_effort_below_one_is_refused(name):
    with pytest.raises(zoo.ZooError, match=f"^--{name} must be at least 1, got 0$"):
        Effort("digits", "5k", **{"trials": 1, name: 0})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--models", "gn"], "unknown model 'gn': did you mean 'gan'?"),
        (["--models", "gan", "--task", "digit"], "unknown task 'digit': did you mean 'digits'?"),
        (["--models", "gan", "--trials", "0"], "--trials must be at least 1, got 0"),
        (["--models", "gan", "--trials", "10001"], "--trials must be at most 10,000, got 10001"),
        (["--models", "gan", "--seed=-1"], "--seed must be 0 to 4,294,967,295, got -1"),
        (["--models", "gan", "--budget", "much"], "budget 'much'"),
        (["--sampler", "randm"], "unknown sampler 'randm': did you mean 'random'?"),
        (["--models", "gan", "--final-budget", "much"], "budget 'much'"),
        (["--models", "gan", "--set", "gan.width"], "--set 'gan.width' must have the form MODEL.SETTING=VALUE"),
        (["--models", "gan", "--set", "vae.lr=1"], "--set has a setting of 'vae', which --models does not name"),
        (["--models", "dcgan,gan", "--set", "gan.pakcing=2"], "did you mean 'packing'?"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(arguments, sentence, tmp_path, capsys, monkeypatch):
    from zoo.cli import entry

    monkeypatch.setattr("sys.argv", ["zoo", "tune", "--out", str(tmp_path / "out"), *arguments])
    with pytest.raises(SystemExit) as end:
        entry()
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_best_settings_as_options_of_bench(executed, tmp_path, capsys, monkeypatch):
    from zoo.cli import entry

    arguments = ["--models", "gan", "--trials", "12", "--set", "gan.batch_size=32", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["zoo", "tune", *arguments])
    with pytest.raises(SystemExit) as end:
        entry()
    assert end.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "--set gan.batch_size=32 --set gan.lr=" in printed
    assert "--set 'gan.betas=[0." in printed


def test_a_command_that_is_interrupted_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo_bench.tune.tune", interrupted)
    assert main(["tune", "--models", "gan", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted: finished runs are stored; the same command does the rest\n"


def test_the_command_prints_what_finals_found(executed, tmp_path, capsys, monkeypatch):
    from zoo.cli import entry

    arguments = ["--models", "gan", "--trials", "12", "--final-budget", "100k", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["zoo", "tune", *arguments])
    with pytest.raises(SystemExit):
        entry()
    _, head, _, row = filter(str.strip, capsys.readouterr().out.splitlines()[:5])
    assert head.split()[:5] == ["model", "trials", "default", "best", "final"]
    stored = json.loads((tmp_path / "digits-gan.json").read_text())
    assert row.split()[4] == f"{min(trial['value'] for trial in stored['finals']):.3g}"


def printed_by(arguments, capsys, monkeypatch) -> str:
    from zoo.cli import entry

    monkeypatch.setattr("sys.argv", ["zoo", "tune", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        entry()
    assert end.value.code == 0
    return capsys.readouterr().out


def test_the_command_says_what_the_best_of_n_trials_is_expected_to_be(executed, tmp_path, capsys, monkeypatch):
    out = printed_by(["--models", "gan,vae", "--trials", "14", "--out", tmp_path], capsys, monkeypatch)
    assert "Expected best of n trials, the defaults and n - 1 random draws, with 95 % bands:" in out
    curve = Study.model_validate_json((tmp_path / "digits-gan.json").read_text()).best_of_n
    assert len(curve) == 11
    head, _, row, *_ = out[out.index("Expected") :].split("\n", 1)[1].strip().splitlines()
    assert [int(text.split()[0]) for text in head.split("n = ")[1:]] == [1, 2, 4, 8, 11]
    best = curve[7]
    assert f"{best.expected:.3g} ({best.low:.3g} to {best.high:.3g})" in row
    assert "is expected to be better" in out, "the GAN's defaults are worse than the VAE's, its draws are alike"
    assert "The curves end where TPE learns from values" in out
    assert (tmp_path / f"best-of-n-digits-50k-{JUDGE}.png").read_bytes().startswith(b"\x89PNG")


def test_show_prints_the_same_for_a_folder_of_studies_and_runs_nothing(executed, tmp_path, capsys, monkeypatch):
    arguments = ["--models", "gan,vae", "--trials", "6", "--sampler", "random", "--out", tmp_path]
    first = printed_by(arguments, capsys, monkeypatch)
    assert "TPE" not in first
    executed.clear()
    (tmp_path / "environment.json").write_text("{}")
    assert printed_by(["--show", tmp_path], capsys, monkeypatch) == first
    assert not executed


def test_curves_of_studies_under_different_judges_are_not_compared(executed, tmp_path, capsys, monkeypatch):
    arguments = ["--models", "gan,vae", "--trials", "14", "--out", tmp_path]
    assert printed_by(arguments, capsys, monkeypatch).count("is expected to be better") == 1
    file = tmp_path / "digits-vae.json"
    file.write_text(file.read_text().replace(JUDGE, "another@1"))
    out = printed_by(["--show", tmp_path], capsys, monkeypatch)
    assert "is expected to be better" not in out
    assert out.count("Expected best of n trials") == 2


def test_show_of_a_folder_without_studies_is_refused(executed, tmp_path, capsys, monkeypatch):
    from zoo.cli import entry

    study(tmp_path)
    (path,) = tmp_path.glob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "trials": []}))
    monkeypatch.setattr("sys.argv", ["zoo", "tune", "--show", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        entry()
    assert end.value.code == 2
    assert "no studies in" in capsys.readouterr().err


def test_show_names_what_is_no_study_and_shows_the_others(executed, tmp_path, capsys, monkeypatch):
    tune("gan", EFFORT, Store(tmp_path), ALONE)
    for name, content in {"empty": "", "list": "[]", "nan": '{"seeds": NaN}', "deep": "[" * 100_000}.items():
        (tmp_path / f"{name}.json").write_text(content)
    os.mkfifo(tmp_path / "pipe.json")
    capsys.readouterr()
    monkeypatch.setattr("sys.argv", ["zoo", "tune", "--show", str(tmp_path)])
    assert zoo.cli.main() == 0
    shown = capsys.readouterr()
    assert "gan" in shown.out
    named = [line for line in shown.err.splitlines() if line.startswith("zoo: ")]
    assert all(name in line for name, line in zip(["deep", "empty", "nan", "pipe"], named, strict=True))

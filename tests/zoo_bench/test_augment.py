"""A study of augmentation: which runs it has, what it trains and stores, and what it says of failures."""

from __future__ import annotations

import csv
import json
import math
from datetime import UTC, datetime

import pytest

from zoo.cli import main
from zoo.registry import installed
from zoo_bench.augment import design, study
from zoo_bench.data.sets.digits import digits
from zoo_bench.executors import Finished, Options
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.scoring import score_key
from zoo_bench.store.records import Store

ALONE = Options(workers=1, threads=1, timeout=None)
ARGUMENTS = ["--budget", "640", "--workers", "1", "--threads", "1"]


def planned(fractions=("0.1", "0.5"), **options):
    usual = {"models": "vae,dcgan", "task": "digits", "budget": "640", "precision": "fp32", "seeds": 3}
    return design(BenchOptions(**{**usual, "workers": 1, "threads": 1, **options}), fractions)


@pytest.fixture
def executed(monkeypatch):
    """Replace training by known accuracies; runs in ``broken`` end with that status. Return what was trained."""
    done, broken, task = [], {}, digits()

    def run(specs, options):
        for spec in specs:
            done.append(spec)
            status = broken.get(spec, "ok")
            real = 0.8 + 0.01 * spec.seed
            both = real + 0.02 + 0.001 * (spec.seed % 2)
            values = {"accuracy_real": real, "accuracy_generated": 0.6, "accuracy_both": both}
            key = score_key(installed().metrics.get("augmenting"), task)
            found = {"augmenting": key.model_copy(update={"values": values})} if status == "ok" else {}
            record = RunRecord(
                run_id=spec.run_id, spec=spec, status=status, error="" if found else "it broke", threads=1,
                contended=False, started_at=datetime.now(UTC), scores=found,
                judge=key.judge if found else "",
            )  # fmt: skip
            yield Finished(spec, Outcome(record))

    monkeypatch.setattr("zoo_bench.executors.local.run", run)
    return done, broken


def test_every_model_is_trained_with_labels_on_the_share_that_its_seed_draws():
    plan = planned()
    found = {(run.model, run.task, run.seed) for run in plan.runs}
    assert found == {
        (model, f"few@digits-{fraction}-{seed}", seed)
        for model in ("vae", "dcgan")
        for fraction in (0.1, 0.5)
        for seed in range(3)
    }
    assert all(run.conditional and run.config["classes"] == 10 for run in plan.runs)
    assert all(f"-{fraction:g}-" in run.task for run, fraction in plan.runs.items())


def test_runs_are_the_same_whatever_the_size_of_the_study():
    assert set(planned(["0.1"], models="vae", seeds=2).runs) < set(planned().runs)


def test_stored_runs_are_not_done_again_and_more_seeds_add_only_theirs(executed, tmp_path):
    done, _ = executed
    first = study(planned(), Store(tmp_path), ALONE)
    assert len(done) == 12
    assert study(planned(), Store(tmp_path), ALONE) == first
    assert len(done) == 12
    study(planned(seeds=4), Store(tmp_path), ALONE)
    assert {spec.seed for spec in done[12:]} == {3}


@pytest.mark.parametrize(("status", "again"), [("diverged", False), ("error", True)])
def test_a_run_that_failed_is_named_and_left_out(executed, tmp_path, status, again):
    done, broken = executed
    plan = planned()
    spec = next(run for run in plan.runs if run.model == "vae" and run.seed == 1)
    broken[spec] = status
    measured, failed = study(plan, Store(tmp_path), ALONE)
    assert len(measured) == 11
    assert failed == [f"{spec}: {status}: it broke"]
    done.clear()
    study(plan, Store(tmp_path), ALONE)
    assert done == [spec] * again


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--models", "va"], "unknown model 'va': did you mean 'vae'?"),
        (["--task", "digit"], "unknown task 'digit': did you mean 'digits'?"),
        (["--task", "ring8"], "has no classes of images"),
        (["--task", "few@digits-0.1-0"], "must be of a task without parameters"),
        (["--fraction", "0.1,2"], "a fraction must be a number from 0.000001 to 1, got '2'"),
        (["--fraction", ""], "a fraction must be a number"),
        (["--fraction", "a&draw=3"], "each name once"),
        (["--seeds", "auto"], "--seeds auto is for `zoo bench`"),
        (["--budget", "much"], "budget 'much'"),
        (["--set", "vae.bta=2"], "unknown setting of vae 'bta'"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(arguments, sentence, tmp_path, capsys, monkeypatch):
    from zoo.cli import entry

    monkeypatch.setattr("sys.argv", ["zoo", "augment", str(tmp_path / "out"), "--models", "vae", *arguments])
    with pytest.raises(SystemExit) as end:
        entry()
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_command_writes_rows_and_a_figure_and_says_what_helps(executed, tmp_path, capsys):
    assert main(["augment", str(tmp_path), "--models", "vae", "--fraction", "0.5,.1", *ARGUMENTS]) == 0
    printed, logged = capsys.readouterr()
    assert "vae: generated images help at 0.1 (+2.0 points) and 0.5 (+2.0 points)." in " ".join(printed.split())
    assert logged.count("ok, real 8") == 10
    rows = list(csv.DictReader((tmp_path / "augmentation.csv").open()))
    assert len(rows) == 2 * 5 * 3
    assert rows[4] == {"model": "vae", "fraction": "0.1", "seed": "1", "trained_on": "generated", "accuracy": "0.6"}
    assert (tmp_path / "augmentation.svg").exists()
    assert (tmp_path / "augmentation.png").exists()


def test_json_has_what_the_table_has_and_no_nan(executed, tmp_path, capsys):
    assert (
        main(["augment", str(tmp_path), "--models", "vae", "--fraction", "1", "--seeds", "1", "--json", *ARGUMENTS])
        == 0
    )
    [row] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (row["model"], row["fraction"], row["real"]["mean"], row["p"]) == ("vae", 1.0, 0.8, None)


def test_a_study_of_real_runs_ends_as_it_is_repeated(tmp_path, capsys):
    arguments = ["augment", str(tmp_path), "--models", "vae", "--fraction", "0.1", "--seeds", "2", "--json", *ARGUMENTS]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    [row] = json.loads(first)
    assert 0.8 < row["real"]["mean"] < 0.97
    assert 0.1 < row["generated"]["mean"] < row["real"]["mean"]
    assert not math.isnan(row["gain"]["low"])
    assert main(arguments) == 0
    again, logged = capsys.readouterr()
    assert again == first
    assert ": ok" not in logged

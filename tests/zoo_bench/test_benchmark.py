import errno
import gc
import inspect
import json
import os
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import zoo
import zoo_bench
from zoo.errors import UnknownNameError, ZooError
from zoo_bench import load_results
from zoo_bench.benchmark import prepare, run
from zoo_bench.executors import Finished, Started
from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.store.records import Store, checkpoint_path, read_record


def record_of(spec, status="ok", **fields):
    """Make the record of a run, with scores under the task's judge of today if it ended ok."""
    scores = {}
    if status == "ok":
        plan = prepared(Path("anywhere"), spec.model, spec.task, spec.budget).plan.scores[spec.task]
        scores = {name: plan.keys[name].model_copy() for name in plan.wanted}
        scores["fid"].values = {"fid": 10.0 + spec.seed}
        fields.setdefault("judge", plan.judge)
    return RunRecord(
        run_id=spec.run_id, spec=spec, status=status, error="" if status == "ok" else "it broke", scores=scores,
        threads=1, contended=False, started_at=datetime(2025, 1, 2, tzinfo=UTC), train_seconds=1.0,
        **fields,
    )  # fmt: skip


class Given(list):
    options = None


@pytest.fixture
def executed(monkeypatch):
    """Replace the local executor by one that trains nothing; returns the specs that it was given, with its options."""
    given = Given()

    def execute(specs, options):
        given.extend(specs)
        given.options = options
        for spec in specs:
            yield Started(spec, Resources(1, True))
            yield Finished(spec, Outcome(record_of(spec)))

    monkeypatch.setattr("zoo_bench.executors.local.run", execute)
    monkeypatch.setattr("zoo_bench.score.controls.score_controls", lambda root, plans, panel, timeout: None)
    return given


def prepared(out, models="vae,gan", task="digits", budget="640", seeds=2, **options):
    return prepare(BenchOptions(models=models, task=task, budget=budget, seeds=seeds, out=out, **options))


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_preparing_writes_nothing(tmp_path):
    bench = prepared(tmp_path / "out")
    assert len(bench.missing) == len(bench.plan.runs) == 4
    assert tree(tmp_path) == []


def test_what_is_stored_is_not_missing(finished_bench):
    assert not prepared(finished_bench).missing
    more = prepared(finished_bench, seeds=3)
    assert [(spec.model, spec.seed) for spec in more.missing] == [("vae", 2), ("gan", 2)]
    assert len(more.plan.runs) == 6


def test_another_setting_is_another_run(finished_bench):
    missing = prepared(finished_bench, settings={"vae": {"lr": 0.5}}).missing
    assert [(spec.model, spec.seed) for spec in missing] == [("vae", 0), ("vae", 1)]


def test_force_makes_everything_missing(finished_bench):
    assert len(prepared(finished_bench, force=True).missing) == 4


@pytest.mark.parametrize(
    ("status", "again", "retried"),
    [("ok", False, False), ("diverged", False, False), ("error", False, True), ("timeout", False, True),
     ("interrupted", True, True)],
)  # fmt: skip
def test_which_ends_are_run_again(tmp_path, status, again, retried):
    options = {"models": "vae", "seeds": 1, "precision": "fp32"}
    (spec,) = prepared(tmp_path, **options).plan.runs
    Store(tmp_path).save(Outcome(record_of(spec, status)))
    assert bool(prepared(tmp_path, **options).missing) == again
    assert bool(prepared(tmp_path, **options, retry_failed=True).missing) == retried


def test_nothing_left_to_run_is_an_error_with_the_reason(tmp_path):
    with pytest.raises(ZooError, match=r"nothing to run: model 'dcgan' does not apply to points"):
        prepared(tmp_path, "dc*", "ring8")


def test_running_stores_every_outcome_and_the_tables(tmp_path, executed):
    bench = prepared(tmp_path / "out")
    frame = run(bench)
    assert executed == bench.plan.runs
    names = [f"runs/digits/{s.model}/seed={s.seed}-{s.run_id[:8]}.json" for s in bench.plan.runs]
    files = {name for name in tree(tmp_path / "out") if "." in name}
    assert {*names, "environment.json", "results.csv", "results.parquet"} <= files
    assert {name for name in files if name.startswith("runs/")} == set(names)
    assert frame["run_id"].tolist() == [spec.run_id for spec in bench.plan.runs]
    assert json.loads((tmp_path / "out" / "environment.json").read_text())["torch"]


def test_the_frame_has_the_planned_runs_and_the_tables_have_all(tmp_path, executed):
    run(prepared(tmp_path))
    frame = run(prepared(tmp_path, "vae", seeds=1))
    assert list(zip(frame["model"], frame["seed"], strict=True)) == [("vae", 0)]
    assert len(load_results(tmp_path / "results.csv")) == 4
    assert len(executed) == 4


def test_outcomes_are_kept_when_the_executor_breaks(tmp_path, monkeypatch):
    def breaking(specs, options):
        yield Finished(specs[0], Outcome(record_of(specs[0])))
        raise RuntimeError("power cut")

    monkeypatch.setattr("zoo_bench.executors.local.run", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        run(prepared(tmp_path))
    assert len(load_results(tmp_path / "results.csv")) == 1
    assert len(prepared(tmp_path).missing) == 3


def test_on_a_full_disk_the_runs_before_are_whole_and_no_temporary_file_stays(tmp_path, executed, monkeypatch):
    real, written = os.fsync, []

    def sync(handle):
        written.append(handle)
        if sum(path.suffix == ".json" for path in tmp_path.rglob("seed=*")) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    bench = prepared(tmp_path)
    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(ZooError, match=r"cannot be written: No space left on device$"):
        run(bench)
    monkeypatch.undo()
    assert len(load_results(tmp_path)) == 2
    assert len(prepared(tmp_path).missing) == 2
    assert not list(tmp_path.rglob(".*.tmp"))


def test_running_nothing_leaves_the_environment_of_the_runs(finished_bench, bench_copy):
    # Who only looks at results on another machine must not sign for it.
    (bench_copy / "environment.json").write_text("{}")
    run(prepared(bench_copy))
    assert (bench_copy / "environment.json").read_text() == "{}"


def test_an_unknown_executor_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown executor 'loca': did you mean 'local'"):
        run(prepared(tmp_path, executor="loca"))
    assert tree(tmp_path) == []


def test_bench_returns_a_frame_of_all_runs(tmp_path, executed):
    frame = zoo_bench.bench(models=["vae", "gan"], task=["digits"], budget="640", seeds=2, out=tmp_path)
    assert isinstance(frame, pd.DataFrame)
    assert set(frame.columns) == {*LEADING_COLUMNS, *TRAILING_COLUMNS}
    assert frame.groupby("model")["fid"].mean().to_dict() == {"gan": 10.5, "vae": 10.5}
    assert len(load_results(tmp_path)) == 4


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_without_an_output_folder_files_are_kept_as_long_as_the_result(tmp_path, executed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = zoo_bench.bench(models="vae", budget="640", seeds=1)
    assert len(result) == 1
    assert result.report().is_file()
    assert result.folder.parent == tmp_path
    del result
    gc.collect()
    assert tree(tmp_path) == []


def test_without_an_output_folder_a_failure_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def breaking(specs, options):
        yield Finished(specs[0], Outcome(record_of(specs[0])))
        raise RuntimeError("power cut")

    monkeypatch.setattr("zoo_bench.executors.local.run", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        zoo_bench.bench(models="vae", budget="640", seeds=1)
    assert tree(tmp_path) == []


def test_a_named_output_folder_stays(tmp_path, executed):
    result = zoo_bench.bench(models="vae", budget="640", seeds=1, out=tmp_path)
    del result
    gc.collect()
    assert "results.csv" in tree(tmp_path)


def test_progress_is_a_line_per_finished_run_beside_the_callers_events(tmp_path, executed, capsys):
    events = []
    zoo_bench.bench("vae", budget="640", seeds=2, precision="fp32", out=tmp_path, on_event=events.append, metrics="fid")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"2 runs to do, into {tmp_path}",
        "[1/2] vae on digits, seed 0: ok, 1.0 s, FID 10",
        "[2/2] vae on digits, seed 1: ok, 1.0 s, FID 11",
    ]
    assert len(events) == 4


def test_progress_says_nothing_of_a_temporary_folder(executed, capsys):
    zoo_bench.bench("vae", budget="640", seeds=1, precision="fp32", judge_seed=7)
    assert capsys.readouterr().err.startswith("training twin-7, a second judge of digits\n1 run to do\n")


def test_progress_begins_with_what_is_left_out(executed, capsys):
    zoo_bench.bench(["vae", "dc*"], "ring8", budget="640", seeds=1, precision="fp32")
    assert capsys.readouterr().err.startswith("left out: model 'dcgan' does not apply to points")


def test_without_progress_nothing_is_printed(executed, capsys):
    events = []
    zoo_bench.bench(models="vae", budget="640", seeds=1, progress=False, on_event=events.append)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    assert len(events) == 2


def test_bench_passes_its_options_on(tmp_path, executed):
    events = []
    zoo_bench.bench(
        models="vae", budget="640", seeds=1, out=tmp_path, settings=["vae.lr=0.5"], metrics=["fid"], precision="bf16",
        device="cpu", on_event=events.append, workers=1, threads=1, timeout=None,
    )  # fmt: skip
    (spec,) = executed
    assert spec.config["lr"] == 0.5
    assert (spec.precision_mode, spec.device, spec.threads) == ("bf16", "cpu", 1)
    assert executed.options.scoring == Scoring(("fid",))
    assert [type(event) for event in events] == [Started, Finished]


@pytest.mark.parametrize(
    "options",
    [{"models": "vea"}, {"task": "digit"}, {"budget": "0"}, {"seeds": 0}, {"metrics": "fidd"}, {"settings": ["lr=1"]},
     {"precision": "fp8"}, {"device": "tpu"}, {"executor": "nowhere"}, {"workers": 0}],
)  # fmt: skip
def test_bench_refuses_what_is_unusable_before_anything_is_written(tmp_path, executed, options):
    with pytest.raises(ZooError):
        zoo_bench.bench(**{"models": "vae", "budget": "640", "seeds": 1, "out": tmp_path / "out", **options})
    assert tree(tmp_path) == []
    assert executed == []


def test_every_option_of_bench_has_a_documented_meaning():
    documented = inspect.getdoc(zoo_bench.bench)
    assert all(f"    {name}: " in documented for name in inspect.signature(zoo_bench.bench).parameters)


def test_all_means_every_installed_model_that_applies(tmp_path):
    assert {spec.model for spec in prepared(tmp_path, "all").missing} == set(zoo.models())


def test_seeds_may_be_named_one_by_one(tmp_path, executed):
    frame = zoo_bench.bench(models="vae", budget="640", seeds=[0, 3, 7], precision="fp32", out=tmp_path)
    assert list(frame["seed"]) == [0, 3, 7]
    assert 'seeds = "0,3,7"\n' in (tmp_path / "bench.toml").read_text()


def test_an_argument_that_does_not_exist_is_one_sentence_with_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown argument of bench 'worker': did you mean 'workers'"):
        zoo_bench.bench(models="vae", worker=2)


@pytest.mark.parametrize("settings", [["vae.lr=0.5"], "vae.lr=0.5", {"vae.lr": 0.5}, {"vae": {"lr": 0.5}}])
def test_python_takes_lists_and_settings_in_several_forms(executed, settings):
    frame = zoo_bench.bench(models=["vae", "gan[packing=2]"], budget="640", seeds=1, settings=settings)
    assert list(frame["model"]) == ["vae", "gan"]
    assert json.loads(frame["config"].iloc[0])["lr"] == 0.5
    assert json.loads(frame["config"].iloc[1])["packing"] == 2


def leave_checkpoints(bench):
    """Write what stands for a checkpoint of every run, and for what a killed process left of one."""
    folder = bench.store.checkpoints
    folder.mkdir(parents=True)
    for spec in bench.plan.runs:
        checkpoint_path(folder, spec).write_bytes(b"whole")
        (folder / f".{checkpoint_path(folder, spec).name}.x1y2").write_bytes(b"half")
    return folder


def test_checkpoints_are_kept_until_the_finished_record_is_stored(executed, tmp_path):
    bench = prepared(tmp_path / "out", seeds=1)
    folder = leave_checkpoints(bench)
    left = []
    run(bench, lambda event: left.append(len(tree(folder))))
    assert left == [4, 2, 2, 0]
    assert not folder.exists()
    assert executed.options.checkpoints == folder
    assert executed.options.checkpoint_seconds == 300.0


@pytest.mark.parametrize(("status", "left"), [("error", 2), ("timeout", 2), ("interrupted", 2), ("diverged", 0)])
def test_the_checkpoint_of_a_run_that_is_not_finished_is_kept(status, left, tmp_path):
    bench = prepared(tmp_path / "out", "vae", seeds=1)
    folder = leave_checkpoints(bench)
    bench.store.save(Outcome(record_of(bench.plan.runs[0], status)))
    assert len(tree(folder)) == left
    assert len(bench.store.records()) == 1


def test_force_goes_on_from_no_checkpoint(executed, tmp_path):
    bench = prepared(tmp_path / "out", seeds=1, force=True)
    folder = leave_checkpoints(bench)
    seen = []
    run(bench, lambda event: seen.append(folder.exists()))
    assert seen == [False] * 4


def test_without_a_time_no_checkpoints_are_kept(tmp_path):
    assert prepared(tmp_path / "out", checkpoint_every=None).execution.checkpoint_seconds is None


TIMES = {
    "train_seconds", "cpu_seconds", "cpu_share", "evaluate_seconds", "started_at", "throughput", "contended", "notes",
    "environment",
}  # fmt: skip


def without_times(record):
    """Return a stored record without its times and notes, which are on these."""
    content = json.loads(record.model_dump_json(exclude=TIMES))
    content["scores"]["learning curve"]["values"].pop("seconds_to_target", None)
    for point in content["history"] + content["curve"]:
        del point["seconds"]
    return content


@pytest.mark.slow
def test_a_bench_that_is_killed_again_and_again_ends_as_one_that_is_not(tmp_path):
    def start(out):
        command = "zoo bench --models wgan-gp --task digits --metrics fid --seeds 1 --budget 1500rounds --threads 1"
        command += " --precision fp32 --no-throughput --judge-seed 1 --checkpoint-every 0.1s --out"
        return subprocess.Popen([*command.split(), str(out)], start_new_session=True)

    whole, killed = Store(tmp_path / "whole"), Store(tmp_path / "killed")
    assert start(whole.root).wait(600) == 0
    states = []
    for _ in range(4):
        process, deadline = start(killed.root), time.monotonic() + 300
        while [p.read_bytes() for p in killed.checkpoints.glob("[!.]*")] in ([], states[-1:]):
            assert process.poll() is None, "it ended before it was killed"
            assert time.monotonic() < deadline, "it writes no checkpoint"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.5)
        states += [p.read_bytes() for p in killed.checkpoints.glob("[!.]*")]
    assert len(set(states)) == 4
    assert killed.records() == {}
    assert start(killed.root).wait(600) == 0
    (path,), (other,) = whole.records(), killed.records()
    assert without_times(read_record(other)) == without_times(read_record(path))
    assert other.with_suffix(".safetensors").read_bytes() == path.with_suffix(".safetensors").read_bytes()
    assert not killed.checkpoints.exists()

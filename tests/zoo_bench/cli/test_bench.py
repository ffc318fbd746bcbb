import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psutil
import pytest
import torch
import torchvision

from drawn_benches import scored
from zoo.cli import main
from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench import load_results
from zoo_bench.core.budget import parse_timeout
from zoo_bench.core.keyed import write_keyed
from zoo_bench.executors import Finished, Progressed, Started
from zoo_bench.plan.columns import LEADING_COLUMNS
from zoo_bench.plan.record import Outcome, Progress, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.store.events import read_events
from zoo_bench.store.records import Store, read_record

ARGUMENTS = ["bench", "--models", "vae,gan", "--seeds", "2", "--budget", "640", "--threads", "1", "--no-throughput"]


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("runs/**/*.*")}


def again(folder, *options):
    return main([*ARGUMENTS, "--out", str(folder), *options])


@pytest.fixture
def fake_executor(monkeypatch):
    """Replace the local executor by one that trains nothing and ends runs of some models with an error."""
    given = []

    def install(errors):
        def execute(specs, options):
            for spec in specs:
                given.append(spec)
                yield Started(spec, Resources(1, False))
                status, error = ("error", errors[spec.model]) if spec.model in errors else ("ok", "")
                record = RunRecord(
                    run_id=spec.run_id, spec=spec, status=status, error=error, threads=1, contended=False,
                    started_at=datetime.now(UTC), train_seconds=0.5,
                    scores=scored(spec, options.scoring) if status == "ok" else {},
                )  # fmt: skip
                yield Finished(spec, Outcome(record))

        monkeypatch.setattr("zoo_bench.executors.local.run", execute)
        monkeypatch.setattr("zoo_bench.score.controls.score_controls", lambda root, plans, panel, timeout: None)
        monkeypatch.setattr("zoo_bench.measure.throughput.measure_throughput", lambda root, specs, threads: None)
        return given

    return install


def test_a_bench_leaves_its_files_in_the_documented_places(finished_bench):
    records = [read_record(path) for path in finished_bench.glob("runs/*/*/*.json")]
    assert len(records) == 4
    stems = {f"runs/digits/{r.spec.model}/seed={r.spec.seed}-{r.run_id[:8]}" for r in records}
    expected = {f"{stem}{suffix}" for stem in stems for suffix in (".json", ".png", ".safetensors")}
    found = set(tree(finished_bench))
    assert expected | {"bench.toml", "environment.json", "results.csv", "results.parquet"} <= found
    assert {name.partition("/")[0] for name in found} <= {
        "runs", "controls", "judges", ".locks", "bench.toml", "environment.json", "events.jsonl", "precision.json",
        "report.html", "results.csv", "results.parquet",
    }  # fmt: skip
    assert all(name.split(".")[0] in stems for name in found if name.startswith("runs/") and "." in name)


def test_a_bench_writes_one_full_row_per_run(finished_bench):
    table = pd.read_csv(finished_bench / "results.csv", dtype=str, keep_default_na=False)
    assert table.columns[: len(LEADING_COLUMNS)].tolist() == list(LEADING_COLUMNS)
    assert sorted(zip(table["model"], table["seed"], strict=True)) == [
        ("gan", "0"), ("gan", "1"), ("vae", "0"), ("vae", "1"),
    ]  # fmt: skip
    assert set(table["status"]) == {"ok"}
    assert set(table["images"]) == {"640"}
    assert not {"nan", "NaN", "None"} & set(table.to_numpy().ravel())


def test_what_applies_has_a_figure_and_what_does_not_is_empty(finished_bench):
    table = pd.read_csv(finished_bench / "results.csv", dtype=str, keep_default_na=False)
    metrics = [entry.spec for entry in installed().metrics]
    applicable = {column.name for m in metrics if "mixture" not in m.needs for column in m.columns}
    other = {column.name for m in metrics for column in m.columns} - applicable
    assert "fid" in applicable
    assert "high_quality" in other
    for column in table.columns:
        if column == "error" or column in other:
            assert set(table[column]) == {""}, column
        elif column in applicable:
            assert "" not in set(table[column]), column


def test_every_speed_in_the_table_is_positive(finished_bench):
    frame = load_results(finished_bench)
    for column in ("train_seconds", "train_images_per_s", "sample_images_per_s", "sample_latency_ms", "peak_memory_mb"):
        assert (frame[column] > 0).all(), column


def test_the_same_command_again_runs_nothing(bench_copy, finished_bench, capsys):
    before = times(bench_copy)
    assert again(bench_copy) == 0
    assert times(bench_copy) == before
    assert tree(bench_copy) == tree(finished_bench)
    assert (bench_copy / "results.csv").read_bytes() == (finished_bench / "results.csv").read_bytes()
    assert "0 runs to do, 4 stored already" in capsys.readouterr().err


def test_throughput_is_measured_unless_it_is_declined(bench_copy, monkeypatch):
    given = []
    monkeypatch.setattr(
        "zoo_bench.measure.throughput.measure_throughput", lambda root, specs, threads: given.append((root, threads))
    )
    assert again(bench_copy) == 0
    assert given == []
    assert main([*ARGUMENTS[:-1], "--out", str(bench_copy)]) == 0
    assert given == [(bench_copy, 1)]


def test_a_missing_run_is_the_only_one_run_again(bench_copy, fake_executor):
    given = fake_executor({})
    (lost,) = bench_copy.glob("runs/digits/vae/seed=1-*.json")
    lost.unlink()
    before = times(bench_copy / "runs" / "digits" / "gan")
    assert again(bench_copy) == 0
    assert [(spec.model, spec.seed) for spec in given] == [("vae", 1)]
    assert lost.exists()
    assert times(bench_copy / "runs" / "digits" / "gan") == before


def test_force_runs_again_what_is_stored_with_the_same_result_bit_for_bit(bench_copy, finished_bench):
    before = times(bench_copy)
    options = ["--models", "vae", "--seeds", "1", "--budget", "640", "--threads", "1", "--no-throughput"]
    assert main(["bench", *options, "--out", str(bench_copy), "--force"]) == 0
    assert tree(bench_copy) == tree(finished_bench)
    renewed = {path for path, time in times(bench_copy).items() if time != before[path]}
    (path,) = finished_bench.glob("runs/digits/vae/seed=0-*.json")
    beside = set(path.parent.glob(f"{path.stem}.*"))
    assert renewed == {bench_copy / file.relative_to(finished_bench) for file in beside}
    old, new = read_record(path), read_record(bench_copy / path.relative_to(finished_bench))
    assert new.started_at > old.started_at
    assert (new.metrics, new.losses, new.flops) == (old.metrics, old.losses, old.flops)
    for file in beside - {path}:
        assert (bench_copy / file.relative_to(finished_bench)).read_bytes() == file.read_bytes(), file.name


def test_the_file_of_a_bench_runs_nothing_again_and_goes_on_with_more_seeds(bench_copy, fake_executor):
    given = fake_executor({})
    file = str(bench_copy / "bench.toml")
    assert main(["bench", "--config", file, "--out", str(bench_copy)]) == 0
    assert given == []
    assert main(["bench", "--config", file, "--out", str(bench_copy), "--seeds", "1-2"]) == 0
    assert [(spec.model, spec.seed) for spec in given] == [("vae", 2), ("gan", 2)]
    assert 'seeds = "1-2"\n' in Path(file).read_text()


def test_the_file_of_a_bench_is_there_before_its_first_run_ends(tmp_path, fake_executor, monkeypatch):
    def killed(specs, options):
        yield Started(specs[0], Resources(1, False))
        raise KeyboardInterrupt

    fake_executor({})
    monkeypatch.setattr("zoo_bench.executors.local.run", killed)
    assert again(tmp_path / "out") == 130
    assert 'models = "vae,gan"\n' in (tmp_path / "out" / "bench.toml").read_text()


def test_a_dry_run_of_seeds_that_are_added_says_what_comes_first_and_how_many_there_may_be(tmp_path, capsys):
    assert again(tmp_path / "out", "--dry-run", "--seeds", "auto:10") == 0
    err = capsys.readouterr().err
    assert "--seeds auto: 4 seeds of every model, and up to 8 of those in a pair that is not separable\n" in err
    assert f"8 of 8 runs to do, then up to 16 in all, into {tmp_path / 'out'}\n" in err
    assert again(tmp_path / "out", "--dry-run", "--seeds", "auto:5") == 0
    assert "8 of 8 runs to do, into" in capsys.readouterr().err


def test_seeds_are_added_in_one_command(tmp_path, fake_executor, capsys):
    given = fake_executor({})
    assert again(tmp_path, "--seeds", "auto:6") == 0
    assert len(given) == 12
    assert "[12/12]" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [False, True])
def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path, capsys, as_json):
    out = tmp_path / "out"
    assert again(out, "--dry-run", *(["--json"] if as_json else [])) == 0
    printed = capsys.readouterr().out
    assert tree(tmp_path) == []
    if as_json:
        rows = json.loads(printed)
        assert [(row["model"], row["seed"], row["state"]) for row in rows] == [
            ("vae", 0, "to do"), ("gan", 0, "to do"), ("vae", 1, "to do"), ("gan", 1, "to do"),
        ]  # fmt: skip
    else:
        assert printed.count("to do") == 4


@pytest.fixture
def no_measurements(monkeypatch):
    for name in ("choose_precision", "choose_threads", "measure", "matrix_rates"):
        monkeypatch.setattr(f"zoo_bench.measure.probe.{name}", lambda *_: pytest.fail("measured"))


def planned(capsys, out, *options):
    """Return the rows of a dry run of one model against the clock, and what it says."""
    words = ["bench", "--models", "vae", "--seeds", "1", "--budget", "9s", "--device", "cpu", "--dry-run", "--json"]
    assert main([*words, "--out", str(out), *options]) == 0
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def test_a_dry_run_measures_nothing_and_says_what_is_not_known(tmp_path, capsys, no_measurements):
    ([row], said) = planned(capsys, tmp_path / "out")
    assert (row["precision"], row["run_id"]) == ("auto", None)
    assert "precision auto: measured when the bench runs" in said
    ([row], said) = planned(capsys, tmp_path / "out", "--precision", "bf16")
    assert (row["precision"], len(row["run_id"])) == ("bf16", 64)
    assert "precision" not in said


def test_a_dry_run_shows_the_precision_that_was_measured_for_the_folder(tmp_path, capsys, no_measurements):
    from zoo_bench.measure import probe

    found = {"chosen": "bf16", "reason": "it is fast", "matrix_products_per_s": {"fp32": 1.0, "bf16": 2.0}}
    found["rounds"] = {"vae on digits": {}}
    write_keyed(tmp_path / "precision.json", probe._stored_precision(tmp_path, "cpu")["key"], found)
    ([row], said) = planned(capsys, tmp_path)
    assert (row["precision"], len(row["run_id"])) == ("bf16", 64)
    assert "precision bf16: it is fast" in said
    (rows, _) = planned(capsys, tmp_path, "--models", "vae,gan")
    assert {row["precision"] for row in rows} == {"auto"}, "gan has a say as well"


def test_a_profile_measures_no_precision(tmp_path, capsys, monkeypatch, no_measurements):
    profiled = []

    def profile(spec, *_):
        profiled.append(spec.precision_mode)
        return {"forward": 1.0}, ""

    monkeypatch.setattr("zoo_bench.measure.profile.profile", profile)
    words = ["bench", "--models", "vae", "--seeds", "1", "--budget", "640", "--device", "cpu", "--profile"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    assert profiled == ["fp32"]
    assert "precision auto: measured when the bench runs, fp32 until then" in capsys.readouterr().err


def test_a_dry_run_knows_what_is_done(bench_copy, capsys):
    (lost,) = bench_copy.glob("runs/digits/vae/seed=1-*.json")
    lost.unlink()
    assert again(bench_copy, "--dry-run", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["model"], row["seed"]) for row in rows if row["state"] == "to do"] == [("vae", 1)]
    assert not lost.exists()


def test_json_is_all_that_stdout_has(bench_copy, capsys):
    assert again(bench_copy, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["model"], row["seed"]) for row in rows] == [("vae", 0), ("gan", 0), ("vae", 1), ("gan", 1)]
    assert all(list(row)[: len(LEADING_COLUMNS)] == list(LEADING_COLUMNS) for row in rows)
    assert all(row["fid"] > 0 and row["high_quality"] is None for row in rows)


def test_the_table_is_on_stdout_and_progress_on_stderr(bench_copy, capsys):
    assert again(bench_copy) == 0
    captured = capsys.readouterr()
    assert "FID" in captured.out
    assert "vae" in captured.out
    assert "runs to do" in captured.err
    assert "runs to do" not in captured.out


def test_models_may_be_arguments(tmp_path, capsys):
    options = ["--seeds", "1", "--budget", "640", "--out", str(tmp_path / "out"), "--dry-run", "--json"]
    assert main(["bench", "vae", "gan[packing=2],gan", *options]) == 0
    assert [row["model"] for row in json.loads(capsys.readouterr().out)] == ["vae", "gan", "gan[packing=2]"]


def test_models_that_are_arguments_replace_those_of_a_file(bench_copy, tmp_path, capsys):
    file = str(bench_copy / "bench.toml")
    assert main(["bench", "vae", "--config", file, "--out", str(tmp_path / "out"), "--dry-run", "--json"]) == 0
    assert {row["model"] for row in json.loads(capsys.readouterr().out)} == {"vae"}


def test_one_run_is_one_run(tmp_path, capsys):
    assert again(tmp_path / "out", "--dry-run", "--models", "vae", "--seeds", "1") == 0
    assert "1 of 1 run to do, into" in capsys.readouterr().err


def test_the_last_lines_name_the_report(bench_copy, capsys):
    assert again(bench_copy) == 0
    *_, report, table, runs = capsys.readouterr().err.splitlines()
    assert report == f"report: {bench_copy}/report.html"
    assert table == f"table: {bench_copy}/results.csv"
    assert runs == f"records, weights and sheets: {bench_copy}/runs"


def test_quiet_leaves_the_table_and_what_went_wrong(bench_copy, capsys):
    assert again(bench_copy, "-q") == 0
    captured = capsys.readouterr()
    assert "vae" in captured.out
    assert captured.err == ""
    bad = bench_copy / "runs" / "digits" / "vae" / "seed=9-deadbeef.json"
    bad.write_text("half a rec")
    assert again(bench_copy, "--quiet") == 0
    assert bad.name in capsys.readouterr().err


def test_verbose_says_when_a_run_starts(tmp_path, fake_executor, capsys):
    fake_executor({})
    assert again(tmp_path / "out", "-v") == 0
    assert capsys.readouterr().err.count(": started\n") == 4


def test_an_address_needs_an_executor_that_uses_it(tmp_path, capsys):
    assert main(["bench", "--address", "auto", "--out", str(tmp_path / "results")]) == 2
    assert capsys.readouterr().err == "zoo: --address 'auto' is for a cluster: add --executor ray\n"


def test_the_first_line_on_a_terminal_comes_before_anything_slow_is_imported():
    source = """
import io, sys
from zoo.cli import main
class Terminal(io.StringIO):
    def isatty(self):
        return True
    def write(self, text):
        if not self.getvalue():
            assert text == 'loading libraries and data' and 'torch' not in sys.modules, text
        return super().write(text)
sys.stderr = Terminal()
assert main(['bench', '--models', 'nosuch']) == 2
assert 'nosuch' in sys.stderr.getvalue()
"""
    subprocess.run([sys.executable, "-c", source], check=True)


def test_a_failed_run_makes_the_exit_code_1_and_is_told_with_its_error(tmp_path, fake_executor, capsys):
    fake_executor({"gan": "ValueError: [red]no[/red] loss"})
    assert again(tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert "ValueError: [red]no[/red] loss" in captured.err
    assert "0/2" in captured.out
    frame = load_results(tmp_path / "out" / "results.csv").set_index("model")
    assert frame.loc["gan", "status"].tolist() == ["error", "error"]
    assert frame.loc["gan", "error"].tolist() == ["ValueError: [red]no[/red] loss"] * 2


def test_a_report_says_what_failed_and_names_variants(tmp_path, fake_executor, capsys):
    fake_executor({"gan": "it broke"})
    assert (
        main(
            [
                "bench",
                "--models",
                "gan,gan[lr=0.1],vae",
                "--seeds",
                "1",
                "--budget",
                "640",
                "--out",
                str(tmp_path / "out"),
            ]
        )
        == 1
    )
    expected = [f"error: {gan} on digits, seed 0: it broke" for gan in ("gan", "gan[lr=0.1]")]
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")] == expected
    assert main(["report", str(tmp_path / "out")]) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")] == expected


def test_an_error_of_several_lines_stays_one_line(tmp_path, fake_executor, capsys):
    fake_executor({"gan": "two\nlines \u202e"})
    assert again(tmp_path / "out") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == [
        f"error: gan on digits, seed {seed}: two\\nlines \\u202e" for seed in (0, 1)
    ]


def test_failed_runs_are_run_again_on_demand_only(tmp_path, fake_executor):
    given = fake_executor({"gan": "it broke"})
    assert again(tmp_path) == 1
    given.clear()
    assert again(tmp_path) == 1
    assert given == []
    fake_executor({})
    assert again(tmp_path, "--retry-failed") == 0
    assert [(spec.model, spec.seed) for spec in given] == [("gan", 0), ("gan", 1)]


def test_an_interrupted_bench_keeps_what_it_has_and_goes_on_later(tmp_path, fake_executor, monkeypatch, capsys):
    given = fake_executor({})
    from zoo_bench.executors import local

    whole = local.run

    def interrupted(specs, options):
        yield from whole(specs[:1], options)
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "run", interrupted)
    assert again(tmp_path) == 130
    assert "interrupted: 1 run stored, 3 missing" in capsys.readouterr().err
    assert len(load_results(tmp_path / "results.csv")) == 1
    monkeypatch.setattr(local, "run", whole)
    given.clear()
    assert again(tmp_path) == 0
    assert len(given) == 3


def test_a_run_that_is_interrupted_keeps_the_figures_that_it_told_last(tmp_path, fake_executor, monkeypatch):
    fake_executor({})

    def interrupted(specs, options):
        yield Started(specs[0], Resources(1, False))
        yield Progressed(specs[0], Progress(0.5, 320, 160.0, {"vae": 0.25}))
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo_bench.executors.local.run", interrupted)
    assert again(tmp_path) == 130
    (record,) = Store(tmp_path).records().values()
    assert (record.status, record.error) == ("interrupted", "interrupted by Ctrl-C or a signal")
    assert (record.images, record.train_seconds, record.losses) == (320, 2.0, {"vae": 0.25})


COMMAND = """
import sys
from zoo.cli import entry

sys.argv = ["zoo", "bench", "--models", "vae", "--task", "digits", "--budget", "5h", "--seeds", "2", "--workers", "1",
            "--metrics", "fid", "--precision", "fp32", "--threads", "1", "--out", sys.argv[1]]
entry()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_a_bench_that_is_told_to_stop_keeps_what_is_done_says_what_is_missing_and_leaves_no_process(tmp_path):
    command = subprocess.Popen([sys.executable, "-c", COMMAND, tmp_path], stderr=subprocess.PIPE, text=True)
    while "started" not in {event.event for event in read_events(tmp_path)}:
        assert command.poll() is None
        time.sleep(0.1)
    others = psutil.Process(command.pid).children(recursive=True)
    command.terminate()
    _, said = command.communicate(timeout=60)
    assert command.returncode == 130
    assert said.endswith("interrupted: 0 runs stored, 2 missing; the same command goes on\n")
    assert psutil.wait_procs(others, timeout=30)[1] == []
    assert [record.status for record in Store(tmp_path).records().values()] == ["interrupted"]


def test_what_does_not_apply_is_said(tmp_path, fake_executor, capsys):
    fake_executor({})
    assert main(["bench", "--task", "ring8", "--seeds", "1", "--budget", "640", "--out", str(tmp_path / "out")]) == 0
    assert "left out: model 'dcgan' does not apply to points" in capsys.readouterr().err


def test_a_file_that_is_no_record_is_reported_and_left_alone(bench_copy, capsys):
    bad = bench_copy / "runs" / "digits" / "vae" / "seed=9-deadbeef.json"
    bad.write_text("half a rec")
    assert again(bench_copy) == 0
    assert bad.read_text() == "half a rec"
    assert len(load_results(bench_copy / "results.csv")) == 4
    assert bad.name in capsys.readouterr().err


BAD = {
    "model": (["--models", "dcgn"], "unknown model 'dcgn': did you mean 'dcgan'"),
    "pattern": (["--models", "zzz*"], "unknown model 'zzz*'"),
    "task": (["--task", "digit"], "unknown task 'digit': did you mean 'digits'"),
    "metric": (["--metrics", "fidd"], "unknown metric 'fidd': did you mean 'fid'"),
    "budget": (["--budget", "lots"], "budget 'lots' is not understood"),
    "no budget": (["--budget", ""], "budget '' is not understood"),
    "budget zero": (["--budget", "0"], "budget '0' must be greater than zero"),
    "budget negative": (["--budget=-5"], "budget '-5' is not understood"),
    "budget twice": (["--budget", "200k,2M"], "limits images twice"),
    "setting's form": (["--set", "lr=1"], "must have the form MODEL.SETTING=VALUE"),
    "setting's model": (["--set", "vea.lr=1"], "unknown model 'vea': did you mean 'vae'"),
    "setting": (["--set", "vae.lrr=1"], "unknown setting of vae 'lrr': did you mean 'lr'"),
    "setting's type": (["--set", "vae.lr=high"], "vae.lr: input should be a valid number"),
    "setting's range": (["--set", "vae.lr=-1"], "vae.lr: input should be greater than 0"),
    "several settings": (["--set", "vae.lr=-1", "--set", "vae.z_dim=x"], "vae.lr: input should be greater than 0"),
    "no seed": (["--seeds", "0"], "--seeds must be at least 1"),
    "seeds negative": (["--seeds=-1"], "--seeds must be at least 1"),
    "seeds": (["--seeds", "few"], "--seeds 'few' is not understood"),
    "seeds added, no limit": (["--seeds", "auto:x"], "--seeds 'auto:x' is not understood: write auto, or with a limit"),
    "seeds added, low limit": (["--seeds", "auto:2"], "--seeds 'auto:2': the limit must be from 4 to 10,000 seeds"),
    "seeds backwards": (["--seeds", "9-5"], "--seeds '9-5': the range 9-5 ends before it starts"),
    "too many seeds": (["--seeds", "0-1000000"], "--seeds asks for 1,000,001 seeds"),
    "file of options": (["--config", "file"], "'file' is not TOML"),
    "no CUDA": (["--device", "cuda"], "--device cuda: this machine has no CUDA device"),
    "device": (["--device", "gpu"], "unknown device 'gpu'"),
    "precision": (["--precision", "fp8"], "unknown precision 'fp8'"),
    "timeout": (["--timeout", "soon"], "timeout 'soon' is not understood"),
    "executor": (["--executor", "loca"], "unknown executor 'loca': did you mean 'local'"),
    "workers": (["--workers", "0"], "--workers must be at least 1"),
    "threads": (["--threads", "0"], "--threads must be at least 1"),
    "not for this task": (["--models", "dcgan", "--task", "ring8"], "model 'dcgan' does not apply to points"),
    "nothing to run": (["--models", "dc*", "--task", "ring8"], "nothing to run"),
    "output is a file": (["--out", "file"], "output folder 'file' is a file"),
    "output below a file": (["--out", "file/below"], "output folder 'file/below' is not writable"),
    "models twice": (["vae", "gan"], "models are named twice, 'vae gan' and --models 'vae': leave out one of them"),
    "quiet and verbose": (["-q", "-v"], "--quiet and --verbose contradict each other"),
    "option": (["--sedes", "2"], "--sedes"),
    "value": (["--models"], "--models"),
}


def refusal(arguments, capsys) -> str:
    """Return the sentence with which the command refuses its arguments."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("zoo: ")
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_exit_code_2_and_nothing_written(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    Path("file").write_text("mine")
    arguments, sentence = BAD[case]
    usual = ["bench", "--models", "vae", "--seeds", "1", "--budget", "640"]
    assert sentence in refusal([*usual, *arguments], capsys)
    assert tree(tmp_path) == ["file"]
    assert Path("file").read_text() == "mine"


def test_an_output_folder_that_is_not_writable_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "is not writable" in refusal([*ARGUMENTS, "--out", str(tmp_path / "out")], capsys)
    assert tree(tmp_path) == []


def test_absent_data_are_refused_with_the_files_and_their_folder(tmp_path, monkeypatch, capsys):
    def fail(*arguments, **options):
        raise RuntimeError("the network is unreachable")

    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(torchvision.datasets.mnist, "download_and_extract_archive", fail)
    sentence = refusal([*ARGUMENTS, "--task", "mnist", "--out", str(tmp_path / "out")], capsys)
    assert "train-images-idx3-ubyte" in sentence
    assert str(tmp_path / "data" / "MNIST" / "raw") in sentence
    assert tree(tmp_path) == []


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("5m", 300), ("6h", 21600), ("0.5s", 0.5), ("never", None)])
def test_timeouts_are_read(text, value):
    assert parse_timeout(text) == value


@pytest.mark.parametrize("text", ["", "s", "90", "0s", "-5s", "nans", "infs", "5d", "5 minutes"])
def test_other_timeouts_are_refused(text):
    with pytest.raises(ZooError, match="is not understood: write 90s, 5m, 6h or never"):
        parse_timeout(text)


def test_a_time_between_checkpoints_that_is_none_is_refused(tmp_path, capsys):
    sentence = refusal([*ARGUMENTS, "--checkpoint-every", "5", "--out", str(tmp_path / "out")], capsys)
    assert "--checkpoint-every '5' is not understood: write 90s, 5m, 6h or never" in sentence
    assert tree(tmp_path) == []


def test_a_run_of_which_the_executor_says_nothing_is_no_success(tmp_path, fake_executor, monkeypatch):
    fake_executor({})
    from zoo_bench.executors import local

    execute = local.run
    monkeypatch.setattr("zoo_bench.executors.local.run", lambda specs, options: execute(specs[1:], options))
    assert again(tmp_path / "out") == 1


def test_an_output_folder_that_cannot_be_made_costs_no_training(tmp_path, fake_executor, monkeypatch, capsys):
    given = fake_executor({})

    def mkdir(path, **options):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(type(tmp_path), "mkdir", mkdir)
    assert again(tmp_path / "out", "--precision", "fp32") == 2
    assert "cannot be made: No space left on device" in capsys.readouterr().err
    assert given == []


@pytest.mark.parametrize("command", [["bench", "--out"], ["report"]])
def test_a_path_that_the_system_refuses_is_one_sentence(command, capsys):
    assert main([*command, "x" * 300]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("zoo: ")

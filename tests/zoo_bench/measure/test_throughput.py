"""Throughput measured alone: what is measured, what is kept, and what a failure costs."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import pytest_benchmark.cli
from rich.console import Console

from zoo_bench.measure import throughput
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.report.show.speeds import speed_tables


def specs_of(models="vae,wgan-gp"):
    return plan(
        BenchOptions(models=models, task="ring8", budget="640", seeds=2, metrics="mixture-modes", device="cpu")
    ).runs


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """Two models measured beside one that cannot be: the bench's folder, and what was said on stderr."""
    root, said = tmp_path_factory.mktemp("bench"), io.StringIO()
    specs = specs_of()
    with contextlib.redirect_stderr(said):
        throughput.measure_throughput(root, [*specs, specs[0].with_changes(model="no-such-model", config={})], 1)
    return root, said.getvalue()


@pytest.fixture(scope="module")
def measured(tried, tmp_path_factory):
    """The folder of a bench in which two models were measured, as if there had been no other."""
    root = Path(shutil.copytree(tried[0], tmp_path_factory.mktemp("measured"), dirs_exist_ok=True))
    path = root / "throughput" / "ring8.json"
    content = json.loads(path.read_text())
    for name in ("models", "specs"):
        del content["zoo"][name][2:]
    path.write_text(json.dumps(content))
    return root


def test_every_model_has_a_row_with_all_speeds(measured):
    table = pd.read_csv(measured / "throughput.csv")
    assert list(table.columns) == list(throughput.COLUMNS)
    assert sorted(table["model"]) == ["vae", "wgan-gp"]
    assert table.notna().all(axis=None)
    assert (table["sample_latency_p99_ms"] >= table["sample_latency_p50_ms"]).all()
    assert table["peak_share"].between(0, 1.1, inclusive="neither").all()


def test_speeds_follow_from_the_raw_samples(measured):
    content = json.loads((measured / "throughput" / "ring8.json").read_text())
    found = {b["name"]: b for b in content["benchmarks"]}
    table = throughput.load_throughput(measured).set_index("model")
    train = found["test_train[wgan-gp]"]
    assert train["extra_info"]["images"] == 5 * content["zoo"]["specs"][1]["config"]["batch_size"]
    samples = pd.Series(train["stats"]["data"])
    assert table.loc["wgan-gp", "train_images_per_s"] == pytest.approx(
        train["extra_info"]["images"] / samples.median(), rel=1e-6
    )
    single = pd.Series(found["test_sample[vae-1]"]["stats"]["data"])
    assert len(single) >= 100
    assert table.loc["vae", "sample_latency_p99_ms"] == pytest.approx(1e3 * single.quantile(0.99))


def test_the_limit_is_the_faster_of_a_matrix_product_and_a_convolution(measured):
    content = json.loads((measured / "throughput" / "ring8.json").read_text())
    limits = [b for b in content["benchmarks"] if b["name"].startswith("test_limit")]
    assert [b["extra_info"]["flops"] for b in limits] == [2 * 1024**3, 2 * 64 * 12**2 * 128 * 128 * 3**2]
    row = throughput.load_throughput(measured).set_index("model").loc["vae"]
    rate = max(b["extra_info"]["flops"] / b["stats"]["min"] for b in limits)
    assert row["peak_share"] == pytest.approx(row["train_images_per_s"] * row["train_flops_per_image"] / rate)


def test_pytest_benchmark_can_compare_what_is_kept(measured, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pytest-benchmark", "compare", str(measured / "throughput" / "ring8.json")])
    pytest_benchmark.cli.main()
    assert "test_train[vae]" in capsys.readouterr().out


def test_what_is_stored_is_measured_again_only_for_other_models_or_threads(measured, monkeypatch):
    monkeypatch.setattr(throughput, "_measure", lambda key: pytest.fail("measured again"))
    throughput.measure_throughput(measured, specs_of(), 1)
    throughput.measure_throughput(measured, specs_of("vae"), 1)
    with pytest.raises(pytest.fail.Exception):
        throughput.measure_throughput(measured, specs_of(), 2)
    with pytest.raises(pytest.fail.Exception):
        throughput.measure_throughput(measured, specs_of("gan"), 1)


def test_a_further_model_is_measured_beside_those_that_the_folder_has(measured, tmp_path, monkeypatch):
    shutil.copytree(measured, tmp_path / "bench")
    asked = []
    monkeypatch.setattr(throughput, "_measure", lambda key: asked.append(key) or {"benchmarks": []})
    throughput.measure_throughput(tmp_path / "bench", specs_of("gan"), 1)
    assert asked[0]["models"] == ["vae", "wgan-gp", "gan"]
    assert [spec["model"] for spec in asked[0]["specs"]] == ["vae", "wgan-gp", "gan"]


def test_a_file_of_another_version_is_measured_again(measured, tmp_path, monkeypatch):
    shutil.copytree(measured, tmp_path / "bench")
    asked = []
    monkeypatch.setattr(throughput, "_measure", lambda key: asked.append(key) or {"benchmarks": []})
    throughput.measure_throughput(tmp_path / "bench", specs_of(), 1)
    assert asked == []
    monkeypatch.setattr(throughput, "VERSION", "3")
    throughput.measure_throughput(tmp_path / "bench", specs_of(), 1)
    assert [key["version"] for key in asked] == ["3"]


def test_a_model_that_cannot_be_timed_is_named_and_the_others_stand(tried):
    root, said = tried
    assert sorted(throughput.load_throughput(root)["model"]) == ["vae", "wgan-gp"]
    assert "throughput of no-such-model on ring8 could not be measured" in said


def test_a_measurement_that_hangs_is_given_up(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(throughput, "TIMEOUT_SECONDS", 0.1)
    apart = throughput.run_in_subprocess
    monkeypatch.setattr(
        throughput, "run_in_subprocess", lambda *work, timeout: apart(time.sleep, 60.0, timeout=timeout)
    )
    throughput.measure_throughput(tmp_path, specs_of("vae"), 1)
    assert throughput.load_throughput(tmp_path).empty
    assert "throughput was not measured: no sign of progress for 0.1 seconds" in capfd.readouterr().err


def test_the_table_shows_the_fastest_first(measured):
    console = Console(file=io.StringIO(), width=100)
    for part in speed_tables(throughput.load_throughput(measured)):
        console.print(part)
    text = console.file.getvalue()
    assert "ring8: speed alone on the machine, CPU threads: 1, fp32" in text
    speeds = throughput.load_throughput(measured).set_index("model")["train_images_per_s"]
    fastest = speeds.idxmax()
    assert next(line.split()[0] for line in text.splitlines() if line.startswith((" vae", " wgan"))) == fastest


def test_pytest_collects_what_is_timed_without_work_as_skipped_with_a_reason(monkeypatch):
    monkeypatch.delenv("ZOO_THROUGHPUT", raising=False)
    file = Path(throughput.__file__).with_name("bench_models.py")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-n0", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
    assert "run by `zoo bench --throughput`, which says what to time" in done.stdout

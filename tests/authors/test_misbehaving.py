"""Plugins that misbehave cost their own rows alone, as docs/troubleshooting.md says: all others stay the same."""

import json
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "fixtures" / "zoo-plugin-misbehaves"
OPTIONS = [
    "--task", "digits", "--seeds", "1", "--threads", "1", "--precision", "fp32", "--budget", "640",
    "--judge-seed", "1", "--no-throughput",
]  # fmt: skip
GOOD_METRICS = "fid,kid,mind,data-copying,class-modes,panel"

FAILED = {
    "exits": "SystemExit: 3",
    "interrupts": "KeyboardInterrupt",
    "unprintable": "UnprintableError: its message cannot be shown, because of another MemoryError",
    "megabyte-error": "ValueError: x x x",
    "endless-recursion": "RecursionError: ",
    "crashes": "its process ended with signal SIGSEGV",
    "leaves": "its process ended with exit code 0 before it had a result",
    "no-gradient": "RuntimeError: ",
    "wrong-shape": "PluginError: WrongShape.sample(500) returned (499, 1, 8, 8), not (500, 1, 8, 8)",
    "whole-samples": "PluginError: WholeSamples.sample(500) returned torch.int64, not floats",
}
"""By model, how its error begins."""

DIVERGED = {"nan-samples": "samples are infinite or NaN"}
FINISHED = {
    "prints-megabytes": "",
    "changes-process": "",
    "patches-json": "",
    "many-diagnostics": "ManyDiagnostics.diagnostics() returns 20,000 values, and none is kept: 100 are the limit",
    "bad-diagnostic": "BadDiagnostic.diagnostics() returns 'odd' as nan",
}
"""By model that finishes, why diagnostics are missing."""

METRICS = {
    "writes-features": "metric 'writes-features' writes into task.train.data, ",
    "nan-value": "metric 'nan-value' returns 'nan_value' as nan",
    "changes-settings": "metric 'changes-settings' changes torch's default dtype from torch.float32 to torch.float64",
    "raises": "KeyboardInterrupt",
}
TASKS = {
    "empty-test": "has an empty test split",
    "nan-judge": "has a judge whose features of real items are infinite or NaN",
    "test-is-train": "has the same items for training and test",
}
PLUGINS = {
    "leaves-at-import": "was not loaded: SystemExit: 0",
    "interrupts-at-import": "was not loaded: KeyboardInterrupt",
    "many-columns": "metric 'many-columns' declares 1,000 columns, and 100 are the limit",
}


def records(folder):
    found = [(json.loads(path.read_text()), path) for path in sorted(folder.glob("runs/*/*/*.json"))]
    return {record["spec"]["model"]: (record, path) for record, path in found}


@pytest.fixture(scope="module")
def environment(installed_packages):
    return installed_packages(PACKAGE)


@pytest.fixture(scope="module")
def alone(environment, zoo_command, tmp_path_factory):
    """A VAE without the plugins."""
    folder = tmp_path_factory.mktemp("alone") / "out"
    options = ["--models", "vae", "--out", folder, "--metrics", GOOD_METRICS, *OPTIONS]
    done = zoo_command("--no-plugins", "bench", *options, env=environment)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def together(environment, zoo_command, tmp_path_factory):
    """The VAE among all models and metrics that misbehave; the folder, and what was said on stderr."""
    folder = tmp_path_factory.mktemp("together") / "out"
    models = ",".join([*FAILED, *DIVERGED, "vae", *FINISHED])
    metrics = ",".join([GOOD_METRICS, *METRICS])
    done = zoo_command("bench", "--models", models, "--out", folder, "--metrics", metrics, *OPTIONS, env=environment)
    assert done.returncode == 1, done.stderr
    return folder, done.stderr


def test_every_row_says_what_happened(together):
    found = {name: record for name, (record, _) in records(together[0]).items()}
    assert found.keys() == {*FAILED, *DIVERGED, *FINISHED, "vae"}
    for name, error in (FAILED | DIVERGED).items():
        assert found[name]["status"] == ("error" if name in FAILED else "diverged"), name
        assert found[name]["error"].startswith(error), name
        assert len(found[name]["error"]) < 700
        assert "\n" not in found[name]["error"]
    for name, error in FINISHED.items():
        assert (found[name]["status"], found[name]["diagnostics_error"]) == ("ok", error), name
    assert found["bad-diagnostic"]["diagnostics"] == {"fine": 1.0}
    for name in ("vae", *FINISHED):
        for metric, error in METRICS.items():
            assert found[name]["scores"][metric]["error"].startswith(error), (name, metric)
            assert found[name]["scores"][metric]["values"] == {}


def test_the_other_rows_and_the_controls_are_the_same_bit_for_bit(alone, together):
    (one, one_path), (other, other_path) = (records(folder)["vae"] for folder in (alone, together[0]))
    assert one["run_id"] == other["run_id"]
    for name in ("status", "error", "images", "updates", "flops", "losses", "diagnostics", "marks"):
        assert one[name] == other[name], name
    assert [point["fid"] for point in one["curve"]] == [point["fid"] for point in other["curve"]]
    assert {name: score["values"] for name, score in one["scores"].items()} == {
        name: score["values"] for name, score in other["scores"].items() if name not in METRICS
    }
    suffix = ".safetensors"
    assert one_path.with_suffix(suffix).read_bytes() == other_path.with_suffix(suffix).read_bytes()
    of_alone, of_both = (
        json.loads((f / "controls" / "digits.json").read_text())["scores"] for f in (alone, together[0])
    )
    for control, scores in of_alone.items():
        for metric, score in scores.items():
            assert of_both[control][metric]["values"] == score["values"], (control, metric)


def test_what_is_wrong_with_a_plugin_is_said_before_anything_is_trained(together, environment, zoo_command, tmp_path):
    said = together[1]
    for name, sentence in PLUGINS.items():
        (line,) = [line for line in said.splitlines() if f"warning: plugin {name!r} of zoo-plugin-misbehaves" in line]
        assert sentence in line
    assert "zoo: plugin 'misbehaves' of zoo-plugin-misbehaves 0.1.0 replaces json.dumps: put back" in said
    for name, sentence in TASKS.items():
        options = ["--models", "vae", "--task", name, "--out", tmp_path / "out"]
        done = zoo_command("bench", *options, env=environment)
        assert done.returncode == 2
        assert f"zoo: task {name!r} of zoo-plugin-misbehaves 0.1.0 {sentence}" in done.stderr.splitlines()[-1]
        assert not (tmp_path / "out").exists()


def test_the_page_has_a_line_for_each():
    sys.path.insert(0, str(PACKAGE))
    try:
        import zoo_plugin_misbehaves as plugin
    finally:
        sys.path.remove(str(PACKAGE))
    runs = {**FAILED, **DIVERGED, **FINISHED}
    assert runs.keys() == {*plugin.MODELS, "patches-json"}
    assert (METRICS.keys(), TASKS.keys()) == ({*plugin.METRICS}, {*plugin.TASKS})
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    lines = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert {*lines} == {*runs, *METRICS, *TASKS, *PLUGINS}
    assert len(lines) >= 20

"""Speeds measured alone, in the forms of a report."""

import json

import pytest

from zoo.cli import main
from zoo_bench.measure.throughput import load_throughput
from zoo_bench.report.show.html import write_report
from zoo_bench.report.show.speeds import speeds
from zoo_bench.store.records import Store

NASTY = "<script>'x'"


@pytest.fixture
def measured(bench):
    """A bench beside which stands what pytest-benchmark would have written for three models."""
    rates = {("fp32", "matrix"): 1e11, ("fp32", "convolution"): 2e11, ("bf16", "matrix"): 4e11}
    specs, timed = [], []
    for (precision, kind), rate in rates.items():
        info = {"precision": precision, "flops": rate / 1e3}
        timed.append({"name": f"test_limit[{precision}-{kind}]", "stats": {"min": 1e-3}, "extra_info": info})
    for i, model in enumerate(("gan", "dcgan", NASTY), 1):
        specs.append({"model": model, "task": "digits", "device": "cpu", "precision_mode": "fp32"})
        train = {"stats": {"median": 0.01 * i}, "extra_info": {"images": 64, "flops_per_image": 1e6}}
        timed.append({"name": f"test_train[{model}]", **train})
        for n in (1, 64, 256):
            stats = {"median": 0.001 * n, "data": [0.001 * n] * 99 + [0.002 * n]}
            timed.append({"name": f"test_sample[{model}-{n}]", "stats": stats, "extra_info": {"images": n}})
    folder = bench / "throughput"
    folder.mkdir()
    content = {"benchmarks": timed, "zoo": {"models": [spec["model"] for spec in specs], "specs": specs, "threads": 2}}
    (folder / "digits.json").write_text(json.dumps(content))
    return bench


def test_speeds_are_worked_out_from_what_was_timed(measured):
    frame = load_throughput(measured).set_index("model")
    assert frame.loc["gan", "train_images_per_s"] == pytest.approx(6400)
    assert frame.loc["dcgan", "train_images_per_s"] == pytest.approx(3200)
    assert frame.loc["gan", "sample_images_per_s_256"] == pytest.approx(1000)
    assert frame.loc["gan", "sample_latency_p50_ms"] == pytest.approx(1.0)
    assert 1.0 < frame.loc["gan", "sample_latency_p99_ms"] < 2.0
    assert frame.loc["gan", "peak_share"] == pytest.approx(6400 * 1e6 / 2e11)  # a convolution is the faster
    (found,) = speeds(load_throughput(measured))
    assert found.title == "digits: speed alone on the machine, CPU threads: 2, fp32"
    assert [row[0] for row in found.rows] == ["gan", "dcgan", NASTY]
    assert found.rows[0][-1] == "3%"


def test_a_share_is_of_what_the_machine_reaches_in_the_same_precision(measured):
    path = measured / "throughput" / "digits.json"
    path.write_text(path.read_text().replace('"precision_mode": "fp32"', '"precision_mode": "bf16+compile"'))
    assert load_throughput(measured).set_index("model").loc["gan", "peak_share"] == pytest.approx(6400 * 1e6 / 4e11)


def test_they_are_in_the_page_and_in_the_terminal(measured, capsys):
    text = write_report(Store(measured)).read_text(encoding="utf-8")
    assert 'id="speed"' in text
    assert "CPU threads: 2" in text
    assert NASTY not in text
    assert main(["report", str(measured), "--format", "table"]) == 0
    assert "digits: speed alone on the machine, CPU threads: 2, fp32" in capsys.readouterr().out


def test_without_a_measurement_nothing_is_said_of_it(bench):
    assert load_throughput(bench).empty
    assert 'id="speed"' not in write_report(Store(bench)).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [
        {"benchmarks": 1}, {"benchmarks": [1]}, {"benchmarks": [{"name": "limit"}], "zoo": {}},
        {"benchmarks": [{"name": "limit", "stats": {"min": 0}, "extra_info": {"precision": "fp32"}}], "zoo": {}},
    ],
)  # fmt: skip
def test_a_file_that_holds_no_speeds_is_named_and_left_out(measured, capsys, content):
    (measured / "throughput" / "odd.json").write_text(json.dumps(content))
    assert main(["report", str(measured), "--format", "table"]) == 0
    shown = capsys.readouterr()
    assert "odd.json' holds no speeds" in shown.err
    assert "digits: speed alone on the machine" in shown.out


def test_settings_in_brackets_are_no_markup(measured, capsys):
    path = measured / "throughput" / "digits.json"
    path.write_text(path.read_text().replace("dcgan", "gan[red]"))
    assert main(["report", str(measured), "--format", "table"]) == 0
    assert "gan[red]" in capsys.readouterr().out

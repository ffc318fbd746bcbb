"""Tables of models: which columns stand where, and what their cells say."""

import math

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show.figures import colours_of
from zoo_bench.report.show.tables import further_tables, leading_table


def summary_of(root):
    results = load([root])
    (group,) = groups(results.frame)
    return summarise(group, results.controls)


def test_every_metric_is_in_one_table(bench):
    summary = summary_of(bench)
    colours = colours_of([summary])
    further = further_tables(summary, colours)
    shown = [c["name"] for table in (leading_table(summary, colours), *further.values()) for c in table["columns"]]
    assert sorted(shown) == sorted(metric.name for metric in summary.metrics)
    assert [c["name"] for c in further["modes"]["columns"]] == ["mode_tv"]
    assert leading_table(summary, colours)["controls"] == ["real", "copy", "noise"]
    assert further["modes"]["controls"] == []  # these controls have no such value
    assert list(further)[-1] == "speed and size"


def test_a_column_of_no_installed_plugin_is_among_the_others(make, tmp_path):
    records = [make.drawn(make.spec(model=m), 1.0, metrics={"fid": 1.0, "brilliance": 2.0}) for m in "ab"]
    summary = summary_of(make.write(tmp_path, records))
    assert "brilliance" in [
        c["name"] for c in further_tables(summary, colours_of([summary]))["models’ own and others"]["columns"]
    ]


def test_a_count_has_its_total_and_no_digits_that_it_lacks(make, tmp_path):
    counts = {"full": (10.0, 10.0), "few": (3.0, 2.0)}
    records = [
        make.drawn(make.spec(model=m, seed=s), 1.0, metrics={"modes_captured": counts[m][s], "modes_total": 10.0})
        for m in counts
        for s in range(2)
    ]
    summary = summary_of(make.write(tmp_path, records))
    modes = next(c for c in leading_table(summary, colours_of([summary]))["columns"] if c["name"] == "modes_captured")
    assert modes["title"] == "modes"
    assert {m.label: cell["text"] for m, cell in zip(summary.models, modes["cells"], strict=True)} == {
        "full": "10/10",
        "few": "2.5/10",
    }


def test_dots_are_all_runs_of_the_leading_metric_on_one_logarithmic_axis(make, tmp_path):
    values = {"a": (1.0, 4.0), "b": (2.0, 16.0)}
    records = [
        make.drawn(make.spec(model=m, seed=s), 1.0, metrics={"fid": v}) for m in values for s, v in enumerate(values[m])
    ]
    summary = summary_of(make.write(tmp_path, records))
    columns = leading_table(summary, colours_of([summary]))["columns"]
    assert [c["name"] for c in columns if c["dots"]] == ["fid"]
    dots = dict(zip([m.label for m in summary.models], columns[0]["dots"], strict=True))
    assert {m: d["places"] for m, d in dots.items()} == {
        m: pytest.approx([math.log(v, 16) for v in values[m]]) for m in values
    }
    assert dots["b"]["words"] == "seed 0: 2, seed 1: 16"


def test_one_run_of_each_model_has_no_dots(make, tmp_path):
    summary = summary_of(make.write(tmp_path, [make.drawn(make.spec(model=m), 1.0) for m in "ab"]))
    assert not any(c["dots"] for c in leading_table(summary, colours_of([summary]))["columns"])

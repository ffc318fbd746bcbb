import copy
import pickle
import shutil

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

import zoo_bench
from zoo.errors import UnknownNameError, ZooError
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.read.tidy import tidy_table
from zoo_bench.report.show.html import write_report
from zoo_bench.result import BenchResult
from zoo_bench.store.records import Store


def result_of(root):
    return BenchResult(zoo_bench.load_results(root), root)


@pytest.fixture(scope="module")
def result(drawn_bench):
    """Six models with three seeds each. Do not change it."""
    return result_of(drawn_bench)


@pytest.fixture(scope="module")
def two_tasks(tmp_path_factory, make):
    """Six models with two seeds on each of two tasks."""
    root = tmp_path_factory.mktemp("tasks")
    make.bench(root, seeds=2)
    make.bench(root, seeds=2, task="grid25", judge="mixture@76543210")
    return result_of(root)


def test_it_is_a_frame_with_the_most_wanted_columns_first(result, drawn_bench):
    runs = zoo_bench.load_results(drawn_bench)
    assert list(result.columns[:6]) == ["model", "task", "seed", "status", "fid", "modes_captured"]
    assert result.columns[-1] == "run_id"
    rest = list(result.columns[6:-1])
    assert rest == [name for name in runs if name in rest]
    pd.testing.assert_frame_equal(pd.DataFrame(result)[list(runs)], runs)


def test_what_is_selected_from_it_is_a_plain_frame(result):
    ok = result["status"] == "ok"
    parts = result.head(2), result[ok], result[["fid"]], result.copy(), copy.deepcopy(result)
    assert all(type(part) is pd.DataFrame for part in (*parts, pd.concat([result, result])))
    assert result.groupby("model")["fid"].count().to_dict() == dict.fromkeys(set(result["model"]), 3)
    assert result.fid.min() > 0
    assert result.head(2).plot is not None


def test_another_process_gets_a_plain_frame(result):
    sent = pickle.loads(pickle.dumps(result))
    assert type(sent) is pd.DataFrame
    pd.testing.assert_frame_equal(sent, pd.DataFrame(result))


def test_the_summary_has_the_figures_of_the_tables(result, drawn_bench):
    results = load([drawn_bench])
    tidy = tidy_table([summarise(group, results.controls) for group in groups(results.frame)])
    summary = result.summary().set_index("model")
    assert list(summary.columns[:6]) == ["task", "runs", "ok", "fid", "fid_low", "fid_high"]
    assert summary.columns[-1] == "standing"
    for _, row in tidy[(tidy["kind"] == "model") & tidy["metric"].isin(summary.columns)].iterrows():
        shown = summary.loc[row["model"], [row["metric"], f"{row['metric']}_low", f"{row['metric']}_high"]]
        assert list(shown) == [row["mean"], row["low"], row["high"]]
        assert row["metric"] != "fid" or row["standing"] == summary.loc[row["model"], "standing"]
    assert {"fid", "modes_captured", "mode_kl", "train_images_per_s", "params"} <= set(summary)
    assert list(summary["fid"]) == sorted(summary["fid"])


def test_changing_the_frame_changes_no_summary(drawn_bench):
    changed = result_of(drawn_bench)
    changed["fid"] = 0.0
    changed["note"] = "text"
    assert changed.summary()["fid"].min() > 0


def test_only_the_runs_of_the_bench_are_summarised(drawn_bench):
    runs = zoo_bench.load_results(drawn_bench)
    part = BenchResult(runs[runs["model"].isin(["gan", "vae"])], drawn_bench)
    assert list(part.summary()["model"]) == ["gan", "vae"]
    with pytest.raises(UnknownNameError, match="unknown model of this bench 'dcgan'"):
        part.sheet("dcgan")


def test_the_verdict_is_the_sentence_of_the_report_beside_it(bench):
    result, path = result_of(bench), write_report(Store(bench))
    assert result.verdict.startswith("dcgan has the lowest FID, ")
    assert result.report() == path
    assert result.verdict in path.read_text()


def test_several_tasks_have_a_verdict_and_rows_each(two_tasks):
    assert [line.split(":")[0] for line in two_tasks.verdict.splitlines()] == ["digits", "grid25"]
    summary = two_tasks.summary()
    assert list(summary["task"]) == ["digits"] * 6 + ["grid25"] * 6
    assert "judge" not in summary  # the task says it already


def test_groups_of_one_task_are_told_apart(tmp_path, make):
    make.bench(tmp_path, seeds=1)
    make.bench(tmp_path, seeds=1, budget="2M")
    summary = result_of(tmp_path).summary()
    assert list(summary.columns[:3]) == ["task", "budget", "model"]
    assert summary["budget"].nunique() == 2


@pytest.mark.parametrize("name", ["curves", "pareto", "modes", "samples"])
def test_a_plot_is_a_figure_with_every_model_that_notebooks_show(result, name):
    figure = result.plot(name)
    assert isinstance(figure, Figure)
    shown = figure._repr_svg_()
    assert shown.startswith("<svg")
    assert all(f">{model}</text>" in shown for model in ("dcgan", "beta-vae", "wgan-gp"))


def test_a_model_has_one_look_in_all_plots(result):
    (curve,) = (line for line in result.plot("curves").axes[0].lines if line.get_label() == "dcgan")
    points = [line for line in result.plot("pareto").axes[0].lines if (line.get_gid() or "").startswith("title: dcgan")]
    looks = {(line.get_color(), line.get_marker()) for line in points}
    assert looks == {(curve.get_color(), curve.get_marker())} == {("#d55e00", "s")}


def test_the_axes_of_a_plot_are_chosen(result):
    assert result.plot("curves", against="seconds").axes[0].get_xlabel() == "training seconds"
    axes = result.plot("pareto", against="params", metric="mode_kl").axes[0]
    assert axes.get_xlabel() == "parameters"
    assert "KL" in axes.get_ylabel()
    with pytest.raises(UnknownNameError, match="unknown horizontal axis of curves 'second': did you mean 'seconds'"):
        result.plot("curves", against="second")
    with pytest.raises(UnknownNameError, match="unknown metric of these runs 'mode_kll': did you mean 'mode_kl'"):
        result.plot("pareto", metric="mode_kll")
    with pytest.raises(ZooError, match="modes has no choice of axis, which curves and pareto have"):
        result.plot("modes", against="images")
    with pytest.raises(ZooError, match="curves has no choice of metric, which pareto has"):
        result.plot("curves", metric="kid")


def test_a_task_is_chosen_by_name_and_is_else_the_first(two_tasks):
    assert "of 10" in two_tasks.plot("modes").axes[0].get_xlabel()
    assert two_tasks.plot("modes", task="grid25").axes[0].get_xlabel()
    with pytest.raises(UnknownNameError, match="unknown task of this bench 'grid': did you mean 'grid25'"):
        two_tasks.plot("modes", task="grid")
    with pytest.raises(UnknownNameError, match="unknown task"):
        two_tasks.sheet("gan", task="mnist")


def test_a_plot_that_does_not_exist_is_refused(result):
    with pytest.raises(UnknownNameError, match="unknown kind of plot 'curve': did you mean 'curves'"):
        result.plot("curve")


@pytest.mark.parametrize("name", ["curves", "pareto", "modes", "samples"])
def test_nothing_to_plot_is_a_sentence(tmp_path, make, name):
    failed = make.record(make.spec(), status="error", error="it broke")
    with pytest.raises(ZooError, match="nothing to plot: the runs on 'digits' lack"):
        result_of(make.write(tmp_path, [failed])).plot(name)


def test_a_sheet_is_the_stored_picture_of_the_lowest_seed_or_of_another(result, drawn_bench):
    def stored(seed):
        (path,) = drawn_bench.glob(f"runs/digits/gan/seed={seed}-*[0-9a-f].png")
        return Image.open(path).tobytes()

    assert result.sheet("gan").tobytes() == stored(0)
    assert result.sheet("gan", seed=2).tobytes() == stored(2)


def test_a_sheet_that_is_not_there_is_a_sentence(tmp_path, make):
    failed = make.record(make.spec(), status="error", error="it broke")
    result = result_of(make.write(tmp_path, [failed]))
    with pytest.raises(ZooError, match=r"'gan', seed 0, has no readable sheet of samples: .* status 'error'"):
        result.sheet("gan")
    with pytest.raises(ZooError, match="'gan' has no run of seed 5: known: 0"):
        result.sheet("gan", seed=5)
    with pytest.raises(UnknownNameError, match="did you mean 'gan'"):
        result.sheet("gna")
    (record,) = tmp_path.glob("runs/*/*/*.json")
    record.with_suffix(".png").write_bytes(b"no picture")
    with pytest.raises(ZooError, match="has no readable sheet"):
        result.sheet("gan")


def test_html_is_the_verdict_and_the_table_with_the_best_marked(result):
    html = result._repr_html_()
    best = result.summary().iloc[0]
    assert result.verdict in html
    assert f"<b>{best['fid']:.3f}</b>" in html or f"<b>{best['fid']:.2f}</b>" in html
    assert html.count("<table") == 1
    assert len(html) < 10_000
    assert "plugin_version" not in html


def test_names_are_escaped_in_html(tmp_path, make):
    records = [make.drawn(make.spec(model="gan", task="<b>x</b>\u202e", seed=seed), 2.0) for seed in (0, 1)]
    html = result_of(make.write(tmp_path, records))._repr_html_()
    assert "&lt;b&gt;x&lt;/b&gt;\\u202e" in html
    assert "<b>x" not in html


def test_a_terminal_gets_the_short_table(result, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = repr(result)
    assert text.startswith("digits: budget 200k per run, 3 seeds")
    assert " dcgan " in text
    assert "dcgan has the lowest FID" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert str(result) == text


def test_without_its_folder_it_is_shown_as_the_frame_that_it_is(bench):
    result = result_of(bench)
    shutil.rmtree(bench)
    assert "run_id" in repr(result)
    assert "run_id" in result._repr_html_()
    with pytest.raises(ZooError, match="no results in"):
        result.summary()

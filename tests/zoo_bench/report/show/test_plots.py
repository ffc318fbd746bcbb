"""Learning curves, modes, profiles and ranks."""

import math

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.overall import THRESHOLDS, overall
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show import plots
from zoo_bench.report.show.figures import PAPER, SCREEN, colours_of, svg


@pytest.fixture(scope="module")
def results(drawn_bench):
    return load([drawn_bench])


@pytest.fixture(scope="module")
def summary(results):
    (group,) = groups(results.frame)
    return summarise(group, results.controls)


@pytest.mark.parametrize("style", [SCREEN, PAPER])
@pytest.mark.parametrize("spent", list(plots.SPENT))
def test_a_curve_is_the_geometric_mean_of_the_dots_at_each_mark(summary, results, spent, style):
    figure = plots.learning_curves(summary, results.curves, colours_of([summary]), spent, style)
    assert tuple(figure.get_size_inches()) == (style.width, style.height)
    (axes,) = figure.axes
    (line,) = (line for line in axes.lines if line.get_label() == "vae")
    dots = [line.get_ydata()[0] for line in axes.lines if (line.get_gid() or "").startswith("title: vae, seed ")]
    marks = len(line.get_ydata())
    assert len(dots) == 3 * marks
    for i, mean in enumerate(line.get_ydata()):
        runs = [dots[i + marks * seed] for seed in range(3)]
        assert mean == pytest.approx(math.prod(runs) ** (1 / 3))


def test_a_curve_ends_where_a_run_diverged_and_its_dots_do_not(tmp_path, make):
    curve = [{"images": 100 * 2**i, "seconds": 1.0, "flops": 1, "fid": 9.0 - i} for i in range(3)]
    records = [make.drawn(make.spec(seed=0), 2.0, curve=curve)]
    records.append(make.record(make.spec(seed=1), status="diverged", error="it did", curve=curve[:2]))
    found = load([make.write(tmp_path, records)])
    (group,) = groups(found.frame)
    summary = summarise(group)
    (axes,) = plots.learning_curves(summary, found.curves, colours_of([summary])).axes
    lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
    assert [list(line.get_xdata()) for line in lines] == [[100.0, 200.0]]
    assert sum(" seed 0: " in (line.get_gid() or "") for line in axes.lines) == 3


def test_a_bar_is_the_mean_of_the_modes_of_every_run(summary):
    (axes,) = plots.modes(summary, colours_of([summary])).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [model.label for model in reversed(summary.models)]
    for name, bar in zip(names, axes.patches, strict=True):
        dots = [line.get_xdata()[0] for line in axes.lines if line.get_gid().startswith(f"title: {name}, seed ")]
        assert len(dots) == 3
        assert bar.get_width() == pytest.approx(sum(dots) / 3)


def test_ranks_and_profiles_show_every_model(summary):
    scores, colours = overall([summary]), colours_of([summary])
    (axes,) = plots.profiles(scores.profiles, colours).axes
    assert {line.get_label(): list(line.get_ydata()) for line in axes.lines} == scores.profiles
    assert list(axes.lines[0].get_xdata()) == list(THRESHOLDS)
    (axes,) = plots.ranks(scores.ranking, colours).axes
    places = {line.get_gid(): line.get_xdata()[0] for line in axes.lines if line.get_gid()}
    assert list(places.values()) == list(scores.ranking.ranks.values())
    assert all(any(f"title: {name}: " in gid for gid in places) for name in scores.ranking.ranks)


def test_shares_of_modes_are_those_over_all_runs_of_a_model_beside_those_of_real_items(bench):
    results = load([bench])
    (summary,) = (summarise(group, results.controls) for group in groups(results.frame))
    runs = summary.group.runs
    dcgan = [str(run_id) for run_id in runs.loc[runs["_label"] == "dcgan", "run_id"]]
    counts = dict(zip(dcgan, [([30, 10], [5, 5]), ([10, 30], [5, 5])], strict=False))
    text = svg(plots.mode_shares(summary, counts, colours_of([summary])))
    assert "dcgan, mode 0: 50.0% of samples, 50.0% of real items" in text
    assert "vae, mode" not in text
    assert plots.mode_shares(summary, {}, colours_of([summary])) is None
    many = {dcgan[0]: ([1] * 40, [1] * 40)}
    assert plots.mode_shares(summary, many, colours_of([summary])) is None

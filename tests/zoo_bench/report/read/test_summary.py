import math

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.sequential import sequential_p
from zoo_bench.report.read.statistics import holm, t_interval, welch
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.read.tidy import tidy_table
from zoo_bench.report.show.plots import mean_curve
from zoo_bench.store.tables import to_frame


@pytest.fixture
def summary_of(make):
    """Summarise runs given as ``{model: [value per seed]}``; None is a failed run."""

    def summarised(values, column="fid", seed_plan="", **extra):
        records = [
            make.record(make.spec(model=model, seed=seed), metrics={column: value, **extra}, seed_plan=seed_plan)
            if value is not None
            else make.record(make.spec(model=model, seed=seed), status="diverged", error="loss is NaN")
            for model, row in values.items()
            for seed, value in enumerate(row)
        ]
        (group,) = groups(to_frame(records))
        return summarise(group)

    return summarised


CLEAR = {"a": [1.0, 1.1, 0.9], "b": [5.0, 5.5, 6.0], "c": [20.0, 21.0, 19.0]}
CLOSE = {"a": [1.0, 1.4, 0.8], "b": [1.2, 1.5, 0.9], "c": [20.0, 21.0, 19.0]}


def test_the_best_is_named_where_it_is_separable(summary_of):
    found = summary_of(CLEAR)
    assert found.standings["fid"] == {"a": "best", "b": "", "c": ""}
    assert found.verdict() == "a has the lowest FID, 0.997 (0.777 to 1.28), separable from every other model."


def test_who_is_not_separable_from_the_best_is_marked_and_the_seeds_needed_are_named(summary_of):
    found = summary_of(CLOSE)
    assert found.standings["fid"] == {"a": "best", "b": "tied", "c": ""}
    assert "not separable from b with 3 seeds; separable from c." in found.verdict()
    more = {model: [*values, *(1.05 * v for v in values)] for model, values in CLOSE.items()}
    assert "not separable from b (at least 12 seeds would be needed) with 6 seeds" in summary_of(more).verdict()


def test_pairs_are_welch_tests_on_the_log_scale_corrected_by_holm(summary_of):
    found = summary_of(CLOSE)
    raw = [welch(CLOSE[x], CLOSE[y], log=True).p for x, y in (("a", "b"), ("a", "c"), ("b", "c"))]
    p = found.claims["fid"].p_values
    assert [p["a", "b"], p["a", "c"], p["b", "c"]] == pytest.approx(holm(raw))
    assert p["a", "b"] == p["b", "a"]


def test_where_seeds_were_added_p_values_allow_for_the_looks_and_no_seeds_needed_are_named(summary_of):
    more = {model: [*values, *(1.05 * v for v in values)] for model, values in CLOSE.items()}
    fixed, added = summary_of(more), summary_of(more, seed_plan="auto")
    pairs = (("a", "b"), ("a", "c"), ("b", "c"))
    raw = [sequential_p(*(dict(enumerate(more[name])) for name in pair), log=True) for pair in pairs]
    p = added.claims["fid"].p_values
    assert [p[pair] for pair in pairs] == pytest.approx(holm(raw))
    assert all(p[pair] >= fixed.claims["fid"].p_values[pair] for pair in pairs)
    assert "would be needed" in fixed.verdict()
    assert "; not separable from b with 6 seeds; separable from c." in added.verdict()


def test_where_no_look_at_added_seeds_can_be_made_the_seeds_that_it_needs_are_named(summary_of):
    said = summary_of(CLEAR, seed_plan="auto").verdict()
    assert "not separable from b (seeds 0 to 3 of both would be needed)" in said


def test_published_figures_lead_no_table(summary_of):
    assert summary_of(CLEAR, "fid_inception", kid=0.1).leading.name == "kid"
    alone = summary_of(CLEAR, "fid_inception")
    assert alone.leading is None
    assert alone.verdict() == "Values by the protocol of papers rank no models."


SURVIVORS = {"gan": [0.5, 0.51, None, None, None], "a": [1.0, 1.1, 0.9, 1.0, 1.1], "b": [5.0, 5.5, 6.0, 5.2, 5.8]}


def test_a_model_of_which_runs_failed_is_neither_best_nor_separable(summary_of):
    found = summary_of(SURVIVORS)
    assert found.standings["fid"] == {"a": "best", "b": ""}
    assert [m.label for m in found.models] == ["a", "b", "gan"]
    gan = found.models[-1]
    assert found.standing(gan, found.leading) == "failed"
    assert not any(found.claims["fid"].is_separable(gan, other) for other in found.models[:2])
    said = found.verdict()
    assert said.startswith("a has the lowest FID of models without failed runs, 1.02 (")
    assert "separable from every other of these." in said
    assert said.endswith("Nothing is claimed of gan (3 of 5 runs diverged): a mean leaves out the runs that failed.")


def test_a_model_of_which_no_run_finished_is_named_too(summary_of):
    ending = "Nothing is claimed of gan (2 of 2 runs diverged)."
    said = summary_of({"gan": [None, None], "a": [1.0, 1.1, 0.9], "b": [5.0, 5.5, 6.0]}).verdict()
    assert said.startswith("a has the lowest FID of models without failed runs, ")
    assert said.endswith(f", separable from every other of these. {ending}")
    alone = summary_of({"gan": [None, None], "a": [1.0, 1.1]}).verdict()
    assert alone == f"a is the only model with a score and without failed runs: FID 1.05. {ending}"


def test_where_every_model_has_failed_runs_nothing_is_ranked(summary_of):
    said = summary_of({"a": [1.0, 1.1, None], "b": [5.0, None, 6.0]}).verdict()
    assert said.startswith(
        "Every model with a score has failed runs, so this ranks nothing. Nothing is claimed of a (1"
    )


@pytest.mark.parametrize("status", ["interrupted", "timeout", "error"])
def test_only_runs_that_the_user_interrupted_count_as_not_begun(make, status):
    runs = [make.record(make.spec(model=m, seed=s), {"fid": f + s}) for m, f in (("a", 1), ("b", 90)) for s in range(3)]
    runs.append(make.record(make.spec(model="a", seed=3), status=status, error="stopped"))
    (group,) = groups(to_frame(runs))
    found = summarise(group)
    assert found.standings["fid"] == ({"a": "best", "b": ""} if status == "interrupted" else {"b": "best"})
    assert ("over the 3 of 4 runs that finished" in found.verdict()) == (status == "interrupted")


MARKED = {"copies": 1.0, "copies_real": 0.0, "copies_se": 0.01}


@pytest.fixture
def verdict_beside(make):
    """Return the verdict on these models, ``{model: [FID per seed]}``, beside a marked one with a lower FID."""

    def made(values):
        specs = [(make.spec(model=m, seed=seed), fid) for m, row in values.items() for seed, fid in enumerate(row)]
        records = [
            make.record(spec, metrics={"fid": fid}) if fid else make.record(spec, status="diverged", error="NaN")
            for spec, fid in specs
        ]
        records += [make.record(make.spec(model="copier", seed=s), metrics={"fid": 0.1, **MARKED}) for s in range(2)]
        (group,) = groups(to_frame(records))
        return summarise(group).verdict()

    return made


def test_the_best_of_models_without_a_mark_is_called_that(verdict_beside):
    assert verdict_beside({"a": [1.0, 1.1], "b": [9.0, 9.1]}).startswith(
        "a has the lowest FID of models without a mark,"
    )
    assert verdict_beside({"a": [1.0, 1.1]}).startswith("a is the only model with a score and without a mark: FID 1.05")


def test_where_only_marked_models_have_scores_nothing_is_ranked(verdict_beside):
    said = "Every model with a score is marked, so this ranks nothing."
    assert verdict_beside({}) == said
    assert verdict_beside({"a": [None, None]}) == f"{said} Nothing is claimed of a (2 of 2 runs diverged)."


def test_one_seed_ranks_nothing(summary_of):
    found = summary_of({"a": [1.0], "b": [5.0]})
    assert found.standings["fid"] == {}
    assert "ranks nothing" in found.verdict()


def test_a_model_with_one_run_is_not_separable(summary_of):
    assert summary_of({"a": [1.0, 1.1, 0.9], "b": [900.0]}).standings["fid"] == {"a": "best", "b": "tied"}


@pytest.mark.parametrize("missed", [math.nan, math.inf], ids=["not reached", "infinite"])
def test_the_mean_of_the_runs_that_reached_a_target_is_no_best_where_others_did_not(summary_of, missed):
    values = {"some": [1.0, 1.1, missed, missed], "all": [2.0, 2.1, 2.05, 2.1], "slow": [9.0, 9.1, 9.2, 9.1]}
    found = summary_of(values, "images_to_target")
    assert found.standings["images_to_target"] == {"all": "best", "some": "tied", "slow": ""}
    assert summary_of({"a": [1.0, 1.1, missed]}, "images_to_target").standings["images_to_target"] == {}


def test_a_score_that_some_finished_runs_lack_leads_to_no_verdict(summary_of):
    found = summary_of({"a": [1.0, 1.1, math.nan], "b": [5.0, 5.5, 6.0]})
    assert [m.label for m in found.models] == ["b", "a"]
    assert found.verdict().startswith("b has the lowest FID")
    assert "not separable from a" in found.verdict()
    assert "ranks nothing" in summary_of({"a": [1.0, 1.1, math.nan], "b": [5.0, 5.5, math.nan]}).verdict()


def test_equal_means_are_equally_best(summary_of):
    found = summary_of({"a": [10.0] * 3, "b": [10.0] * 3, "c": [9.0] * 3}, "modes_captured", modes_total=10.0)
    assert found.standings["modes_captured"] == {"a": "best", "b": "best", "c": "tied"}


def test_failed_runs_are_counted_and_not_averaged_and_models_without_a_score_come_last(summary_of):
    found = summary_of({"a": [None, None], "b": [2.0, None], "c": [1.0, 1.2]})
    assert [(m.label, m.ok, m.runs, m.collapsed) for m in found.models] == [
        ("c", 2, 2, 0), ("b", 1, 2, 1), ("a", 0, 2, 2),
    ]  # fmt: skip
    assert found.models[1].estimates["fid"].mean == pytest.approx(2.0)


def test_few_modes_are_a_collapse_which_the_mean_includes(summary_of):
    (model,) = summary_of({"a": [4.0, 5.0, 10.0]}, "modes_captured", modes_total=10.0).models
    assert model.collapsed == 1
    assert model.estimates["modes_captured"].mean == pytest.approx(19 / 3)


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_figures_that_are_not_finite_are_not_averaged(summary_of, odd):
    (model,) = summary_of({"a": [1.0, odd, 3.0]}, "kid").models
    assert model.estimates["kid"] == t_interval([1.0, 3.0])


@pytest.mark.parametrize(
    ("column", "values", "low", "high"),
    [("mode_kl", [0.1, 3.0], 0.0, None), ("high_quality", [0.1, 0.9], 0.0, 1.0), ("kid", [0.1, 3.0], None, None),
     ("modes_captured", [8.0, 10.0], 0.0, 10.0), ("recall", [0.5], math.nan, math.nan)],
)  # fmt: skip
def test_intervals_end_at_possible_values(summary_of, column, values, low, high):
    (model,) = summary_of({"a": values}, **{"column": column, "modes_total": 10.0}).models
    whole, cut = t_interval(values), model.estimates[column]
    assert cut.mean == whole.mean
    assert cut.low == pytest.approx(whole.low if low is None else low, nan_ok=True)
    assert cut.high == pytest.approx(whole.high if high is None else high, nan_ok=True)


def test_metrics_of_plugins_that_are_not_installed_are_shown_without_direction(summary_of):
    (metric,) = [m for m in summary_of({"a": [1.0]}, "shoe_size").metrics if m.name == "shoe_size"]
    assert (metric.better, metric.heading) == ("", "shoe size")


def test_the_long_table_has_a_row_per_model_and_metric(summary_of):
    found = summary_of(CLEAR, mode_kl=0.5, fid_floor=0.25)
    tidy = tidy_table([found])
    assert len(tidy) == len(found.models) * len(found.metrics)
    row = tidy[(tidy["model"] == "b") & (tidy["metric"] == "fid")].iloc[0]
    assert (row["better"], row["floor"], row["n"], row["standing"]) == ("lower", 0.25, 3, "")
    assert row["low"] < row["mean"] < row["high"]


def test_controls_are_rows_of_the_long_table_of_their_own_kind(make):
    (group,) = groups(to_frame([make.drawn(make.spec(seed=seed), 2.0) for seed in (0, 1)]))
    own = {"task": "digits", "task_version": "1", "judge": "digits-cnn@01234567"}
    others = [{**own, key: "another", "controls": {"noise": {"fid": 1.0}}} for key in own]
    controls = [*others, {**own, "controls": {"copy": {"fid": 0.2, "unheard_of": 1.0}}}]
    found = summarise(group, controls)
    assert found.references == {"copy": {"fid": 0.2, "unheard_of": 1.0}, "floor": {"fid": 0.25}}
    tidy = tidy_table([found])
    (row,) = tidy[tidy["kind"] == "control"].to_dict("records")
    assert (row["model"], row["metric"], row["mean"], row["floor"], row["n"]) == ("copy", "fid", 0.2, 0.25, 1)
    assert set(tidy.loc[tidy["kind"] == "model", "model"]) == {"gan"}
    assert tidy.loc[tidy["kind"] == "model", "runs"].tolist() == [2] * len(found.metrics)


def test_nothing_finished_is_said(summary_of):
    assert summary_of({"a": [None], "b": [None]}).verdict() == "No run finished with a score."


def test_curves_of_equal_time_are_averaged_mark_by_mark_although_runs_pass_a_mark_by_different_shares(make, tmp_path):
    passed = {0: [0.2503, 0.5, 1.0], 1: [0.2611, 0.5007, 1.0002]}
    records = [
        make.drawn(
            make.spec(seed=seed, budget="10s"), 2.0,
            curve=[{"share": s, "seconds": 10 * s, "images": 1e4 * s, "fid": 4.0} for s in shares],
        )
        for seed, shares in passed.items()
    ]  # fmt: skip
    results = load([make.write(tmp_path, records, pictures=False)])
    summary = summarise(groups(results.frame)[0])
    points = mean_curve(summary, results.curves, "gan", "seconds")
    assert [n for *_, n in points] == [2, 2, 2]
    assert points[0][:2] == pytest.approx((2.557, 4.0))


def test_a_learning_curve_ends_where_a_run_diverged(tmp_path, make):
    whole = [{"share": s, "images": 1000 * s, "fid": 10 / s} for s in (0.25, 0.5, 1.0)]
    runs = [make.record(make.spec(seed=seed), {"fid": 10.0}, curve=whole) for seed in range(3)]
    poor = [{**point, "fid": 900.0} for point in whole[:2]]
    runs.append(make.record(make.spec(seed=3), status="diverged", error="loss is NaN", curve=poor))
    results = load([make.write(tmp_path, runs)])
    (group,) = groups(results.frame)
    points = mean_curve(summarise(group), results.curves, "gan", "images")
    assert [(x, n) for x, *_, n in points] == [(250.0, 4), (500.0, 4)]


def test_a_model_of_which_a_run_diverged_before_the_first_mark_has_no_curve(tmp_path, make):
    curve = [{"share": s, "images": 1000 * s, "fid": 10 / s} for s in (0.5, 1.0)]
    runs = [make.record(make.spec(seed=seed), {"fid": 10.0}, curve=curve) for seed in range(3)]
    runs.append(make.record(make.spec(seed=3), status="diverged", error="loss is NaN"))
    results = load([make.write(tmp_path, runs)])
    (group,) = groups(results.frame)
    assert mean_curve(summarise(group), results.curves, "gan", "images") == []


@pytest.fixture
def beside(make):
    """Summarise three models beside samples that were made elsewhere and score better than all of them."""
    records = [
        make.record(make.spec(model=model, seed=seed), metrics={"fid": value})
        for model, values in CLEAR.items()
        for seed, value in enumerate(values)
    ]
    others = [make.outside("theirs", fid, seed) for seed, fid in enumerate((0.3, 0.31, 0.32))]
    (alone,), (group,) = groups(to_frame(records)), groups(to_frame([*records, *others]))
    return summarise(alone), summarise(group)


def test_samples_made_elsewhere_are_listed_last_with_their_figures(beside):
    _, found = beside
    assert [(model.label, model.outside) for model in found.models] == [
        ("a", False), ("b", False), ("c", False), ("theirs (outside)", True),
    ]  # fmt: skip
    assert found.models[-1].estimates["fid"].mean == pytest.approx(0.31, rel=0.01)


def test_samples_made_elsewhere_take_part_in_no_claim(beside):
    alone, found = beside
    assert found.verdict() == alone.verdict()
    assert found.verdict().startswith("a has the lowest FID")
    assert found.claims["fid"].p_values == alone.claims["fid"].p_values, "nor are p-values corrected for more pairs"
    assert found.standings["fid"].get("theirs (outside)", "") == ""
    assert {label: found.standings["fid"][label] for label in "abc"} == alone.standings["fid"]

import json
import math

import pytest
from pydantic import ValidationError

from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.record import LEARNING_CURVE, RunRecord, Score, row

STABLE = """
run_id, model, plugin, plugin_version, task, task_version, seed, status, error, budget, images, rounds, updates,
train_seconds, flops, precision_mode, device, threads, contended, params, fid, fid_floor, fid_best, fid_auc, kid,
kid_se, precision, recall, density, coverage, modes_captured, modes_total, mode_kl, mode_tv, high_quality, ndb,
authentic, train_images_per_s, sample_images_per_s, sample_latency_ms, peak_memory_mb, started_at, zoo_version,
schema_version
"""


def test_the_columns_are_the_ones_that_others_rely_on_in_their_order():
    # Changing them needs a new schema version and a line in the changelog.
    assert list(LEADING_COLUMNS) == STABLE.replace("\n", " ").replace(" ", "").split(",")


def test_a_row_has_every_column_then_further_metrics_by_name_then_judge_and_settings(make_record):
    cells = row(make_record(metrics={"zeta": 1.0, "fid": 2.0, "alpha": 3.0}))
    assert list(cells) == [*LEADING_COLUMNS, "alpha", "zeta", *TRAILING_COLUMNS]
    assert (cells["fid"], cells["alpha"], cells["zeta"]) == (2.0, 3.0, 1.0)


def test_what_was_not_reached_is_none_and_never_zero(make_record):
    cells = row(make_record(status="error", error="it broke"))
    filled = {
        "run_id", "model", "plugin", "plugin_version", "task", "task_version", "seed", "status", "error", "budget",
        "precision_mode", "device", "threads", "contended", "started_at", "zoo_version", "schema_version", "judge",
        "metric_versions", "config",
    }  # fmt: skip
    assert {column for column, value in cells.items() if value is not None} == filled


def test_a_true_zero_stays_a_zero(make_record):
    cells = row(make_record(metrics={"modes_captured": 0.0}, images=0))
    assert cells["modes_captured"] == 0.0
    assert cells["images"] == 0


def test_a_row_takes_its_cells_from_the_spec_the_record_and_its_figures(make_record):
    record = make_record(
        {"seed": 3, "model": "gan"}, images=640, train_seconds=1.5, throughput={"train_images_per_s": 427.0}
    )
    cells = row(record)
    assert (cells["seed"], cells["model"], cells["images"]) == (3, "gan", 640)
    assert (cells["train_seconds"], cells["train_images_per_s"]) == (1.5, 427.0)
    assert cells["judge"] == record.judge
    assert json.loads(cells["config"]) == record.spec.config
    assert cells["started_at"] == record.started_at


def test_a_record_survives_json_infinite_losses_included(make_record):
    record = make_record(losses={"left": math.inf, "right": -math.inf}, metrics={"mode_kl": math.inf, "fid": 1 / 3})
    again = RunRecord.model_validate_json(record.model_dump_json())
    assert again == record
    nan = make_record(losses={"left": math.nan}, history=[{"images": 4, "seconds": 0.5, "losses": {"left": math.nan}}])
    again = RunRecord.model_validate_json(nan.model_dump_json())
    assert math.isnan(again.losses["left"])
    assert math.isnan(again.history[0]["losses"]["left"])


@pytest.mark.parametrize("field", [{"status": "fine"}, {"colour": "red"}, {"images": "many"}])
def test_what_no_record_has_is_refused(make_record, field):
    with pytest.raises(ValidationError):
        make_record(**field)


def test_text_that_json_cannot_hold_is_escaped_and_costs_no_record(make_record):
    fid = Score(plugin="genzoo", version="1", judge="any@01234567", error="\udcff")
    record = make_record(status="error", error="no file a\udcff.png", traceback="\udcff", scores={"fid": fid})
    again = RunRecord.model_validate_json(record.model_dump_json())
    assert again.error == r"no file a\udcff.png"
    assert again.traceback == again.metric_errors["fid"] == r"\udcff"


def score(judge="digits-cnn@01234567", version="1", **values):
    return Score(plugin="genzoo", version=version, judge=judge, values=values)


def test_figures_of_quality_are_those_of_all_scores_and_what_the_model_says(make_record):
    scores = {"fid": score(fid=1.0, fid_floor=0.5), LEARNING_CURVE: score(fid_auc=2.0)}
    record = make_record(scores=scores, diagnostics={"own": 3.0})
    assert record.metrics == {"fid": 1.0, "fid_floor": 0.5, "fid_auc": 2.0, "own": 3.0}
    assert record.metric_errors == {}


def test_what_could_not_be_computed_is_named_in_the_row(make_record):
    failed = Score(plugin="genzoo", version="1", judge="any@01234567", error="no features")
    record = make_record(scores={"fid": score(fid=1.0), "kid": failed}, diagnostics_error="it broke")
    assert record.metric_errors == {"kid": "no features", "diagnostics": "it broke"}
    assert row(record)["error"] == "kid: no features; diagnostics: it broke"


def test_a_row_says_which_version_and_which_other_judge_filled_its_columns(make_record):
    scores = {
        "fid": score(fid=1.0, fid_floor=0.5), "kid": score(kid=2.0), "modes": score(version="2", modes_captured=9.0),
        "fid-inception": score("inception@76543210", fid_inception=3.0),
    }  # fmt: skip
    assert json.loads(row(make_record(scores=scores))["metric_versions"]) == {
        "genzoo 1": "fid fid_floor kid",
        "genzoo 1 under inception@76543210": "fid_inception",
        "genzoo 2": "modes_captured",
    }


def test_a_row_has_seeds_of_single_axes_samples_made_elsewhere_and_notes_where_there_are_any(make_record):
    cells = row(make_record({"seeds": {"data": 3}, "samples": "5a" * 32}, notes=["It is odd.", "Very."]))
    assert json.loads(cells["seeds"]) == {"data": 3}
    assert (cells["samples"], cells["notes"]) == ("5a" * 32, "It is odd.; Very.")
    assert [row(make_record())[name] for name in ("seeds", "samples", "notes")] == [None] * 3


def test_a_row_has_marks_and_cpu_time_where_there_are_any(make_record):
    cells = row(make_record(marks=["it took steps", "it opened a file"], cpu_seconds=1.5))
    assert (cells["marks"], cells["cpu_seconds"]) == ("it took steps; it opened a file", 1.5)
    assert row(make_record())["marks"] is None

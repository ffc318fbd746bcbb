import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo_bench.judges.panel import Panel
from zoo_bench.plan.record import LEARNING_CURVE, Score
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute
from zoo_bench.run.rescore import is_kept, rescore
from zoo_bench.score.stored import BEST_WEIGHTS, SAMPLES, packed
from zoo_bench.store.records import read_record
from zoo_bench.store.upgrades import CURVE_COLUMNS

ALONE = Resources(threads=1, contended=False)
FID = ["fid", "neighbours", LEARNING_CURVE]


def scored(path, names=FID):
    """Score a run again, and return the record that comes of it."""
    record = read_record(path)
    outdated, panel = {record.run_id: (path, names)}, Panel.of(path.parents[3])
    return rescore(record.spec, ALONE, lambda progress: None, outdated=outdated, panel=panel).record


def changed(path, **fields):
    """Store a run's record with other values in fields of its own."""
    record = read_record(path).model_copy(update=fields)
    path.write_text(record.model_dump_json())
    return record


@pytest.fixture
def run(bench_copy):
    """The path of a stored run's record."""
    return next(bench_copy.glob("runs/digits/gan/seed=0-*.json"))


def test_scores_from_weights_are_those_of_the_run_to_all_digits(run):
    before = read_record(run)
    names = sorted(before.scores)
    changed(run, scores={})
    assert (
        scored(run, names).metrics.items()
        >= {column: value for column, value in before.metrics.items() if column not in CURVE_COLUMNS}.items()
    )


def test_features_that_hardly_vary_are_noted_anew(run, monkeypatch):
    before = scored(run).notes
    monkeypatch.setattr("zoo.evaluation.NEARLY_CONSTANT", 0.9)
    changed(run, notes=scored(run).notes)
    assert any("of the 32 of digits-cnn" in note for note in read_record(run).notes)
    monkeypatch.undo()
    assert scored(run).notes == before


def test_kept_samples_are_scored_and_not_those_of_the_weights(run, digits_task):
    real = digits_task.test.data[:600]
    run.with_suffix(SAMPLES).write_bytes(packed(real))
    assert scored(run).metrics["fid"] < read_record(run).metrics["fid"] / 10


def test_other_samples_of_its_weights_are_those_of_a_run_with_another_seed_of_sampling(run):
    before = read_record(run)
    run.with_suffix(SAMPLES).write_bytes(packed(torch.zeros(600, 1, 8, 8, dtype=torch.uint8)))  # none of theirs
    spec = before.spec.with_changes(seeds={"sampling": 7})
    trained = execute(spec, ALONE, scoring=Scoring(("fid",))).record
    found = rescore(spec, ALONE, lambda progress: None, outdated={spec.run_id: (run, ["fid"])}).record
    assert found.metrics["fid"] == trained.metrics["fid"] != before.metrics["fid"]
    assert found.scores.keys() == {"fid"}
    assert (found.spec, found.run_id, found.curve) == (spec, spec.run_id, [])
    assert read_record(run) == before, "nothing is written"


def test_under_another_judge_the_best_checkpoint_is_scored_and_the_curve_says_no_more(run):
    record = read_record(run)
    *earlier, last = record.curve
    worse = [*earlier, {**last, "fid": 1e9}]
    changed(run, curve=worse, judge="other@00000000", curve_judge="other@00000000")
    weights = load_file(run.with_suffix(".safetensors"))
    save_file({name: torch.zeros_like(w) for name, w in weights.items()}, run.with_suffix(BEST_WEIGHTS))

    found = scored(run)
    assert found.judge == record.judge
    assert found.metrics["fid"] == record.metrics["fid"]
    assert found.scores[LEARNING_CURVE].values.keys() == {"fid_best"}
    assert found.metrics["fid_best"] != record.metrics["fid"], "its weights are all 0"

    run.with_suffix(BEST_WEIGHTS).unlink()
    assert scored(run).scores[LEARNING_CURVE].values == {}


def test_values_under_an_earlier_judge_do_not_stay_where_they_cannot_be_computed_again(run):
    record = read_record(run)
    earlier = {name: score.model_copy(update={"judge": "other@0"}) for name, score in record.scores.items()}
    gone = Score(plugin="gone", version="1", judge="other@0", values={"depth": 3.0})
    elsewhere = Score(plugin="gone", version="1", judge="its-own@1", values={"width": 4.0})
    changed(run, judge="other@0", scores={**earlier, "gone": gone, "elsewhere": elsewhere})
    found = scored(run, sorted(record.scores))
    assert found.metrics == {**record.metrics, "width": 4.0}
    assert found.metric_errors == {"gone": "it was computed under other@0, and has not been since"}


def test_where_the_last_checkpoint_is_the_best_its_fid_is_that_of_the_best(run):
    record = read_record(run)
    curve = [{"images": k, "share": k / 2, "seconds": k, "fid": 1 / k} for k in (1, 2)]
    changed(run, curve=curve, judge="x@1")
    assert scored(run).metrics["fid_best"] == record.metrics["fid"]


def other(spec, **fields):
    return spec.with_changes(**fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"task_version": "0"}, "it is of version 0 of task 'digits', not 1"),
        ({"plugin_version": "0.0.1"}, "it was trained with genzoo 0.0.1, and genzoo"),
        ({"model": "gone"}, "unknown model 'gone'"),
    ],
)
def test_a_run_of_another_version_is_refused_and_its_file_left_alone(run, fields, sentence):
    spec = other(read_record(run).spec, **fields)
    changed(run, spec=spec, run_id=spec.run_id)
    content = run.read_bytes()
    found = scored(run)
    assert (found.status, sentence in found.error) == ("error", True), found.error
    assert run.read_bytes() == content


def test_a_run_without_weights_and_samples_is_refused(run):
    assert is_kept(run)
    run.with_suffix(".safetensors").unlink()
    assert not is_kept(run)
    assert scored(run).error == "neither its weights nor its samples were kept"


def test_weights_of_another_network_are_refused(run):
    other_run = next(run.parents[1].glob("vae/seed=0-*.safetensors"))
    shutil.copy(other_run, run.with_suffix(".safetensors"))
    assert "was trained with genzoo" in scored(run).error


def test_a_metric_that_fails_leaves_the_others(run, monkeypatch):
    def broken(evaluation):
        raise ValueError("no")

    load = zoo.MetricSpec.load
    monkeypatch.setattr(zoo.MetricSpec, "load", lambda spec: broken if spec.name == "neighbours" else load(spec))
    before = read_record(run).metrics
    found = scored(run)
    assert found.status == "ok"
    assert found.scores["neighbours"].error == "ValueError: no"
    assert found.metrics == before, "what it had is kept"

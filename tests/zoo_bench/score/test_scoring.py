import random
from dataclasses import replace

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo_bench.data.loading import load_task
from zoo_bench.judges.pixels import PixelJudge
from zoo_bench.score.scoring import note_constants, score


@pytest.fixture
def scored(fake_entry, digits_task):
    """Score twenty real digits with metrics given as ``name=function``, each of which declares the column oddness."""

    def run(**functions):
        columns = (zoo.Column("oddness", "lower", "How odd"),)
        entries = [fake_entry(zoo.MetricSpec, name, function, columns=columns) for name, function in functions.items()]
        return score(Evaluation(digits_task, digits_task.train.data[:20]), entries)

    return run


def outcome(scored):
    """Return, by metric, its values or why there are none."""
    return {name: score.error or score.values for name, score in scored.scores.items()}


def test_a_metric_sees_what_was_generated(scored):
    found = scored(odd=lambda evaluation: {"oddness": torch.tensor(len(evaluation.generated))})
    assert outcome(found) == {"odd": {"oddness": 20.0}}
    assert isinstance(found.scores["odd"].values["oddness"], float)


def test_a_metric_that_fails_leaves_the_others_standing(scored, capsys):
    def broken(evaluation):
        raise RuntimeError("cannot count")

    found = scored(broken=broken, odd=lambda evaluation: {"oddness": 1})
    assert outcome(found) == {"broken": "RuntimeError: cannot count", "odd": {"oddness": 1.0}}
    assert 'raise RuntimeError("cannot count")' in found.traceback
    assert capsys.readouterr() == ("", "")


def test_a_metric_that_exits_leaves_the_others_standing(scored):
    def leaving(evaluation):
        raise SystemExit(1)

    found = scored(leaving=leaving, odd=lambda evaluation: {"oddness": 1})
    assert outcome(found) == {"leaving": "SystemExit: 1", "odd": {"oddness": 1.0}}


def test_a_message_that_would_fill_the_screen_is_cut(scored):
    def chatty(evaluation):
        raise RuntimeError("z" * 100_000)

    [sentence] = outcome(scored(chatty=chatty)).values()
    assert sentence == f"RuntimeError: {'z' * 500}... (100000 characters)"


def test_a_metric_that_says_why_it_does_not_apply_is_quoted(scored):
    def inapplicable(evaluation):
        raise ZooError("the judge knows no modes")

    found = scored(fussy=inapplicable)
    assert (outcome(found), found.traceback) == ({"fussy": "the judge knows no modes"}, "")


def test_a_metric_may_leave_a_column_out(scored):
    assert outcome(scored(shy=lambda evaluation: {})) == {"shy": {}}


@pytest.mark.parametrize("result", [{"undeclared": 1.0}, {"oddness": 1.0, "undeclared": 2.0}, 1.0, None])
def test_a_metric_may_report_only_the_columns_that_it_declares(scored, result):
    sentence = "metric 'loose' must return a dict with keys among oddness"
    found = scored(loose=lambda evaluation: result)
    assert (outcome(found), found.traceback) == ({"loose": sentence}, "")


def test_a_score_has_the_distribution_the_version_and_the_judge_of_its_metric(fake_entry, digits_task):
    columns = (zoo.Column("oddness", "lower", "How odd"),)
    odd, even = (
        fake_entry(zoo.MetricSpec, name, lambda evaluation: {"oddness": 1}, columns=columns, version=version)
        for name, version in (("odd", ""), ("even", "7"))
    )
    found = score(Evaluation(digits_task, digits_task.train.data[:20]), [odd, even]).scores
    judge = f"{digits_task.judge.name}@{digits_task.judge.sha256[:8]}"
    keys = {name: (score.plugin, score.version, score.judge) for name, score in found.items()}
    assert keys == {"odd": ("fake-distribution", "1.2", judge), "even": ("fake-distribution", "7", judge)}


def test_a_metric_draws_the_same_numbers_whichever_others_are_computed(scored):
    def drawing(evaluation):
        return {"oddness": torch.rand(()) + np.random.rand() + random.random()}

    torch.manual_seed(5)
    alone = outcome(scored(odd=drawing))["odd"]
    torch.manual_seed(6)
    both = outcome(scored(other=drawing, odd=drawing))
    assert both["odd"] == alone != both["other"]


class Dim:
    """A judge whose features are pixels, the last ones of which hardly vary; it may fail."""

    name, sha256 = "dim", "0"

    def __init__(self, dim):
        self.dim = dim

    def features(self, data):
        if not self.dim:
            raise RuntimeError("out of light")
        pixels = data.flatten(1)[:, 20:40].float()
        pixels[:, -self.dim :] *= 1e-7
        return pixels

    def modes(self, data):
        return None


@pytest.mark.parametrize(
    ("dim", "said"),
    [(1, "1 of the 20 of dim (19)"), (3, "3 of the 20 of dim (17, 18, 19)"), (11, "11 of the 20 of dim (9, 10, 11, ")],
)
def test_features_that_hardly_vary_are_noted_once(make_record, digits_task, dim, said):
    record = make_record(notes=["it is odd"])
    data = torch.randint(256, (300, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    reference = Reference(replace(digits_task, judge=Dim(dim), test=replace(digits_task.test, data=data)))
    for _ in range(2):
        note_constants(record, reference)
        odd, note = record.notes
        assert odd == "it is odd"
        assert note.startswith("features that hardly vary among real items are measured in the median unit of the ")
        assert said in note
    assert note.endswith(", ...)") == (dim > 10)


def test_every_judge_of_the_panel_is_looked_at(make_record, digits_task):
    record = make_record()
    flat = torch.zeros(50, 1, 8, 8, dtype=torch.uint8)
    flat[:, 0, 0, :4] = torch.randint(256, (50, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    task = replace(digits_task, panel=(PixelJudge(flat),))
    note_constants(record, Reference(replace(task, test=replace(task.test, data=flat[:40], modes=None))))
    (note,) = [note for note in record.notes if "of pixels-32" in note]
    assert "28 of the 32 of pixels-32" in note


def test_a_judge_that_fails_is_left_to_its_metrics(make_record, digits_task):
    record = make_record()
    note_constants(record, Reference(replace(digits_task, judge=Dim(0))))
    assert record.notes == []


def gap(evaluation):
    """What others read: a number that changes if anything in the evaluation does."""
    close, modes = evaluation.nearest_train
    parts = (evaluation.features_generated, evaluation.features_real, evaluation.features_train, close, modes)
    real = sum(float(judge.features(evaluation.real[:50]).double().sum()) for judge in evaluation.task.panel)
    shared = float(evaluation.reference.once(mean_of_real).sum()) + float(evaluation.generated.double().sum())
    return {"oddness": real + shared + sum(float((part.double() * (1 + 0 * part)).sum()) for part in parts)}


def mean_of_real(reference):
    return reference.features.mean(0).numpy()


def subtract(values):
    values -= values.mean(0)


WRITERS = {
    "features_generated": lambda evaluation: evaluation.features_generated.mul_(0),
    "features_real": lambda evaluation: subtract(evaluation.features_real.numpy()),
    "features_train": lambda evaluation: subtract(evaluation.features_train),
    "nearest_train": lambda evaluation: evaluation.nearest_train[0].zero_(),
    "mean_of_real": lambda evaluation: evaluation.reference.once(mean_of_real).fill(0),
    "generated": lambda evaluation: evaluation.generated.numpy().fill(7),
    "task.test.data": lambda evaluation: evaluation.real.bitwise_not_(),
    "task.train.data": lambda evaluation: evaluation.task.train.data.zero_(),
    "task.panel.0._mean": lambda evaluation: evaluation.task.panel[0]._mean.zero_(),
    "judge": lambda evaluation: evaluation.task.judge.network.requires_grad_(False).trunk[0].weight.zero_(),
    "real": lambda evaluation: setattr(evaluation, "real", evaluation.real[:10]),
}
"""What a metric writes into the evaluation, by a part of the name under which it is told."""


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("what", WRITERS)
def test_a_metric_that_writes_into_what_others_read_fails_alone(fake_entry, what, first):
    entry = zoo.installed().tasks.get("digits")

    def load():
        task = load_task(entry)
        return replace(task, panel=(PixelJudge(task.train.data),))

    def writing(evaluation):
        gap(evaluation)
        WRITERS[what](evaluation)
        return {**gap(evaluation), "oddness": 1.0}

    columns = (zoo.Column("oddness", "lower", "How odd"),)
    odd, writer = (
        fake_entry(zoo.MetricSpec, name, function, columns=columns)
        for name, function in (("odd", gap), ("writer", writing))
    )
    task = load()
    alone = score(Evaluation(load(), task.train.data[:20].clone()), [odd], load).scores["odd"]
    evaluation = Evaluation(task, task.train.data[:20].clone())
    both = score(evaluation, [writer, odd] if first else [odd, writer], load).scores
    assert alone.values == both["odd"].values == gap(evaluation)
    assert alone.error == both["odd"].error == ""
    assert both["writer"].values == {}
    sentence = both["writer"].error
    assert sentence.startswith("metric 'writer' writes into ")
    assert what in sentence
    assert sentence.endswith(", which other metrics read: let it work on a copy")


def test_metrics_after_one_that_destroyed_what_cannot_be_loaded_again_say_so(scored, digits_task):
    kept = digits_task.test.data.clone()
    try:
        found = scored(vandal=lambda evaluation: evaluation.real.zero_(), odd=lambda evaluation: {"oddness": 1})
    finally:
        digits_task.test.data.copy_(kept)
    assert outcome(found)["odd"] == (
        "it was not computed, as metric 'vandal' wrote into task.test.data, which cannot be loaded again"
    )


def test_a_metric_that_changes_settings_fails_and_they_are_put_back(scored):
    def setting(evaluation):
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(0)
        return {"oddness": 1}

    found = outcome(scored(setting=setting, odd=lambda evaluation: {"oddness": torch.rand(())}))
    assert torch.get_default_dtype() == torch.float32
    assert found["setting"] == (
        "metric 'setting' changes torch's default dtype from torch.float32 to torch.float64: put back"
    )
    assert found["odd"] == outcome(scored(odd=lambda evaluation: {"oddness": torch.rand(())}))["odd"]


@pytest.mark.parametrize(("value", "said"), [(float("nan"), "nan"), (float("inf"), "inf"), (-float("inf"), "-inf")])
def test_a_value_that_is_no_number_is_told_with_its_column_and_leaves_the_others(fake_entry, digits_task, value, said):
    columns = tuple(zoo.Column(name, "lower", "How odd", infinite=name == "endless") for name in ("odd", "endless"))
    results = {"odd": value, "endless": float("inf")}
    entry = fake_entry(zoo.MetricSpec, "two", lambda evaluation: results, columns=columns)
    found = score(Evaluation(digits_task, digits_task.train.data[:20]), [entry]).scores["two"]
    assert found.values == {"endless": float("inf")}
    assert found.error == f"metric 'two' returns 'odd' as {said}"


def test_an_interrupt_that_a_metric_raises_itself_is_its_failure(scored):
    def interrupting(evaluation):
        raise KeyboardInterrupt

    found = scored(odd=interrupting, even=lambda evaluation: {"oddness": 1})
    assert outcome(found) == {"odd": "KeyboardInterrupt", "even": {"oddness": 1.0}}

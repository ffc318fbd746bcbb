import pytest
import torch

import zoo
from zoo.errors import ZooError
from zoo.evaluation import Evaluation
from zoo_bench.score.scoring import Scored, score


@pytest.fixture
def scored(fake_entry, digits_task):
    """Score twenty real digits with metrics given as ``name=function``, each of which declares the column oddness."""

    def run(**functions):
        columns = (zoo.Column("oddness", "lower", "How odd"),)
        entries = [fake_entry(zoo.MetricSpec, name, function, columns=columns) for name, function in functions.items()]
        return score(Evaluation(digits_task, digits_task.train.data[:20]), [entry.spec for entry in entries])

    return run


def test_a_metric_sees_what_was_generated(scored):
    found = scored(odd=lambda evaluation: {"oddness": torch.tensor(len(evaluation.generated))})
    assert found == Scored({"oddness": 20.0})
    assert isinstance(found.values["oddness"], float)


def test_a_metric_that_fails_leaves_the_others_standing(scored, capsys):
    def broken(evaluation):
        raise RuntimeError("cannot count")

    found = scored(broken=broken, odd=lambda evaluation: {"oddness": 1})
    assert found.values == {"oddness": 1.0}
    assert found.errors == {"broken": "RuntimeError: cannot count"}
    assert 'raise RuntimeError("cannot count")' in found.traceback
    assert capsys.readouterr() == ("", "")


def test_a_metric_that_exits_leaves_the_others_standing(scored):
    def leaving(evaluation):
        raise SystemExit(1)

    found = scored(leaving=leaving, odd=lambda evaluation: {"oddness": 1})
    assert found.values == {"oddness": 1.0}
    assert found.errors == {"leaving": "SystemExit: 1"}


def test_a_message_that_would_fill_the_screen_is_cut(scored):
    def chatty(evaluation):
        raise RuntimeError("z" * 100_000)

    [sentence] = scored(chatty=chatty).errors.values()
    assert sentence == f"RuntimeError: {'z' * 500}... (100000 characters)"


def test_a_metric_that_says_why_it_does_not_apply_is_quoted(scored):
    def inapplicable(evaluation):
        raise ZooError("the judge knows no modes")

    assert scored(fussy=inapplicable) == Scored({}, {"fussy": "the judge knows no modes"})


def test_a_metric_may_leave_a_column_out(scored):
    assert scored(shy=lambda evaluation: {}) == Scored()


@pytest.mark.parametrize("result", [{"undeclared": 1.0}, {"oddness": 1.0, "undeclared": 2.0}, 1.0, None])
def test_a_metric_may_report_only_the_columns_that_it_declares(scored, result):
    sentence = "metric 'loose' must return a dict with keys among oddness"
    assert scored(loose=lambda evaluation: result) == Scored({}, {"loose": sentence})

"""Which scores of a stored run are as they should be, and which must be computed."""

from dataclasses import replace

import pytest

import zoo
from zoo.catalogue import HOST
from zoo.registry import installed
from zoo_bench.plan.record import LEARNING_CURVE, Score
from zoo_bench.plan.scoring import CURVE_SCORE_VERSION, ScorePlan, applicable, curve_key, score_plan

JUDGE, OTHER = "digits-cnn@01234567", "digits-cnn@76543210"
POINT = {"share": 1.0, "images": 640, "seconds": 1.0, "flops": 1, "fid": 2.0}


def score(judge=JUDGE, **fields):
    return Score(**{"plugin": "genzoo", "version": "1", "judge": judge, **fields})


PLAN = ScorePlan(
    task_version="1",
    judge=JUDGE,
    wanted=("fid", "kid"),
    keys={"fid": score(), "kid": score(), "vendi": score(), "fid-inception": score("inception@01234567")},
)


@pytest.fixture
def outdated(make_record):
    """Return the names of what must be computed of a run with FID and KID, after some changes."""

    def names(scores=None, *, plan=PLAN, failed=False, **fields):
        own = {"fid": score(values={"fid": 1.0}), "kid": score(values={"kid": 2.0})} | (scores or {})
        present = {name: found for name, found in own.items() if found}
        return plan.outdated(make_record(**{"judge": JUDGE, "scores": present, **fields}), failed=failed)

    return names


def test_nothing_of_a_run_that_has_all_is_outdated(outdated):
    assert outdated() == []
    assert outdated({"vendi": score(), "foreign": score()}) == [], "that it has more does not matter"


def test_a_metric_that_a_run_lacks_is_computed(outdated):
    assert outdated({"kid": None}) == ["kid"]
    assert outdated(plan=replace(PLAN, wanted=("fid", "kid", "vendi"))) == ["vendi"]
    assert outdated({"fid": None, "kid": None}) == ["fid", "kid"]


@pytest.mark.parametrize("other", [{"version": "2"}, {"version": ""}, {"plugin": "other"}, {"judge": OTHER}])
def test_a_score_of_another_version_or_judge_is_computed_again(outdated, other):
    assert outdated({"kid": score(**other)}) == ["kid"]


def test_other_code_of_the_same_version_is_no_reason(outdated):
    assert outdated({"kid": score(code="0123456789abcdef")}) == []


def test_a_score_that_nobody_asks_for_stays_as_it_is_while_the_judge_does(outdated):
    assert outdated({"vendi": score(version="0")}) == []


def test_under_another_judge_all_scores_that_a_run_has_are_computed_again(outdated):
    of_before = {name: score(OTHER) for name in ("fid", "kid", "vendi")}
    assert outdated(of_before, judge=OTHER) == ["fid", "kid", "vendi"]
    foreign = of_before | {"foreign": score(OTHER)}
    assert outdated(foreign, judge=OTHER) == ["fid", "kid", "vendi"], "what is not installed cannot be computed"


def test_a_metric_with_a_judge_of_its_own_does_not_follow_the_task_s(outdated):
    of_before = {"fid": score(OTHER), "kid": score(OTHER), "fid-inception": score("inception@01234567")}
    assert outdated(of_before, judge=OTHER) == ["fid", "kid"]


def test_a_score_that_failed_is_computed_again_only_if_that_is_asked_for(outdated):
    broken = {"kid": score(error="RuntimeError: no memory")}
    assert outdated(broken) == []
    assert outdated(broken, failed=True) == ["kid"]


def test_a_learning_curve_has_a_score_as_well(outdated):
    assert outdated(curve=[POINT]) == [LEARNING_CURVE]
    assert outdated({LEARNING_CURVE: curve_key(JUDGE)}, curve=[POINT]) == []
    assert outdated({LEARNING_CURVE: curve_key(OTHER)}, curve=[POINT]) == [LEARNING_CURVE]
    old = score(plugin=HOST, version="0")
    assert old.version != CURVE_SCORE_VERSION
    assert outdated({LEARNING_CURVE: old}, curve=[POINT]) == [LEARNING_CURVE]
    assert outdated({LEARNING_CURVE: curve_key(OTHER)}) == [], "without a curve there is nothing to score"


@pytest.mark.parametrize("status", ["diverged", "error", "timeout", "interrupted"])
def test_a_run_that_did_not_end_ok_has_no_scores_to_compute(outdated, status):
    assert outdated({"fid": None, "kid": None}, status=status, curve=[POINT]) == []


@pytest.fixture
def metrics(fake_entry):
    """Metrics of a fake distribution: two for points, one of which has a judge of its own, and one for images."""

    def make(name, **fields):
        columns = (zoo.Column(name.replace("-", "_"), "lower", "Any"),)
        return fake_entry(zoo.MetricSpec, name, lambda evaluation: {}, columns=columns, **fields)

    return [
        make("spread"),
        make("pictures", needs=("images",)),
        make("apart", judge="random-conv", version="7", needs=("images",)),
        make("flat", version="3", needs=("points",)),
    ]


def test_what_does_not_apply_to_a_task_is_left_out(metrics, digits_task, ring8_task):
    assert [entry.spec.name for entry in applicable(metrics, digits_task)] == ["apart", "pictures", "spread"]
    assert [entry.spec.name for entry in applicable(metrics, ring8_task)] == ["flat", "spread"]


def test_a_plan_has_the_keys_of_what_is_wanted_and_of_all_under_the_task_s_judge(metrics, digits_task):
    judge = f"{digits_task.judge.name}@{digits_task.judge.sha256[:8]}"
    spec = replace(installed().tasks.get("digits").spec, version="4")
    found = score_plan(spec, digits_task, metrics[:1], metrics)
    assert (found.task_version, found.judge, found.wanted) == ("4", judge, ("spread",))
    assert found.keys.keys() == {"spread", "pictures"}
    both = score_plan(spec, digits_task, [metrics[2], metrics[0]], metrics)
    assert both.wanted == ("apart", "spread")
    assert both.keys.keys() == {"apart", "spread", "pictures"}
    assert (both.keys["apart"].version, both.keys["spread"].version) == ("7", "1.2")
    assert both.keys["spread"].judge == judge


def test_a_judge_whose_hash_is_not_known_here_is_taken_for_the_one_of_its_name():
    stored = Score(plugin="genzoo", version="1", judge="inception-v3-compat@6726825d", values={"fid_inception": 1.0})
    assert stored.has_key_of(stored.model_copy(update={"judge": "inception-v3-compat"}))
    assert not stored.has_key_of(stored.model_copy(update={"judge": "inception-v3"}))
    assert not stored.has_key_of(stored.model_copy(update={"judge": "inception-v3-compat@00000000"}))

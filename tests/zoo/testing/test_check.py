"""Every rule finds the model, task or metric that breaks it, and says what to do; what keeps the contract passes."""

from pathlib import Path

import pytest

import zoo
from zoo.catalogue import Entry, Plugin
from zoo.registry import installed
from zoo.testing import METRIC_RULES, RULES, TASK_RULES, Check, CheckFailed, NotExamined
from zoo.testing.check import Subjects
from zoo.testing.metrics import MetricSubject
from zoo.testing.tasks import TaskSubject

COLUMN = zoo.Column("gap", "lower", "Largest gap between feature means, 0 to inf")
MODEL = {"target": "broken_models:Good", "family": "gan", "paper": "None, 2024"}
TASK = {"target": "broken_tasks:good", "data": "points", "shape": (2,), "modes": 2, "version": "1"}
METRIC = {"target": "broken_metrics:good", "columns": (COLUMN,), "needs": ("features",)}
BROKEN_SPECS = {
    "summary": {"summary": "Two\nlines."},
    "paper": {"paper": ""},
    "spec-pickles": {"url": lambda: "a function"},
    "lazy-import": {"plugin": "eager_plugin"},
    "import-changes-no-settings": {"target": "noisy_model:Good"},
    "import-prints-nothing": {"target": "noisy_model:Good"},
    "knows-no-harness": {"target": "noisy_model:Good"},
    "version": {"version": ""},
    "columns-described": {"columns": (zoo.Column("gap", "lower", ""),)},
    "needs-known": {"needs": ("labels",)},
}


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "data"))


def entry(spec, plugin="quiet_plugin", **fields):
    return Entry(
        spec(**{"name": "good", "summary": "Fine.", **fields}), Plugin("good", "zoo-plugin-good", "1.0", plugin)
    )


def model(**changes):
    return Subjects(entry(zoo.ModelSpec, **{**MODEL, **changes}))


def task(**changes):
    return TaskSubject(entry(zoo.TaskSpec, **{**TASK, **changes}))


def metric(**changes):
    return MetricSubject(entry(zoo.MetricSpec, **{**METRIC, **changes}))


@pytest.fixture(scope="module")
def good():
    return {make: make() for make in (model, task, metric)}


KINDS = [(rule, make) for make, rules in ((model, RULES), (task, TASK_RULES), (metric, METRIC_RULES)) for rule in rules]
every_rule = pytest.mark.parametrize(
    ("rule", "make"), KINDS, ids=[f"{make.__name__}-{rule.name}" for rule, make in KINDS]
)


@every_rule
def test_what_keeps_the_contract_passes(rule, make, good):
    Check(rule, good[make])()


@every_rule
def test_what_breaks_the_rule_fails_with_what_to_do(rule, make):
    named = rule.name.title().replace("-", "") if make is model else rule.name.replace("-", "_")
    changes = BROKEN_SPECS.get(rule.name, {"target": f"broken_{make.__name__}s:{named}"})
    with pytest.raises(CheckFailed) as failure:
        Check(rule, make(**changes))()
    sentence = str(failure.value)
    found, advice = sentence[: -len(rule.advice)], sentence[-len(rule.advice) :]
    assert advice == rule.advice
    assert found.endswith(": ")
    assert len(found) > 10
    assert "\n" not in sentence


@pytest.mark.parametrize("rules", [RULES, TASK_RULES, METRIC_RULES], ids=["model", "task", "metric"])
def test_rules_have_names_of_their_own_claims_and_advice(rules):
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(rule.claim and rule.advice for rule in rules)


@pytest.mark.parametrize("honest", ["Linear", "Grey", "OneBias"])
def test_no_honest_initialisation_passes_for_images_from_0_to_1(honest):
    (rule,) = [rule for rule in RULES if rule.name == "samples-below-zero"]
    Check(rule, model(target=f"broken_models:{honest}"))()


def test_a_sigmoid_breaks_no_other_rule():
    sigmoid = model(target="broken_models:SamplesBelowZero")
    for rule in RULES:
        if rule.name != "samples-below-zero":
            Check(rule, sigmoid)()


@pytest.mark.parametrize("state", ["OwnGenerator", "PythonsGenerator", "PoolOfFakes"])
def test_a_model_with_other_state_than_tensors_does_not_resume(state):
    (rule,) = [rule for rule in RULES if rule.name == "resumes"]
    with pytest.raises(CheckFailed, match=r"training goes on otherwise: .*weight.* differ.*: keep what training needs"):
        Check(rule, model(target=f"broken_models:{state}"))()


def test_there_are_enough_rules():
    assert len(RULES) >= 25


def test_a_metric_may_refuse_few_samples_in_a_sentence():
    (rule,) = [rule for rule in METRIC_RULES if rule.name == "few-samples"]
    Check(rule, metric(target="broken_metrics:with_sentence"))()


@pytest.mark.parametrize("needs", [("images",), ("points",), ("modes",), ("mixture",), ("points", "mixture")])
def test_a_metric_is_examined_on_a_task_that_offers_what_it_needs(needs):
    subjects = metric(needs=needs).subjects(METRIC_RULES[0])
    assert subjects
    assert all(set(needs) <= subject.task.offers for subject, _ in subjects)


def test_absent_data_are_one_sentence_and_no_failed_check(capsys, monkeypatch):
    from zoo.cli import main

    def load():
        raise zoo.DataError("no files here: put them there")

    monkeypatch.setattr("broken_tasks.good", load, raising=False)
    monkeypatch.setattr("zoo.testing.general", list)
    monkeypatch.setattr(installed(), "find", lambda name: task().entry)
    assert main(["check", "good"]) == 2
    printed = capsys.readouterr()
    assert printed.err == "zoo: no files here: put them there\n"
    assert "FAIL" not in printed.out


def outcomes(subjects, rules):
    found = {}
    for rule in rules:
        try:
            Check(rule, subjects)()
        except (CheckFailed, NotExamined) as error:
            found[rule.name] = str(error)
    return found


@pytest.mark.parametrize(
    ("target", "cause", "problem"),
    [
        ("NoPlayers", "players-named", "players() is empty (items of shape (1, 8, 8)): return a list of zoo.Player, "),
        ("Crashing", "losses-scalar", "GeneratorExit (items"),
        ("SampleShape", "sample-shape", "sample(1) returns (2, 1, 8, 8), not (1, 1, 8, 8) "),
    ],
)
def test_one_cause_is_one_failure(target, cause, problem):
    found = outcomes(model(target=f"broken_models:{target}"), RULES)
    assert found.pop(cause).startswith(problem)
    assert set(found.values()) == {f"not examined, because {cause} fails"}
    assert len(found) > 25
    assert not {"summary", "paper", "lazy-import"} & found.keys()


def test_a_metric_or_task_that_fails_altogether_is_one_failure():
    def failing(*_):
        raise RuntimeError("no")

    for make, rules, cause in ((metric, METRIC_RULES, "columns-as-declared"), (task, TASK_RULES, "as-declared")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"broken_{make.__name__}s.good", failing, raising=False)
            found = outcomes(make(), rules)
        assert found.pop(cause).startswith("RuntimeError")
        assert set(found.values()) == {f"not examined, because {cause} fails"}


@pytest.mark.parametrize("name", ["seeds-matter", "moves-between-devices", "resumes"])
def test_deterministic_initialisation_and_numbers_from_buffers_are_no_faults(name):
    (rule,) = [rule for rule in RULES if rule.name == name]
    Check(rule, model(target="broken_models:DeterministicStart"))()


def test_weights_from_a_generator_of_the_model_s_own_are_found():
    (rule,) = [rule for rule in RULES if rule.name == "seeds-matter"]
    with pytest.raises(CheckFailed, match="two seeds initialise the same weights"):
        Check(rule, model(target="broken_models:DrawnByItsOwnGenerator"))()


def test_the_command_names_the_cause_and_what_it_leaves_out(capsys, monkeypatch):
    from zoo.cli import main

    monkeypatch.setattr(installed(), "find", lambda name: model(target="broken_models:NoPlayers").entry)
    assert main(["check", "good"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("FAIL")).startswith("FAIL players-named: players() is empty")
    assert sum(line.startswith("FAIL") for line in lines) == 1
    assert "     copies: not examined, because players-named fails" in lines

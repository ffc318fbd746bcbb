"""Every rule about tasks and metrics finds what breaks it, and says what to do; the project's own break none."""

from pathlib import Path

import pytest

import zoo
import zoo.testing
from zoo.catalogue import Entry, Plugin
from zoo.registry import installed
from zoo.testing import METRIC_RULES, TASK_RULES, Check, CheckFailed
from zoo.testing.metrics import MetricSubject
from zoo.testing.tasks import TaskSubject

PLUGIN = Plugin("good", "zoo-plugin-good", "1.0", "quiet_plugin")
TASK = {"name": "good", "target": "broken_tasks:good", "summary": "Fine.", "data": "points", "shape": (2,), "modes": 2}
COLUMN = zoo.Column("gap", "lower", "Largest gap between feature means, 0 to inf")
METRIC = {"name": "good", "target": "broken_metrics:good", "summary": "Fine.", "columns": (COLUMN,)}
BROKEN_SPECS = {
    "version": {"version": ""},
    "columns-described": {"columns": (zoo.Column("gap", "lower", ""),)},
    "needs-known": {"needs": ("labels",)},
}
OWN = [
    entry.spec.name
    for entry in (*(task for task in installed().tasks if not task.spec.needs), *installed().metrics)
    if entry.plugin.distribution == "genzoo"
]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "data"))


def task(**changes):
    return TaskSubject(Entry(zoo.TaskSpec(**{"version": "1", **TASK, **changes}), PLUGIN))


def metric(**changes):
    return MetricSubject(Entry(zoo.MetricSpec(**{"needs": ("features",), **METRIC, **changes}), PLUGIN))


KINDS = [*((rule, task, "broken_tasks") for rule in TASK_RULES), *((r, metric, "broken_metrics") for r in METRIC_RULES)]
IDS = [f"{make.__name__}-{rule.name}" for rule, make, _ in KINDS]


@pytest.mark.parametrize(("rule", "make", "module"), KINDS, ids=IDS)
def test_what_keeps_the_contract_passes(rule, make, module):
    Check(rule, make())()


@pytest.mark.parametrize(("rule", "make", "module"), KINDS, ids=IDS)
def test_what_breaks_the_rule_fails_with_what_to_do(rule, make, module):
    changes = BROKEN_SPECS.get(rule.name, {"target": f"{module}:{rule.name.replace('-', '_')}"})
    with pytest.raises(CheckFailed) as failure:
        Check(rule, make(**changes))()
    sentence = str(failure.value)
    found, advice = sentence[: -len(rule.advice)], sentence[-len(rule.advice) :]
    assert advice == rule.advice
    assert found.endswith(": ")
    assert len(found) > 10
    assert "\n" not in sentence


def test_a_metric_may_refuse_few_samples_in_a_sentence():
    (rule,) = [rule for rule in METRIC_RULES if rule.name == "few-samples"]
    Check(rule, metric(target="broken_metrics:with_sentence"))()


@pytest.mark.parametrize("needs", [("images",), ("points",), ("modes",), ("mixture",), ("points", "mixture")])
def test_a_metric_is_examined_on_a_task_that_offers_what_it_needs(needs):
    subjects = metric(needs=needs).subjects(METRIC_RULES[0])
    assert subjects
    assert all(set(needs) <= subject.task.offers for subject, _ in subjects)


@zoo.testing.parametrize_with_checks(OWN)
def test_own_tasks_and_metrics_conform(check):
    check()


def test_absent_data_are_one_sentence_and_no_failed_check(capsys, monkeypatch, tmp_path):
    from zoo.cli import main

    def load():
        raise zoo.DataError("no files here: put them there")

    monkeypatch.setattr("broken_tasks.good", load, raising=False)
    monkeypatch.setattr(installed(), "find", lambda name: task().entry)
    assert main(["check", "good"]) == 2
    printed = capsys.readouterr()
    assert printed.err == "zoo: no files here: put them there\n"
    assert "FAIL" not in printed.out

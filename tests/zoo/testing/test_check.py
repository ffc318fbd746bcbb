"""Every rule finds the model that breaks it, and says what to do."""

from pathlib import Path

import pytest

from zoo.catalogue import Entry, Plugin
from zoo.specs import ModelSpec
from zoo.testing import RULES, Check, CheckFailed
from zoo.testing.check import Subjects

GOOD = {"name": "good", "target": "broken_models:Good", "summary": "Fine.", "family": "gan", "paper": "None, 2024"}
SPECS = {
    "summary": {"summary": "Two\nlines."},
    "paper": {"paper": ""},
    "spec-pickles": {"url": lambda: "a function"},
    "lazy-import": {},
    "import-changes-no-settings": {"target": "noisy_model:Good"},
    "import-prints-nothing": {"target": "noisy_model:Good"},
    "knows-no-harness": {"target": "noisy_model:Good"},
}
MODULES = {"lazy-import": "eager_plugin"}


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "data"))


def subjects(module="quiet_plugin", **changes):
    return Subjects(Entry(ModelSpec(**{**GOOD, **changes}), Plugin("good", "zoo-plugin-good", "1.0", module)))


@pytest.fixture(scope="module")
def good():
    return subjects()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_model_that_keeps_the_contract_passes(rule, good):
    Check(rule, good)()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_model_that_breaks_the_rule_fails_with_what_to_do(rule):
    camel = rule.name.title().replace("-", "")
    changes = SPECS.get(rule.name, {"target": f"broken_models:{camel}"})
    with pytest.raises(CheckFailed) as failure:
        Check(rule, subjects(MODULES.get(rule.name, "quiet_plugin"), **changes))()
    sentence = str(failure.value)
    found, advice = sentence[: -len(rule.advice)], sentence[-len(rule.advice) :]
    assert advice == rule.advice
    assert found.endswith(": ")
    assert len(found) > 10
    assert "\n" not in sentence
    print(sentence)


def test_there_are_enough_rules_and_each_says_its_claim():
    assert len(RULES) >= 25
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.claim and rule.advice for rule in RULES)

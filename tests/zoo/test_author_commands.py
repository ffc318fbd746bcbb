"""``zoo check`` prints a line per check and exits with 0, 1 or 2."""

import json
from pathlib import Path

import pytest

import zoo.author_commands
import zoo.testing
from zoo.catalogue import Entry, Plugin
from zoo.cli import main
from zoo.registry import Registry
from zoo.specs import ModelSpec
from zoo.testing import RULES


@pytest.fixture(autouse=True)
def _broken_model_installed(monkeypatch):
    """One installed model that breaks a rule, and two rules."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "testing" / "data"))
    registry = Registry()
    for name, target in {"good": "broken_models:Good", "bad": "broken_models:SampleShape"}.items():
        spec = ModelSpec(name=name, target=target, summary="A model.")
        registry.models.add(Entry(spec, Plugin(name, "zoo-plugin", "1.0", "quiet_plugin")))
    for module in (zoo.testing, zoo.author_commands):
        monkeypatch.setattr(module, "installed", lambda: registry)
    monkeypatch.setattr(
        zoo.testing, "RULES", [rule for rule in RULES if rule.name in ("players-named", "sample-shape")]
    )


def test_a_model_that_passes_exits_with_0(capsys):
    assert main(["check", "good"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok   players-named",
        "ok   sample-shape",
        "good: 2 of 2 checks pass",
    ]


def test_a_model_that_fails_exits_with_1_and_says_what_to_do(capsys):
    assert main(["check", "bad"]) == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == "ok   players-named"
    assert second.startswith("FAIL sample-shape: sample(1) returns (2, 1, 8, 8), not (1, 1, 8, 8)")
    assert last == "bad: 1 of 2 checks pass"


def test_json_has_claim_and_problem_of_every_check(capsys):
    assert main(["check", "bad", "--json"]) == 1
    good, bad = json.loads(capsys.readouterr().out)
    assert good == {
        "check": "players-named",
        "claim": "There are players, under different names",
        "ok": True,
        "problem": "",
    }
    assert bad["ok"] is False
    assert "let sample(n) return floats" in bad["problem"]


def test_an_unknown_model_exits_with_2(capsys):
    assert main(["check", "godo"]) == 2
    said = capsys.readouterr().err
    assert (
        said
        == "zoo: unknown model, task or metric 'godo': did you mean 'good'? (`zoo plugins` lists what is installed)\n"
    )


def test_a_target_that_cannot_be_imported_exits_with_2_and_the_nearest_name(capsys):
    registry = zoo.author_commands.installed()
    spec = ModelSpec(name="typo", target="broken_models:Goood", summary="A model.")
    registry.models.add(Entry(spec, Plugin("typo", "zoo-plugin", "1.0", "quiet_plugin")))
    assert main(["check", "typo"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "target 'broken_models:Goood' of zoo-plugin 1.0 cannot be imported" in printed.err
    assert "did you mean 'Good'?" in printed.err


def test_a_model_with_an_old_name_exits_with_2_and_the_new_one(capsys):
    registry = zoo.author_commands.installed()
    spec = ModelSpec(name="old", target="broken_models:OldName", summary="A model.")
    registry.models.add(Entry(spec, Plugin("old", "zoo-plugin", "1.0", "quiet_plugin")))
    assert main(["check", "old"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    sentence = "model 'old' of zoo-plugin 1.0: OldName defines figures(), which is now called diagnostics()"
    assert printed.err == f"zoo: {sentence}\n"


def test_checks_are_named_after_model_and_rule():
    assert [str(check) for check in zoo.testing.checks_for("good")] == ["good-players-named", "good-sample-shape"]


def test_the_parametriser_has_one_case_per_check_and_model():
    mark = zoo.testing.parametrize_with_checks(["good", "bad"])
    assert mark.args[0] == "check"
    assert len(mark.args[1]) == 4

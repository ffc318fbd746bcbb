"""How runs of one model with several settings are told apart."""

import pytest

from zoo_bench.plan.labels import changed, describe, value
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.variants import parse, split


@pytest.mark.parametrize("name", ["gan", "gan[packing=2]", "gan[preset=pacgan,packing=2]", "vae[sigma=0.1]"])
def test_a_run_is_labelled_by_what_is_not_default_as_models_reads_it(name):
    (run,) = plan(BenchOptions(models=name, task="ring8", budget="1k", seeds=1)).runs
    assert run.label == name
    assert str(run) == f"{name} on ring8, seed 0"


def test_text_that_reads_as_json_is_quoted():
    assert describe("model", {"name": "2", "kind": "two"}) == 'model[name="2",kind=two]'
    assert split('model[name="2",kind=two],other') == ['model[name="2",kind=two]', "other"]


@pytest.mark.parametrize("setting", ["plain", "a,b", "a]b", "1", "null", "", 0.5, None, [1, [2, 3]]])
def test_what_is_described_is_read_again(setting):
    (text,) = split(describe("model", {"name": setting, "other": 1}))
    assert parse(text, split(text.removeprefix("model[").removesuffix("]"))) == {"name": setting, "other": 1}


def test_all_settings_are_named_if_the_model_is_not_installed():
    assert changed("nobody", "ring8", {"lr": 0.1, "preset": "own"}) == {"preset": "own", "lr": 0.1}


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000], ids=["nesting", "digits"])
def test_what_python_does_not_read_as_json_is_text(text):
    assert value(text) == text

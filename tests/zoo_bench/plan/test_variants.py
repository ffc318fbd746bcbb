"""Models with settings of their own."""

import pytest

from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.variants import select


def chosen(names):
    return [(v.entry.spec.name, v.settings, v.named) for v in select(names, installed().models)]


def test_names_patterns_and_variants_may_be_mixed():
    assert chosen("gan,vae*,gan[packing=2]") == [("gan", {}, True), ("vae", {}, False), ("gan", {"packing": 2}, True)]
    assert [name for name, _, _ in chosen("all,gan[r1=1]")].count("gan") == 2


def test_values_are_json_or_text_and_may_hold_commas():
    assert chosen("gan[preset=pacgan, packing=2, betas=[0.5,0.9]],wgan-gp") == [
        ("wgan-gp", {}, True),
        ("gan", {"preset": "pacgan", "packing": 2, "betas": [0.5, 0.9]}, True),
    ]


def test_a_class_of_characters_is_still_a_pattern():
    assert [name for name, _, _ in chosen("[dv]*")] == [name for name, _, _ in chosen("dcgan,vae")]


def test_the_same_variant_is_taken_once():
    assert len(chosen("gan[r1=1],gan[r1=1]")) == 1


@pytest.mark.parametrize("odd", ["gan[=2]", "gan[packing=]", "gan[packing=2,]"])
def test_brackets_without_settings_are_refused_in_a_sentence(odd):
    with pytest.raises(ZooError, match=r"must have the form MODEL\[SETTING=VALUE"):
        chosen(odd)


@pytest.mark.parametrize(
    ("odd", "sentence"), [("gan[packing=2", "has no closing bracket"), ("*gan[packing=2]", "which takes no settings")]
)
def test_unclosed_brackets_and_patterns_with_settings_are_refused_for_what_they_are(odd, sentence):
    with pytest.raises(ZooError, match=sentence):
        chosen(odd)


def test_unknown_names_in_variants_are_refused_with_the_nearest():
    with pytest.raises(ZooError, match="did you mean 'gan'"):
        chosen("gann[packing=2]")
    with pytest.raises(ZooError, match="did you mean 'packing'"):
        plan(BenchOptions(models="gan[pakcing=2]", task="ring8", budget="1k", seeds=1))


def test_a_variant_that_does_not_apply_is_refused_because_it_was_named():
    with pytest.raises(ZooError, match="does not apply to points"):
        plan(BenchOptions(models="dcgan[lr=1]", task="ring8", budget="1k", seeds=1))


def test_settings_of_a_variant_go_before_those_of_all():
    runs = plan(
        BenchOptions(
            models="gan,gan[r1=1]", task="ring8", budget="1k", seeds=1, settings={"gan": {"r1": 2.0, "lr": 0.5}}
        )
    ).runs
    assert [(run.config["r1"], run.config["lr"]) for run in runs] == [(2.0, 0.5), (1.0, 0.5)]


def test_a_variant_of_defaults_is_the_model_itself():
    assert len(plan(BenchOptions(models="gan,gan[packing=1]", task="ring8", budget="1k", seeds=2)).runs) == 2

"""What hooks return, and the errors that a user can act on."""

from __future__ import annotations

import dataclasses
import math
import pickle

import pytest

from zoo.errors import DataError, NameClashError, PluginError, UnknownNameError, ZooError
from zoo.specs import Column, CommandSpec, ExecutorSpec, MetricSpec, ModelSpec, TaskSpec

SPECS = [
    ModelSpec(name="a", target="m:A", summary="A."),
    TaskSpec(name="a", target="m:a", summary="A.", data="points", shape=(2,), modes=8, version="1"),
    MetricSpec(name="a", target="m:a", summary="A.", columns=(Column("a", "lower", "It"),)),
    ExecutorSpec(name="a", target="m:a", summary="A."),
    CommandSpec(name="a", target="m:a", summary="A."),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_specs_are_frozen_hashable_and_picklable(spec):
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert len({spec, dataclasses.replace(spec)}) == 1


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_positional_arguments_are_refused_so_that_specs_can_gain_fields(spec):
    with pytest.raises(TypeError):
        type(spec)("a", "m:a", "A.")


@pytest.mark.parametrize("name", ["gan", "wgan-gp", "r3gan", "a.b_c", "2d"])
def test_valid_names(name):
    assert ModelSpec(name=name, target="m:A", summary="A.").name == name


@pytest.mark.parametrize("name", ["", "GAN", "my gan", "-gan", "gan,vae", "gan/", "*gan", "gan\n", "gän"])
def test_invalid_names_are_refused_in_one_sentence(name):
    with pytest.raises(ValueError, match="must be lower-case letters, digits") as error:
        ModelSpec(name=name, target="m:A", summary="A.")
    assert repr(name) in str(error.value)


@pytest.mark.parametrize("kind", [ModelSpec, TaskSpec])
def test_a_name_of_more_than_a_hundred_characters_is_refused(kind):
    more = {"data": "points", "shape": (2,), "modes": 8, "version": "1"} if kind is TaskSpec else {}
    assert kind(name="a" * 100, target="m:A", summary="A.", **more).name == "a" * 100
    with pytest.raises(ValueError, match="must have at most 100 characters, got 101"):
        kind(name="a" * 101, target="m:A", summary="A.", **more)


@pytest.mark.parametrize("target", ["", "m", "m.A", "m:", ":A", "m:A:B", "m:A.b", "m A", "1m:A", "m:A\n"])
def test_invalid_targets_are_refused_in_one_sentence(target):
    with pytest.raises(ValueError, match="must have the form 'module:attribute'") as error:
        ModelSpec(name="a", target=target, summary="A.")
    assert repr(target) in str(error.value)


def test_load_imports_the_target():
    assert ModelSpec(name="a", target="math:pi", summary="A.").load() == math.pi


@pytest.mark.parametrize(("target", "kind"), [("no_such_module:A", ImportError), ("math:tau2", UnknownNameError)])
def test_load_raises_for_a_target_that_is_not_there(target, kind):
    with pytest.raises(kind):
        ModelSpec(name="a", target=target, summary="A.").load()


@pytest.mark.parametrize("kind", [UnknownNameError, NameClashError, PluginError, DataError])
def test_every_error_that_a_user_can_act_on_is_a_zoo_error(kind):
    assert issubclass(kind, ZooError)


@pytest.mark.parametrize(
    ("name", "valid", "message"),
    [
        ("vea", ["vae", "gan"], "unknown thing 'vea': did you mean 'vae'?"),
        ("VAE", ["vae", "gan"], "unknown thing 'VAE': did you mean 'vae'?"),
        ("zzz", ["vae", "gan"], "unknown thing 'zzz': known: gan, vae"),
        ("zzz", [], "unknown thing 'zzz': known: none"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_or_with_all(name, valid, message):
    assert str(UnknownNameError("thing", name, valid)) == message

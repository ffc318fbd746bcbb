import pytest

from zoo_bench.core.seeds import derive
from zoo_bench.plan.spec import RunSpec

CHANGES = {
    "model": "other", "plugin": "other-distribution", "plugin_version": "1.3", "config": {"batch_size": 5},
    "task": "mnist", "task_version": "2", "seed": 1, "seeds": {"data": 1}, "budget": "641", "precision_mode": "bf16",
    "device": "cuda", "threads": 2, "samples": "5a" * 32,
}  # fmt: skip


@pytest.mark.parametrize("field", RunSpec.model_fields)
def test_every_field_enters_the_key(make_spec, field):
    assert make_spec(**{field: CHANGES[field]}).run_id != make_spec().run_id


def test_the_key_is_the_same_in_every_process_and_never_changes(make_spec):
    # If it did, every stored run would be run again.
    assert make_spec().run_id == "cfa39cf31969216f28fe780d0c2fb299d8e17b3de7d76527ab90f1f4261fdd1e"


def test_the_key_does_not_depend_on_the_order_of_settings(make_spec):
    one, other = make_spec(config={"a": 1, "b": 2}), make_spec(config={"b": 2, "a": 1})
    assert one.run_id == other.run_id
    assert hash(one) == hash(other)


def test_a_spec_survives_json(make_spec):
    spec = make_spec(config={"lr": 1e-4, "betas": [0.5, 0.9], "capacity": None})
    again = RunSpec.model_validate_json(spec.model_dump_json())
    assert again == spec
    assert again.run_id == spec.run_id


def test_a_field_at_its_default_is_no_part_of_the_key(make_spec):
    # So that a field that is added later, with a default, leaves the keys of stored runs as they are.
    assert make_spec(seeds={}, samples="").run_id == make_spec().run_id


def test_an_axis_of_randomness_has_the_seed_of_the_run_unless_it_has_its_own(make_spec):
    spec = make_spec(seed=3, seeds={"data": 7})
    assert spec.seed_of("training") == derive(3, "training")
    assert spec.seed_of("data") == derive(7, "data")


def test_samples_that_were_made_elsewhere_are_no_run(make_spec):
    assert not make_spec().outside
    assert make_spec(samples="5a" * 32, seed=None, threads=None).outside

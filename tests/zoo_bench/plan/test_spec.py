import pytest

from zoo_bench.plan.spec import RunSpec

CHANGES = {
    "model": "other", "plugin": "other-distribution", "plugin_version": "1.3", "config": {"batch_size": 5},
    "task": "mnist", "task_version": "2", "judge": "digits-cnn@76543210", "metrics": ("fid",), "seed": 1,
    "budget": "641", "precision_mode": "bf16", "device": "cuda",
}  # fmt: skip


@pytest.mark.parametrize("field", RunSpec.model_fields)
def test_every_field_enters_the_key(make_spec, field):
    assert make_spec(**{field: CHANGES[field]}).run_id != make_spec().run_id


def test_the_key_is_the_same_in_every_process_and_never_changes(make_spec):
    # If it did, every stored run would be run again.
    assert make_spec().run_id == "adf8a88fb79878069e375bda64131525a57b33af985c2071f336e8b202a35a56"


def test_the_key_does_not_depend_on_the_order_of_settings(make_spec):
    one, other = make_spec(config={"a": 1, "b": 2}), make_spec(config={"b": 2, "a": 1})
    assert one.run_id == other.run_id
    assert hash(one) == hash(other)


def test_a_spec_survives_json(make_spec):
    spec = make_spec(config={"lr": 1e-4, "betas": [0.5, 0.9], "capacity": None})
    again = RunSpec.model_validate_json(spec.model_dump_json())
    assert again == spec
    assert again.run_id == spec.run_id

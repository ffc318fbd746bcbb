import itertools

from zoo_bench.core.seeds import derive

AXES = ("data", "initialisation", "training", "sampling")


def test_every_seed_and_axis_has_its_own_stream():
    derived = [derive(seed, axis) for seed, axis in itertools.product(range(100), AXES)]
    assert len(set(derived)) == 400


def test_derived_seeds_are_what_torch_accepts():
    assert all(0 <= derive(seed, axis) < 2**63 for seed, axis in itertools.product(range(100), AXES))


def test_derived_seeds_never_change():
    # Another value would give every stored run another data order under the same key.
    assert derive(0, "data") == 1_330_792_652_936_366_732
    assert derive(7, "sampling") == 5_916_956_589_471_255_244

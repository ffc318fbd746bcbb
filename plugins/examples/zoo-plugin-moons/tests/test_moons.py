"""The task: its data agree with its spec, and its judge with its labels."""

import torch
from zoo_plugin_moons import zoo_tasks
from zoo_plugin_moons.task import moons

import zoo
import zoo.testing


def test_data_agree_with_the_spec() -> None:
    """Shape and modes are those that the spec says."""
    (spec,) = zoo_tasks()
    task = spec.load()()
    assert isinstance(task, zoo.Task)
    assert (task.shape, task.modes) == (spec.shape, spec.modes)


def test_judge_names_the_moon() -> None:
    """The judge finds the moon that a point was drawn from."""
    task = moons()
    modes, drawn = task.judge.modes(task.test.data), task.test.modes
    assert modes is not None
    assert drawn is not None
    assert torch.eq(modes, drawn).double().mean() > 0.999


def test_loading_twice_gives_the_same_data() -> None:
    """Data and judge depend on no global state."""
    first, second = moons(), moons()
    assert torch.equal(first.train.data, second.train.data)
    assert first.judge.sha256 == second.judge.sha256


@zoo.testing.parametrize_with_checks(["moons"])
def test_conforms(check: zoo.testing.Check) -> None:
    """Keep the contract, check by check."""
    check()

"""Judges that are chosen by name."""

import pytest

import zoo
from zoo.errors import UnknownNameError


def test_another_judge_is_named_after_the_task_and_is_part_of_its_name():
    tasks = zoo.installed().tasks
    spec = tasks.get("cifar10?judge=efficientnet-lite0").spec
    assert (spec.name, spec.argument) == ("cifar10@efficientnet-lite0", "efficientnet-lite0")
    assert tasks.get(spec.name).spec == spec
    assert tasks.get("cifar10?").spec == tasks.get("cifar10").spec
    with pytest.raises(UnknownNameError, match="did you mean 'efficientnet-lite0'"):
        tasks.get("cifar10?judge=efficientnet")
    with pytest.raises(UnknownNameError):
        tasks.get("mnist?judge=random-conv")

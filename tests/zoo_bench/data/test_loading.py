import dataclasses

import pytest
import torch

import zoo
from zoo.catalogue import Entry, Plugin
from zoo.errors import DataError, PluginError
from zoo_bench.data.loading import check_task, load_task
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan


@pytest.fixture
def task_entry(fake_entry, digits_task):
    """Make an entry of a task that says it is like ``digits``."""

    def make(target, **fields):
        usual = {"data": "images", "shape": (1, 8, 8), "modes": 10, "version": "1"}
        return fake_entry(zoo.TaskSpec, "odd", target, **{**usual, **fields})

    return make


def test_a_task_that_keeps_its_word_is_loaded(task_entry, digits_task):
    assert load_task(task_entry(lambda: digits_task)) is digits_task


@pytest.mark.parametrize("fields", [{"shape": (1, 9, 9)}, {"shape": (3, 8, 8)}, {"modes": 9}, {"modes": 0}])
def test_a_task_that_contradicts_its_spec_is_refused(task_entry, digits_task, fields):
    with pytest.raises(PluginError, match=r"task 'odd' of fake-distribution 1\.2 says shape .* but loads shape"):
        load_task(task_entry(lambda: digits_task, **fields))


def test_a_task_that_returns_something_else_is_refused(task_entry):
    with pytest.raises(PluginError, match=r"task 'odd' of fake-distribution 1\.2 must return a zoo\.Task, got None"):
        load_task(task_entry(lambda: None))


def test_a_loader_that_raises_is_named_with_its_distribution(task_entry):
    def load():
        raise RuntimeError("disk on fire")

    with pytest.raises(PluginError, match=r"task 'odd' of fake-distribution 1\.2 .*RuntimeError: disk on fire"):
        load_task(task_entry(load))


def test_a_loader_that_names_its_missing_files_is_heard(task_entry):
    def load():
        raise DataError("put odd.bin into /data")

    with pytest.raises(DataError, match=r"\Aput odd\.bin into /data\Z"):
        load_task(task_entry(load))


@pytest.mark.parametrize("target", ["no_such_module_at_all:load", "zoo_bench.data.sets.digits:no_such_function"])
def test_a_task_whose_target_is_not_there_is_refused(target):
    spec = zoo.TaskSpec(
        name="odd", target=target, summary="A fake.", data="images", shape=(1, 8, 8), modes=10, version="1"
    )
    with pytest.raises(PluginError, match=r"task 'odd' of fake-distribution 1\.2 cannot be loaded"):
        load_task(Entry(spec, Plugin("fake", "fake-distribution", "1.2", "fake_plugin")))


def changed(task, part="test", *, data=None, modes=None):
    """Return the task with other items or modes in one split."""
    split = getattr(task, part)
    new = zoo.Split(split.data if data is None else data(split.data), split.modes if modes is None else modes(split))
    return dataclasses.replace(task, **{part: new})


def test_a_task_in_the_form_in_which_items_are_stored_passes(task_entry, digits_task, ring8_task):
    check_task(task_entry(lambda: digits_task), digits_task)
    check_task(task_entry(lambda: ring8_task, data="points", shape=(2,), modes=8), ring8_task)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_images_in_floats_are_refused_in_any_split(task_entry, digits_task, part):
    odd = changed(digits_task, part, data=lambda data: data / 255)
    with pytest.raises(PluginError, match=r"of task 'odd' of .* has torch\.float32 of shape .*uint8"):
        check_task(task_entry(lambda: odd), odd)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": lambda data: data[:, 0]}, r"has torch\.uint8 of shape \(\d+, 8, 8\), but images are stored as"),
        ({"data": lambda data: data[:, :, :6]}, r"has torch\.uint8 of shape \(\d+, 1, 6, 8\)"),
        ({"modes": lambda split: split.modes[:-1]}, r"has modes that are not a tensor of shape \(\d+,\) int64"),
        ({"modes": lambda split: split.modes.float()}, "has modes that are not a tensor"),
        ({"modes": lambda split: split.modes.tolist()}, "has modes that are not a tensor"),
        ({"modes": lambda split: split.modes + 1}, "has modes from 1 to 10, but the 10 modes are 0 to 9"),
    ],
)
def test_wrongly_shaped_items_and_modes_are_refused(task_entry, digits_task, change, message):
    odd = changed(digits_task, **change)
    with pytest.raises(PluginError, match="the test split of task 'odd' of .*" + message):
        check_task(task_entry(lambda: odd), odd)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda data: data.double(), r"has torch\.float64 of shape .* but points are stored as \(N, D\) float32"),
        (lambda data: data / 0, "has items that are infinite or NaN"),
    ],
)
def test_points_in_another_form_are_refused(task_entry, ring8_task, data, message):
    odd = changed(ring8_task, data=data)
    with pytest.raises(PluginError, match=message):
        check_task(task_entry(lambda: odd, data="points", shape=(2,), modes=8), odd)


def test_a_task_whose_split_is_no_tensor_is_refused_when_it_is_loaded(task_entry, digits_task):
    odd = changed(digits_task, data=lambda data: data.numpy())
    with pytest.raises(PluginError, match=r"must have a zoo\.Split with a tensor for test"):
        load_task(task_entry(lambda: odd))


@pytest.mark.parametrize("features", [lambda data: None, lambda data: data.float(), lambda data: torch.ones(3, 2)])
def test_a_judge_that_returns_something_else_is_refused(task_entry, digits_task, features):
    class Odd:
        pass

    judge = Odd()
    judge.features = features
    odd = dataclasses.replace(digits_task, judge=judge)
    with pytest.raises(PluginError, match=r"has a judge that returns .* for 64 items, not \(64, F\) features"):
        check_task(task_entry(lambda: odd), odd)


def test_it_is_refused_before_anything_is_trained(fake_registry, task_entry, digits_task):
    odd = changed(digits_task, "train", data=lambda data: data / 255)
    registry = fake_registry(still=zoo.GenerativeModel)
    registry.tasks.add(task_entry(lambda: odd))
    with pytest.raises(PluginError, match="the training split of task 'odd'"):
        plan(BenchOptions(models="still", task="odd", budget="64"), registry)

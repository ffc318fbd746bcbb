import pytest

import zoo
from zoo.catalogue import Entry, Plugin
from zoo.errors import DataError, PluginError
from zoo_bench.data.loading import load_task


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

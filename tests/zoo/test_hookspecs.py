"""Every hook's docstring holds a complete plugin, which is installed here and discovered."""

from __future__ import annotations

import inspect
import textwrap

import pytest

from zoo import hookspecs

HOOKS = {name: f for name, f in inspect.getmembers(hookspecs, inspect.isfunction) if hasattr(f, "zoo_spec")}
OTHERS = ("zoo_columns", *hookspecs.RUN_HOOKS)
CATALOGUE = {name: name.removeprefix("zoo_") for name in HOOKS if name not in OTHERS}


def example(hook: str) -> str:
    doc = HOOKS[hook].__doc__ or ""
    assert "Example::\n\n" in doc, f"{hook} has no example in its docstring"
    return textwrap.dedent(doc.split("Example::\n\n", 1)[1])


def test_the_hooks_are_those_that_plugins_rely_on():
    assert set(HOOKS) == {
        "zoo_models", "zoo_tasks", "zoo_columns", "zoo_metrics", "zoo_executors", "zoo_trackers", "zoo_commands",
        "zoo_run_started", "zoo_run_progress", "zoo_run_finished",
    }  # fmt: skip


@pytest.mark.parametrize("hook", CATALOGUE)
def test_the_example_of_a_hook_is_a_complete_plugin(distributions, hook):
    distributions.add("example", {"example": "fake_example"}, fake_example=example(hook))
    registry = distributions.discover()
    assert registry.problems == []
    [entry] = getattr(registry, CATALOGUE[hook])
    assert entry.spec.summary.endswith(".")
    assert registry.plugins[0].provides == [f"{CATALOGUE[hook].removesuffix('s')} {entry.spec.name}"]


def test_the_example_of_the_hook_that_describes_columns_is_a_complete_plugin(distributions):
    distributions.add("example", {"example": "fake_example"}, fake_example=example("zoo_columns"))
    registry = distributions.discover()
    assert registry.problems == []
    assert registry.plugins[0].provides == ["hook zoo_columns"]
    assert registry.columns.get("energy_kwh").cost


@pytest.mark.parametrize("hook", hookspecs.RUN_HOOKS)
def test_the_example_of_a_hook_that_is_told_of_runs_is_a_complete_plugin(distributions, hook):
    distributions.add("example", {"example": "fake_example"}, fake_example=example(hook))
    registry = distributions.discover()
    assert registry.problems == []
    [(plugin, module)] = registry.listeners
    assert plugin.provides == [f"hook {hook}"]
    assert module.__name__ == "fake_example"


def test_a_plugin_that_was_not_loaded_is_told_of_nothing(distributions):
    source = example("zoo_run_started") + "\n@zoo.hookimpl\ndef zoo_models():\n    raise OSError('no disk')\n"
    distributions.add("example", {"example": "fake_example"}, fake_example=source)
    assert distributions.discover().listeners == []


def test_one_module_may_implement_every_hook(distributions):
    every = "\n".join(example(hook) for hook in HOOKS)
    distributions.add("example", {"example": "fake_example"}, fake_example=every)
    registry = distributions.discover()
    assert registry.problems == []
    assert len(registry.plugins[0].provides) == len(HOOKS)

"""Every hook is documented, and its docstring holds a complete plugin, which is called, installed and discovered."""

from __future__ import annotations

import inspect
import re
import textwrap
import types
from pathlib import Path
from typing import Any

import pluggy
import pytest

import zoo
from zoo import hookspecs
from zoo.specs import Spec

ROOT = Path(__file__).parents[2]

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


class Anything:
    """Stands for whatever a hook is given."""

    def __getattr__(self, name: str) -> Anything:
        return Anything()

    def __getitem__(self, key: object) -> Anything:
        return Anything()

    def __format__(self, form: str) -> str:
        return "anything"


def module_of(source: str, hook: str) -> types.ModuleType:
    """Return a plugin's source as a module."""
    module = types.ModuleType(f"example_of_{hook}")
    exec(compile(source, module.__name__, "exec"), module.__dict__)
    return module


def manager(*plugins: object) -> pluggy.PluginManager:
    made = pluggy.PluginManager(hookspecs.PROJECT)
    made.add_hookspecs(hookspecs)
    for plugin in plugins:
        made.register(plugin)
    made.check_pending()
    return made


def call(plugins: pluggy.PluginManager, hook: str) -> list[Any]:
    arguments = {name: Anything() for name in inspect.signature(HOOKS[hook]).parameters}
    return getattr(plugins.hook, hook)(**arguments)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_is_called_with_all_that_the_hook_offers(hook: str, capsys: pytest.CaptureFixture[str]) -> None:
    results = call(manager(module_of(example(hook), hook)), hook)
    if inspect.signature(HOOKS[hook]).return_annotation == "None":
        assert results == []
        assert capsys.readouterr().err
    else:
        (provided,) = results
        assert all(isinstance(spec, Spec | zoo.Column) for spec in provided)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("hook", HOOKS)
def test_every_argument_is_described(hook: str) -> None:
    documentation = HOOKS[hook].__doc__ or ""
    for name, parameter in inspect.signature(HOOKS[hook]).parameters.items():
        assert re.search(rf"^ +{name}: \S", documentation, re.MULTILINE), f"{hook} does not describe {name}"
        assert parameter.annotation is not inspect.Parameter.empty


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_of_hooks_shows_its_signature(hook: str) -> None:
    """The site renders signatures from the source; a strict build fails if it cannot."""
    page = (ROOT / "docs" / "hooks.md").read_text()
    reference = page.partition("::: zoo.hookspecs\n")[2].partition("\n\n")[0]
    (shown,) = re.findall(r'filters: \["(.*)"\]', reference)
    assert re.search(shown, hook), f"{hook} is not among the hooks that the page shows"


def test_an_implementation_with_fewer_arguments_goes_on_working_when_a_hook_gains_one() -> None:
    """The compatibility policy: a plugin written for today's hook, under a later one."""
    later = types.ModuleType("later")

    def zoo_run_finished(spec, record, files, environment):
        """Gained an argument."""

    later.zoo_run_finished = hookspecs.hookspec(zoo_run_finished)  # type: ignore[attr-defined]
    written_today = types.SimpleNamespace()
    calls = []
    written_today.zoo_run_finished = hookspecs.hookimpl(lambda record, files: calls.append((record, files)))
    plugins = pluggy.PluginManager(hookspecs.PROJECT)
    plugins.add_hookspecs(later)
    plugins.register(written_today)
    plugins.hook.zoo_run_finished(spec=1, record=2, files=3, environment=4)
    assert calls == [(2, 3)]


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

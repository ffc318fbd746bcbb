"""Every hook is documented: the page of hooks shows its signature, and the complete example in its docstring runs."""

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


class Anything:
    """Stands for whatever a hook is given."""

    def __getattr__(self, name: str) -> Anything:
        return Anything()

    def __getitem__(self, key: object) -> Anything:
        return Anything()

    def __format__(self, form: str) -> str:
        return "anything"


def example(hook: str) -> types.ModuleType:
    """Return the plugin in the hook's docstring as a module."""
    source = textwrap.dedent((HOOKS[hook].__doc__ or "").partition("Example::\n\n")[2])
    assert f"def {hook}(" in source, f"{hook} has no complete example in its docstring"
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
    results = call(manager(example(hook)), hook)
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

"""Discovery of plugins: one entry point at a time, so that a broken one is recorded and the others are loaded."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import inspect
import os
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from zoo import hookspecs
from zoo.catalogue import HOST, Catalogue, ColumnCatalogue, Entry, Plugin
from zoo.columns import MAX_COLUMNS, Column
from zoo.errors import PluginError, UnknownNameError, error_sentence, reraise_ctrl_c
from zoo.specs import CommandSpec, ExecutorSpec, MetricSpec, ModelSpec, Spec, TaskSpec, TrackerSpec
from zoo.version import __version__

T = TypeVar("T")
ENTRY_POINT_GROUP = "zoo"
HARNESS_GROUP = "zoo.harness"
SELECTION_VARIABLE = "ZOO_PLUGINS"


class HookManager(pluggy.PluginManager):
    """Holds zoo's hooks. Implementations are called one by one, never wrapped, so that wrappers are refused."""

    def __init__(self) -> None:
        super().__init__(hookspecs.PROJECT)
        self.add_hookspecs(hookspecs)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Read the options of ``@zoo.hookimpl``.

        Raises:
            PluginValidationError: If they make it a wrapper.
        """
        options = super().parse_hookimpl_opts(plugin, name)
        if options and (options["wrapper"] or options["hookwrapper"]):
            raise pluggy.PluginValidationError(plugin, f"{name} is a wrapper, and hooks of zoo cannot be wrapped")
        return options


class Registry:
    """All that the installed plugins provide; ``listeners`` are the plugins with run hooks."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self.models: Catalogue[ModelSpec] = Catalogue("model")
        self.tasks: Catalogue[TaskSpec] = Catalogue("task")
        self.metrics: Catalogue[MetricSpec] = Catalogue("metric")
        self.executors: Catalogue[ExecutorSpec] = Catalogue("executor")
        self.trackers: Catalogue[TrackerSpec] = Catalogue("tracker")
        self.commands: Catalogue[CommandSpec] = Catalogue("command")
        self.columns = ColumnCatalogue()
        self.listeners: list[tuple[Plugin, ModuleType]] = []
        self._manager = HookManager()

    @property
    def problems(self) -> list[str]:
        """One sentence per plugin that failed or misbehaved, and per name that clashes."""
        failed = [f"plugin {p.name!r} of {p} was not loaded: {p.error}" for p in self.plugins if p.error]
        failed += [f"plugin {p.name!r} of {p} {'; '.join(p.warnings)}" for p in self.plugins if p.warnings]
        catalogues = (self.models, self.tasks, self.metrics, self.executors, self.trackers, self.commands)
        return failed + [clash for catalogue in catalogues for clash in catalogue.clashes]

    def find(self, name: str) -> Entry[ModelSpec] | Entry[TaskSpec] | Entry[MetricSpec]:
        """Return the model, task or metric of this name.

        Raises:
            UnknownNameError: If there is none.
        """
        catalogues = (self.models, self.tasks, self.metrics)
        for catalogue in catalogues:
            with contextlib.suppress(UnknownNameError):
                return catalogue.get(name)
        names = [entry.spec.name for catalogue in catalogues for entry in catalogue]
        raise UnknownNameError("model, task or metric", name, names)

    def load(self, plugin: Plugin, entry_point: importlib.metadata.EntryPoint) -> None:
        """Import one entry point and add what it provides: all of it, or, if anything fails, none of it."""
        self.plugins.append(plugin)
        key = f"{plugin.distribution}:{plugin.name}"
        try:
            _refuse_other_versions(entry_point)
            with plugin.isolated():
                module = entry_point.load()
                _refuse_unknown_hooks(module)
                self._manager.register(module, name=key)
                provided = self._provided(key)
                self.columns.add(self._columns(key, provided), plugin)
        except BaseException as error:
            reraise_ctrl_c(error)
            plugin.error = error_sentence(error)
            return
        for catalogue, spec in provided:
            catalogue.add(Entry(spec, plugin))
            plugin.provides.append(f"{catalogue.kind} {spec.name}")
        if any(hasattr(module, name) for name in hookspecs.RUN_HOOKS):
            self.listeners.append((plugin, module))
        hooks = ("zoo_columns", *hookspecs.RUN_HOOKS)
        plugin.provides += [f"hook {name}" for name in hooks if hasattr(module, name)]

    def _columns(self, key: str, provided: list[tuple[Catalogue[Spec], Spec]]) -> list[tuple[Column, str]]:
        """Return the columns that a plugin fills, each with the name of its metric, or "" if the plugin itself does."""
        columns = [(column, "") for column in self._call("zoo_columns", key, Column)]
        metrics = [spec for _, spec in provided if isinstance(spec, MetricSpec)]
        for metric in metrics:
            if (n := len(metric.columns)) > MAX_COLUMNS:
                raise PluginError(f"metric {metric.name!r} declares {n:,} columns, and {MAX_COLUMNS} are the limit")
        return columns + [(column, metric.name) for metric in metrics for column in metric.columns]

    def _provided(self, key: str) -> list[tuple[Catalogue[Spec], Spec]]:
        hooks = {
            "zoo_models": (self.models, ModelSpec),
            "zoo_tasks": (self.tasks, TaskSpec),
            "zoo_metrics": (self.metrics, MetricSpec),
            "zoo_executors": (self.executors, ExecutorSpec),
            "zoo_trackers": (self.trackers, TrackerSpec),
            "zoo_commands": (self.commands, CommandSpec),
        }
        provided: list[tuple[Any, Any]] = []  # a catalogue and a spec of its type
        for hook, (catalogue, spec_type) in hooks.items():
            specs: Iterator[Spec] = self._call(hook, key, spec_type)
            provided += [(catalogue, spec) for spec in specs]
        return provided

    def _call(self, hook: str, key: str, item_type: type[T]) -> Iterator[T]:
        """Yield what one plugin's implementation of a hook provides."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            for item in implementation.function() if implementation.plugin_name == key else ():
                if not isinstance(item, item_type):
                    raise PluginError(f"{hook} must yield zoo.{item_type.__name__}, got {type(item).__name__}")
                yield item


def _refuse_unknown_hooks(module: ModuleType) -> None:
    """Raise for a ``@zoo.hookimpl`` function whose name is not that of a hook; pluggy would silently ignore it."""
    names = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if hasattr(function, f"{hookspecs.PROJECT}_impl") and name not in names:
            raise UnknownNameError("hook", name, names)


def _refuse_other_versions(point: importlib.metadata.EntryPoint) -> None:
    """Raise if the plugin's distribution requires another version of genzoo than this one."""
    metadata = _metadata(point.dist)
    requirements = [text for text in metadata.get("Requires-Dist", []) if text.startswith(HOST)]
    if not requirements:
        return
    from packaging.requirements import Requirement

    for needed in map(Requirement, requirements):
        applies = needed.name == HOST and (needed.marker is None or needed.marker.evaluate({"extra": ""}))
        if applies and not needed.specifier.contains(__version__, prereleases=True):
            raise PluginError(f"it needs {HOST}{needed.specifier}, and {__version__} is installed: upgrade one of them")


def _provenance(point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    """Return the name and version of the distribution; one that was partly removed may have neither."""
    metadata = _metadata(point.dist)
    [name], [version] = metadata.get("Name", ["unknown"]), metadata.get("Version", [""])
    return name, version


@functools.cache
def _metadata(distribution: importlib.metadata.Distribution | None) -> dict[str, list[str]]:
    """Return a distribution's metadata, all values of a key; cached, as each access to the original parses it again."""
    try:
        fields = distribution.metadata if distribution else None
    except Exception:
        fields = None
    return {key: fields.get_all(key, []) for key in set(fields)} if fields else {}


def _allowed(points: Iterable[importlib.metadata.EntryPoint]) -> list[importlib.metadata.EntryPoint]:
    """Return what ``$ZOO_PLUGINS`` names, by entry point or distribution, and genzoo's harness; if unset, everything.

    Raises:
        UnknownNameError: If it names what is not installed.
    """
    selection = os.environ.get(SELECTION_VARIABLE)
    by_names = [({point.name, _provenance(point)[0]}, point) for point in points]
    if selection is None:
        return [point for _, point in by_names]
    selected = set(filter(None, (name.strip() for name in selection.split(","))))
    installed_names = set().union(*(names for names, _ in by_names))
    for name in sorted(selected - installed_names):
        raise UnknownNameError(f"plugin in {SELECTION_VARIABLE}", name, installed_names)
    always = harnesses()
    return [point for names, point in by_names if names & selected or (HOST in names and point.value in always)]


def harnesses() -> set[str]:
    """Return the modules of plugins that run benches; each also has an entry point in the group ``zoo.harness``."""
    return {point.value for point in importlib.metadata.entry_points(group=HARNESS_GROUP)}


@contextlib.contextmanager
def only(names: str) -> Iterator[None]:
    """Load only the plugins that ``names`` selects as ``$ZOO_PLUGINS`` does, also in processes started meanwhile."""
    before = os.environ.get(SELECTION_VARIABLE)
    os.environ[SELECTION_VARIABLE] = names
    installed.cache_clear()
    try:
        yield
    finally:
        del os.environ[SELECTION_VARIABLE]
        if before is not None:
            os.environ[SELECTION_VARIABLE] = before
        installed.cache_clear()


def discover(entry_points: Iterable[importlib.metadata.EntryPoint] | None = None) -> Registry:
    """Load entry points, by default the allowed ones of the group ``zoo``: genzoo's, then by distribution and name."""
    if entry_points is None:
        entry_points = _allowed(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP))
    registry = Registry()
    candidates = [(*_provenance(point), point) for point in entry_points]
    for name, version, point in sorted(candidates, key=lambda item: (item[0] != HOST, item[0], item[2].name)):
        registry.load(Plugin(point.name, name, version, point.value), point)
    return registry


@functools.cache
def installed() -> Registry:
    """Return the plugins installed in this environment, discovered once per process."""
    return discover()

"""What plugins provide, by name: entries, clashes of names, and the nearest name for one that is unknown."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from zoo.columns import Column
from zoo.errors import NameClashError, PluginError, UnknownNameError, ZooError
from zoo.isolation import isolated
from zoo.specs import MetricSpec, Spec, TaskSpec

S = TypeVar("S", bound=Spec)
HOST = "genzoo"
"""The distribution that this package is part of."""


@dataclass
class Plugin:
    """One entry point of the group ``zoo``: where it comes from, what it provides, and what is wrong with it.

    Attributes:
        name: The entry point's name.
        distribution: The distribution that it is part of.
        version: The distribution's version.
        module: What it imports.
        provides: Kind and name of everything that it provides; nothing if it failed.
        error: Why it failed; "" if it did not.
        warnings: What it changed in the process, which was then undone, in phrases.
    """

    name: str
    distribution: str
    version: str
    module: str
    provides: list[str] = field(default_factory=list)
    error: str = ""
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"

    def isolated(self) -> AbstractContextManager[None]:
        """Put back and note what importing its modules changes in the process; of genzoo's own, tests know that."""
        return nullcontext() if self.distribution == HOST else isolated(self.warnings)


@dataclass(frozen=True)
class Entry(Generic[S]):
    """A description and the plugin that provides it."""

    spec: S
    plugin: Plugin

    def load(self) -> Any:
        """Import and return the spec's target; what its module changes in the process is put back, and noted."""
        if self.spec.target.partition(":")[0] in sys.modules:
            return self.spec.load()
        with self.plugin.isolated():
            return self.spec.load()


class Catalogue(Generic[S]):
    """Everything of one kind, by name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, list[Entry[S]]] = {}

    def add(self, entry: Entry[S]) -> None:
        """Add an entry; the same name from two plugins makes the name unusable."""
        self._entries.setdefault(entry.spec.name, []).append(entry)

    def __iter__(self) -> Iterator[Entry[S]]:
        """Iterate over the usable entries, sorted by name."""
        return (entries[0] for _, entries in sorted(self._entries.items()) if len(entries) == 1)

    def all(self) -> Iterator[Entry[S]]:
        """Iterate over all entries, those whose names clash as well."""
        return (entry for entries in self._entries.values() for entry in entries)

    @property
    def clashes(self) -> list[str]:
        """One sentence per name that more than one plugin provides."""
        return [self._clash(name) for name, entries in sorted(self._entries.items()) if len(entries) > 1]

    def _clash(self, name: str) -> str:
        plugins = {id(e.plugin): e.plugin for e in self._entries[name]}.values()
        if len(plugins) == 1:
            [plugin] = plugins
            return f"{self.kind} {name!r} is provided twice by {plugin} (entry point {plugin.name!r}): rename one"
        first, *others = (f"{e.plugin} (entry point {e.plugin.name!r})" for e in self._entries[name])
        return f"{self.kind} {name!r} is provided by both {first} and {' and '.join(others)}: uninstall one"

    def get(self, name: str) -> Entry[S]:
        """Return the entry called ``name``, which may have parameters after it, as in ``folder:PATH?size=32``.

        Raises:
            UnknownNameError: If no plugin provides it; the nearest name is suggested.
            NameClashError: If more than one does; both distributions are named.
            ZooError: If the parameters are unusable.
        """
        name, parameters = self._split(name)
        entries = self._entries.get(name)
        if entries is None:
            raise UnknownNameError(self.kind, name, self._entries)
        if len(entries) > 1:
            raise NameClashError(self._clash(name))
        entry = entries[0]
        return dataclasses.replace(entry, spec=entry.spec.variant(parameters)) if parameters else entry  # type: ignore[attr-defined]

    def _split(self, name: str) -> tuple[str, str]:
        """Split a name from the parameters after it, if what it names takes any."""
        base = re.split("[:?@]", name, maxsplit=1)[0]
        takes = any(isinstance(entry.spec, TaskSpec) and entry.spec.takes for entry in self._entries.get(base, []))
        return (base, name[len(base) :]) if takes else (name, "")

    def select(self, patterns: str) -> list[Entry[S]]:
        """Return the entries that a comma-separated list of names and ``*`` patterns means; "all" means every one.

        Patterns and "all" do not match tasks that are incomplete without parameters, nor metrics that are computed on
        request.

        Raises:
            ZooError: If a name is unknown, or a pattern matches nothing.
        """
        selected: dict[str, Entry[S]] = {}
        for pattern in filter(None, (p.strip() for p in patterns.split(","))):
            if pattern == "all" or (any(c in pattern for c in "*?[") and not self._split(pattern)[1]):
                glob = "*" if pattern == "all" else pattern
                matches = [e for e in self if fnmatch.fnmatchcase(e.spec.name, glob) and _matches_patterns(e.spec)]
                if not matches:
                    raise UnknownNameError(self.kind, pattern, self._entries)
            else:
                matches = [self.get(pattern)]
            selected.update((e.spec.name, e) for e in matches)
        if not selected:
            raise ZooError(f"no {self.kind} named; known: {', '.join(sorted(self._entries)) or 'none'}")
        return list(selected.values())


def _matches_patterns(spec: Spec) -> bool:
    if isinstance(spec, MetricSpec):
        return not spec.on_request
    return not isinstance(spec, TaskSpec) or bool(spec.shape)


class ColumnCatalogue:
    """The columns that installed plugins fill. Each belongs to one distribution: no two may fill the same."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Column, Plugin, str]] = {}

    def get(self, name: str) -> Column | None:
        """Return a column, or None if no installed plugin fills it."""
        return self._entries[name][0] if name in self._entries else None

    def add(self, columns: Iterable[tuple[Column, str]], plugin: Plugin) -> None:
        """Add the columns of a plugin: all, or, if another distribution fills one, none.

        Args:
            columns: Each with the name of the metric that fills it, or "" if the plugin only describes it.
            plugin: The plugin that they belong to.

        Raises:
            PluginError: If another distribution fills one.
        """
        entries = {column.name: (column, plugin, metric) for column, metric in columns}
        for column, _, metric in entries.values():
            if column.name in self._entries and self._entries[column.name][1].distribution != plugin.distribution:
                subject = f"metric {metric!r}" if metric else f"plugin {plugin.name!r}"
                raise PluginError(f"{subject} has a column {self._filled(column.name)}")
        self._entries |= {name: entry for name, entry in entries.items() if name not in self._entries}

    def check_own(self, name: str, plugin: Plugin, subject: str) -> None:
        """Check that a plugin's model may return a column: no plugin fills it, or the same plugin describes it.

        Raises:
            PluginError: If another plugin or a metric fills it; ``subject`` begins the sentence.
        """
        if name in self._entries:
            _, owner, metric = self._entries[name]
            if metric or owner != plugin:
                raise PluginError(f"{subject} returns {self._filled(name)}")

    def _filled(self, name: str) -> str:
        _, plugin, metric = self._entries[name]
        by = f"metric {metric!r} of {plugin}" if metric else str(plugin)
        return f"{name!r}, which {by} fills: choose another name"

"""Calling the hooks of plugins and trackers when a run starts, makes progress and ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import FAILURES, PluginError, ZooError, error_sentence
from zoo.registry import HookManager, Registry
from zoo.runs import RunProgress, RunRecord, RunSpec


class Lifecycle:
    """Calls the hooks of runs, one implementation at a time, so that an error in one does not stop the others.

    Args:
        registry: The registry whose plugins are called.
        track: Names of trackers with commas; "" for none.
        folder: The bench's output folder, which trackers are made for.

    Raises:
        ZooError: If a tracker is unknown, or cannot be used.
    """

    def __init__(self, registry: Registry, track: str, folder: Path) -> None:
        self._manager = HookManager()
        self._warnings: set[str] = set()
        for plugin, module in registry.listeners:
            self._manager.register(module, f"plugin {plugin.name!r} of {plugin}")
        for entry in registry.trackers.select(track) if track else ():
            name = f"tracker {entry.spec.name!r} of {entry.plugin}"
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    self._manager.register(entry.spec.load()(folder), name)
                self._manager.check_pending()
            except ZooError:
                raise
            except FAILURES as error:
                raise PluginError(f"{name} cannot be used: {error_sentence(error)}") from error

    def started(self, spec: RunSpec) -> None:
        """Report that a run has begun."""
        self._call("zoo_run_started", spec=spec)

    def progressed(self, spec: RunSpec, progress: RunProgress) -> None:
        """Report the progress of a run."""
        self._call("zoo_run_progress", spec=spec, progress=progress)

    def finished(self, record: RunRecord, files: Mapping[str, Path]) -> None:
        """Report that a run has ended and is stored."""
        self._call("zoo_run_finished", spec=record.spec, record=record, files=files)

    def _call(self, hook: str, **arguments: Any) -> None:
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):  # in pluggy's order
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    implementation.function(*(arguments[name] for name in implementation.argnames))
            except FAILURES as error:
                self._warn(f"{implementation.plugin_name} failed in {hook}: {error_sentence(error)}")

    def _warn(self, sentence: str) -> None:
        if sentence not in self._warnings:
            self._warnings.add(sentence)
            print(f"zoo: warning: {sentence}", file=sys.stderr)

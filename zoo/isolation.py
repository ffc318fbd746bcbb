"""Detects and undoes changes that importing a plugin must not make to the process that it shares with others."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any


class _Diverted(io.TextIOBase):
    """Takes the place of stdout, which is for results, and sends what is written to stderr."""

    used = False

    def write(self, text: str) -> int:
        self.used = True
        return sys.stderr.write(text)


@contextlib.contextmanager
def isolated(warnings: list[str]) -> Iterator[None]:
    """Send to stderr what is printed, and put back the folder, signal handlers and torch's settings if they change.

    Args:
        warnings: A phrase is added for each of these that happens.
    """
    folder, handlers, settings = _folder(), _handlers(), _settings()
    output = _Diverted()
    try:
        with contextlib.redirect_stdout(output):
            yield
    finally:
        if output.used:
            warnings.append("prints to stdout, which is for results: the text was sent to stderr")
        changes = [*_folder_changes(folder), *_handler_changes(handlers), *_setting_changes(settings)]
        if changes:
            warnings.append(f"changes {', '.join(changes)}: put back")


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def _folder_changes(before: str) -> list[str]:
    if not before or _folder() == before:
        return []
    os.chdir(before)
    return ["the working directory"]


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _handler_changes(before: dict[int, Any]) -> list[str]:
    changed = [number for number, handler in _handlers().items() if handler != before[number]]
    for number in changed:
        signal.signal(number, before[number])
    return [f"the handler of {signal.Signals(number).name}" for number in changed]


def _settings() -> dict[str, Any] | None:
    """Return torch's settings, or None if it is not imported."""
    if "torch" not in sys.modules:
        return None
    from zoo.settings import snapshot

    return snapshot()


def _setting_changes(before: dict[str, Any] | None) -> list[str]:
    if "torch" not in sys.modules:
        return []
    from zoo.settings import FACTORY_VALUES, changed, restore

    before = FACTORY_VALUES if before is None else before
    phrases = changed(before)
    restore(before)
    return [f"torch's {phrase}" for phrase in phrases]

"""Detects and undoes changes that importing a plugin must not make to the process that it shares with others."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

STANDARD = ("hashlib", "json", "json.decoder", "json.encoder", "math", "os", "pickle", "random", "statistics", "time")
"""Modules of Python on which keys of runs, files and times depend."""


class _Diverted(io.TextIOBase):
    """Takes the place of stdout, which is for results, and sends what is written to stderr."""

    used = False

    def write(self, text: str) -> int:
        self.used = True
        return sys.stderr.write(text)


@contextlib.contextmanager
def isolated(warnings: list[str]) -> Iterator[None]:
    """Send to stderr what is printed, refuse to end the process, and put back what is changed: see :func:`put_back`.

    Args:
        warnings: A phrase is added for each of these that happens.
    """
    output = _Diverted()
    functions = _functions()
    try:
        with put_back(warnings), _alive(), contextlib.redirect_stdout(output):
            yield
    finally:
        if output.used:
            warnings.append("prints to stdout, which is for results: the text was sent to stderr")
        if changes := _function_changes(functions):
            warnings.append(f"replaces {', '.join(changes)}: put back")


@contextlib.contextmanager
def put_back(warnings: list[str]) -> Iterator[None]:
    """Put back the folder, signal handlers and torch's settings if they change.

    Args:
        warnings: A phrase that names all changes is added if there are any.
    """
    folder, handlers, settings = _folder(), _handlers(), _settings()
    try:
        yield
    finally:
        changes = [*_folder_changes(folder), *_handler_changes(handlers), *_setting_changes(settings)]
        if changes:
            warnings.append(f"changes {', '.join(changes)}: put back")


@contextlib.contextmanager
def _alive() -> Iterator[None]:
    """Let ``os._exit``, which would end the command without a word, raise SystemExit in this process."""
    leave, process, inside = os._exit, os.getpid(), True

    def stay(status: int) -> NoReturn:
        if inside and os.getpid() == process:
            raise SystemExit(status)
        leave(status)

    os._exit = stay
    try:
        yield
    finally:
        inside, os._exit = False, leave


def functions_of(holder: Any, name: str) -> Iterator[tuple[str, Any, str, object]]:
    """Yield the functions and methods that a module holds: dotted name, what holds it, its name there, and itself."""
    for key, value in list(vars(holder).items()):
        if callable(value) or isinstance(value, property | classmethod | staticmethod):
            yield f"{name}.{key}", holder, key, value
        if isinstance(value, type) and value.__module__ == getattr(holder, "__name__", ""):
            yield from functions_of(value, f"{name}.{key}")


def _functions() -> list[tuple[str, Any, str, object]]:
    """Return the functions of Python and of genzoo that no plugin may replace."""
    owners = _owners()
    modules = {name: m for name, m in list(sys.modules.items()) if name in STANDARD or name.partition(".")[0] in owners}
    return [function for name, module in modules.items() for function in functions_of(module, name)]


@functools.cache
def _owners() -> set[str]:
    from zoo.registry import harnesses

    return {"zoo", *(module.partition(".")[0] for module in harnesses())}


def _function_changes(before: Iterable[tuple[str, Any, str, object]]) -> list[str]:
    changed = [(name, holder, key, old) for name, holder, key, old in before if vars(holder).get(key) is not old]
    for _, holder, key, old in changed:
        setattr(holder, key, old)
    return [name for name, *_ in changed]


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

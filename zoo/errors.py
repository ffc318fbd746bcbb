"""Errors that a user can act on; the command line prints each as one sentence and exits with 2."""

from __future__ import annotations

from collections.abc import Iterable


class ZooError(Exception):
    """What is wrong and what to do about it, in one sentence."""


class UnknownNameError(ZooError):
    """A name that no plugin provides, with the nearest valid one.

    Args:
        kind: What the name should have been: "model", "task", "setting of gan", ...
        name: What was asked for.
        valid: The names that would have been accepted.
    """

    def __init__(self, kind: str, name: str, valid: Iterable[str]) -> None:
        import difflib

        names = sorted(valid)
        near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
        super().__init__(f"unknown {kind} {name!r}: {hint}")


class NameClashError(ZooError):
    """Two installed distributions provide the same name, so that the name is ambiguous."""


class PluginError(ZooError):
    """A plugin broke the contract; the message names it and what to change."""


class DataError(ZooError):
    """A task's data are absent or unusable; the message names the files and where they go."""


FAILURES = (Exception, SystemExit)
"""What is caught around a plugin's code: ``sys.exit`` there must not end the command, while Ctrl-C must."""

MAX_MESSAGE_CHARACTERS = 500
"""Characters of an exception's own message that are shown; its traceback has the rest."""

MAX_TRACEBACK_CHARACTERS = 20_000
"""Characters of a traceback that are kept, from its end."""


class Interrupted(KeyboardInterrupt):
    """The command line was told to stop: by Ctrl-C or a signal."""


def reraise_ctrl_c(error: BaseException) -> None:
    """Raise a KeyboardInterrupt again that is Ctrl-C, which ends the command wherever it comes.

    One that a plugin raises by itself must not, and is at a ``raise`` in its code; Ctrl-C outside the command line, as
    in a notebook, is at any other instruction.
    """
    if isinstance(error, Interrupted):
        raise error
    if not isinstance(error, KeyboardInterrupt):
        return
    import dis

    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    if not last or dis.opname[last.tb_frame.f_code.co_code[last.tb_lasti]] != "RAISE_VARARGS":
        raise error


def error_sentence(error: BaseException) -> str:
    """Return an exception's type and message on one line, cut where it would fill the screen."""
    try:
        message = " ".join(str(error).split())
    except BaseException as second:
        message = f"its message cannot be shown, because of another {type(second).__name__}"
    if len(message) > MAX_MESSAGE_CHARACTERS:
        message = f"{message[:MAX_MESSAGE_CHARACTERS]}... ({len(message)} characters)"
    kind = " ".join(type(error).__name__.split())[:MAX_MESSAGE_CHARACTERS]
    return f"{kind}: {message}" if message else kind


def error_details(error: BaseException) -> str:
    """Return an exception's traceback, without its beginning where it is long."""
    import traceback

    try:
        text = "".join(traceback.format_exception(error))
    except BaseException as second:
        return f"the traceback cannot be shown: {type(second).__name__}"
    return text if len(text) <= MAX_TRACEBACK_CHARACTERS else f"...{text[-MAX_TRACEBACK_CHARACTERS:]}"

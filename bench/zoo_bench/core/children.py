"""Children: functions in processes of their own, which can neither hold up their parent nor outlive it."""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import psutil

from zoo.errors import ZooError, error_sentence
from zoo.signs import listeners
from zoo_bench.core.processes import context, starting

T = TypeVar("T")

SIGN_INTERVAL_SECONDS = 0.2
ENDING_SECONDS = 1.0
"""What a process that has sent its result, or was killed, has to end."""

PAUSES_SECONDS = (0.01, 0.1, 1.0)
"""Between the tries to start a process whose fork server was killed, which takes some time to vanish."""

STOPPING_SECONDS = 5.0
"""What a process has after SIGTERM to write what it has."""

ARRIVAL_SECONDS = 1.0
"""What messages have to arrive that were sent while this process was stopped, as by Ctrl-Z."""

MAX_WAIT_SECONDS = 60.0
"""Limit of one wait for messages, because a child without timeout has no deadline to wait for."""

PR_SET_CHILD_SUBREAPER = 36
"""Option of ``prctl``, with its name and value in Linux's ``prctl.h``."""


@dataclass(frozen=True)
class Returned:
    """What the function of a child returned: its last message."""

    value: Any


@dataclass(frozen=True)
class Lost:
    """There will be no result of a child.

    Attributes:
        sentence: Type and message of what its function raised, or how its process ended, or since when it hangs.
        is_hung: Whether it gave no sign of life for too long.
    """

    sentence: str
    is_hung: bool = False


def _start(process: Any) -> None:
    """Start a process; if its fork server was killed, by another one, which waits until the system let go of that."""
    for pause in PAUSES_SECONDS:
        try:
            process.start()
        except (EOFError, ConnectionError):
            time.sleep(pause)
        else:
            return
    process.start()


class Child:
    """A function under way in a process of its own.

    The process leads a group of its own, so that what it starts ends with it, and it ends itself when its parent is
    gone. A thread listens to it, so that nothing that it does or leaves undone stops the caller.

    Args:
        inbox: Where its messages arrive.
        timeout: Seconds without a message or a sign of life after which it counts as hung; None: it never does.
        function: Importable by its name, as are its arguments and its result.
        arguments: Of the function.
    """

    def __init__(self, inbox: Inbox, timeout: float | None, function: Callable[..., Any], *arguments: Any) -> None:
        self._receiver, sender = context().Pipe(duplex=False)
        self.process = context().Process(target=_serve, args=(sender, function, arguments), daemon=True)
        with starting():
            _start(self.process)
        sender.close()
        self._inbox, self._timeout, self._step = inbox, timeout, "its process"
        self.hear()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        """Pass on what arrives until pipe or process ends; its own child processes may keep the pipe open after it."""
        with suppress(Exception):  # the pipe is closed, or something else was written into it
            while wait([self._receiver, self.process.sentinel]) and self._receiver.poll():
                self._inbox.put((self, self._receiver.recv()))
        self._inbox.put((self, None))

    def hear(self, step: str = "") -> None:
        """Take note of a sign of life, and of the step that begins, if one does."""
        self._step = step or self._step
        self.deadline = time.monotonic() + (self._timeout or math.inf)
        self.is_late = False

    def lost(self) -> Lost:
        """Return how its process ended, after its connection has."""
        self.process.join(ENDING_SECONDS)
        code = self.process.exitcode
        if code is None:
            return Lost("its process closed its connection and went on, so it was ended")
        if code >= 0:
            return Lost(f"its process ended with exit code {code} before it had a result")
        return Lost(f"its process ended with signal {next((s.name for s in signal.Signals if s == -code), -code)}")

    def hung(self) -> Lost:
        """Return since when it hangs."""
        seconds = self._timeout or 0.0
        limit = f"{seconds / 60:g} minutes" if seconds > 60 else f"{seconds:g} seconds"
        return Lost(f"no sign of progress for {limit}, since {self._step} began", is_hung=True)

    def close(self, strays: Sequence[psutil.Process]) -> None:
        """End its process at once with all that it started, and release its resources in this one."""
        pid = self.process.pid
        _kill([*strays, *(_descendants(pid) if self.process.is_alive() else ())], group=pid)
        self.process.kill()  # it may not have had the time to lead its group
        self.process.join(ENDING_SECONDS)
        self._listener.join(ENDING_SECONDS)
        if not (self.process.is_alive() or self._listener.is_alive()):  # else the system does not let go of it
            self._receiver.close()
            self.process.close()


Inbox = queue.SimpleQueue[tuple[Child, Any]]


def next_message(inbox: Inbox, children: Sequence[Child]) -> tuple[Child, Any]:
    """Wait until one of some children has a message, ends or hangs.

    Returns:
        The child, and what it sent: by :func:`tell`, or a :class:`Returned` or :class:`Lost`, after which it must be
        given to :func:`end`.
    """
    while True:
        now = time.monotonic()
        late = [child for child in children if child.deadline <= now and inbox.empty()]
        for child in late:
            if child.is_late:
                return child, child.hung()
            child.is_late, child.deadline = True, now + ARRIVAL_SECONDS
        due = min(child.deadline for child in children)
        try:
            child, message = inbox.get(timeout=min(max(due - now, 0.0), MAX_WAIT_SECONDS))
        except queue.Empty:
            continue
        if child not in children:
            continue
        if message is None:
            return child, child.lost()
        child.hear(message if isinstance(message, str) else "")
        if not isinstance(message, str):
            return child, message


def end(children: Sequence[Child], *, early: bool = False) -> None:
    """End the processes of children, with all that they have started.

    Args:
        children: They have sent their results or are lost, or else are ended early.
        early: Whether they get SIGTERM, and a few seconds together to write what they have.
    """
    strays = [stray for child in children for stray in _descendants(child.process.pid)] if early else []
    try:
        if early:
            for child in children:
                child.process.terminate()
        deadline = time.monotonic() + (STOPPING_SECONDS if early else ENDING_SECONDS)
        for child in children:
            child.process.join(max(0.0, deadline - time.monotonic()))
    finally:  # at once if Ctrl-C is pressed again
        for child in children:
            child.close(strays)


def run_in_subprocess(function: Callable[..., T], *arguments: Any, timeout: float | None) -> T:
    """Return what a function returns in a new process.

    Args:
        function: Importable by its name, as are its arguments and its result.
        arguments: Of the function.
        timeout: Seconds without a sign of life after which the process is ended as hung; None: never.

    Raises:
        ZooError: With type and message of what the function raises; or if its process ends or hangs without a result.
    """
    inbox: Inbox = queue.SimpleQueue()
    child, message = Child(inbox, timeout, _apart, function, arguments), None
    try:
        while not isinstance(message, Returned | Lost):  # what it tells meanwhile has no reader here
            _, message = next_message(inbox, [child])
    finally:
        end([child], early=not isinstance(message, Returned | Lost) or (isinstance(message, Lost) and message.is_hung))
    if isinstance(message, Lost):
        raise ZooError(message.sentence)
    result: T = message.value
    return result


def _apart(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    os.dup2(2, 1)  # stdout belongs to the caller, which writes tables or JSON to it
    return function(*arguments)


def _serve(sender: Connection[Any, Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Be a child: call the function, and send what it returns."""
    global _sender
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and the parent ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform != "win32":
        os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # what it detaches stays among its descendants
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _sender = sender
    listeners.append(_Signs())
    try:
        message: Returned | Lost = Returned(function(*arguments))
    except BaseException as error:
        message = Lost(error_sentence(error))
    with suppress(OSError):  # a parent that was told to stop does not wait for it
        tell(message)
    _kill(_descendants(os.getpid()))


def _end_with_parent() -> None:
    """End this process as soon as its parent is gone, however that ended."""
    parent = multiprocessing.parent_process()
    assert parent, "it is a child"
    with suppress(OSError):  # what closes all files closes also what this waits for
        parent.join()
    _kill(_descendants(os.getpid()), group=os.getpid())
    os._exit(1)  # where there are no groups


_sender: Connection[Any, Any] | None = None
"""Leads to the parent, in a child."""


def tell(message: Any) -> None:
    """Send a message to the process that this one is a child of; in other processes nothing happens."""
    if _sender:
        _sender.send(message)


class _Signs:
    """Sends signs of life to the parent: every step that begins, and the same one five times a second."""

    def __init__(self) -> None:
        self._step, self._sent = "", 0.0

    def __call__(self, step: str) -> None:
        now = time.monotonic()
        if (step and step != self._step) or now - self._sent >= SIGN_INTERVAL_SECONDS:
            self._step, self._sent = step or self._step, now
            tell(step)


def _descendants(pid: int | None) -> list[psutil.Process]:
    """Return the processes that one has started, and those in turn, in whatever group they are."""
    with suppress(psutil.Error, OSError, ValueError):  # it may close all files while this reads some
        return psutil.Process(pid).children(recursive=True)
    return []


def _kill(processes: Sequence[psutil.Process], group: int | None = None) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    if group and sys.platform != "win32":
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)

"""Fresh processes that start in milliseconds: forked, where the platform can, from a server with torch imported."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import multiprocessing.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zoo.errors import ZooError
from zoo.machine import socket_folder

FORK_SERVER = sys.platform == "linux"
PATH_VARIABLE = "ZOO_SERVER_PATH"
"""The environment variable in which the fork server finds its ``sys.path``, as JSON."""

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of ``mallopt``, with their names and values in glibc's ``malloc.h``."""


def context() -> Any:
    """Return the multiprocessing context that runs start from.

    Raises:
        ZooError: If this process may have no processes of its own.
    """
    if multiprocessing.current_process().daemon:
        raise ZooError(
            "this is a worker of multiprocessing.Pool, which may start no processes, and runs are processes of their "
            "own: use concurrent.futures.ProcessPoolExecutor instead, or the option workers of one bench"
        )
    if not FORK_SERVER:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zoo_bench.core.server_path", "zoo_bench.run.preload"])
    return context


def warm_up() -> None:
    """Start the fork server, so that its imports go on while the caller does other things."""
    context()
    if FORK_SERVER:
        from multiprocessing import forkserver

        with starting():
            forkserver.ensure_running()


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for the tensors of the next round.

    By default glibc returns large blocks to the system and requests them anew in every round, page by page: thousands
    of page faults per round for convolutions of 28 px. Nothing happens where the C library has no such setting (macOS,
    musl, Windows).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


@contextmanager
def starting() -> Iterator[None]:
    """Start a process here, from any script and with any temporary folder.

    Raises:
        ZooError: If the system refuses it.
    """
    _choose_socket_folder()
    try:
        with _without_main_module(), _with_path():
            yield
    except ChildProcessError as error:  # the fork server is a child of the process that this one was forked from
        raise ZooError(
            "this process was forked from one that has started runs, which its own cannot share: start it afresh, with "
            "multiprocessing's context 'spawn'"
        ) from error
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "the fork server has ended"
        raise ZooError(
            f"a process cannot be started: {reason}: give fewer --workers, or see the limits that `zoo doctor` shows"
        ) from error


def _choose_socket_folder() -> None:
    """Let multiprocessing make the folder of its sockets, which it keeps, where their paths are short enough."""
    folder, usual = socket_folder(), tempfile.gettempdir()
    tempfile.tempdir = folder
    try:
        multiprocessing.util.get_temp_dir()
    finally:
        tempfile.tempdir = usual


@contextmanager
def _with_path() -> Iterator[None]:
    """Tell the fork server where this process imports from: by itself it would look into the current folder first."""
    os.environ[PATH_VARIABLE] = json.dumps(sys.path)
    try:
        yield
    finally:
        os.environ.pop(PATH_VARIABLE, None)


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Keep a child from importing the caller's script again, so that scripts need no ``if __name__ == "__main__"``."""
    main = sys.modules["__main__"]
    names = ("__file__", "__spec__")
    hidden: dict[str, Any] = {name: main.__dict__.pop(name) for name in names if name in main.__dict__}
    main.__spec__ = None
    try:
        yield
    finally:
        main.__dict__.update(hidden)

"""What this process may use of the machine: cores, memory, open files and a folder for sockets."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath

import psutil

ROOT = Path("/")
MAX_SOCKET_FOLDER_BYTES = 75
"""A Unix socket's path has at most 107 bytes on Linux, of which multiprocessing needs 32 below its folder."""


def cores(root: Path = ROOT) -> int:
    """Return how many CPU cores this process may keep busy, at least 1: those of its affinity, within its CPU quota.

    A quota of 2.5 CPUs counts as 2 cores, so that no run is held back.

    Args:
        root: Folder with ``proc`` and ``sys``.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(available, cpu_quota(root) or available)))


def memory(root: Path = ROOT) -> int:
    """Return the bytes of main memory that this process may use: the machine's, or the limit of its control groups."""
    return min([int(psutil.virtual_memory().total), *_limits(root)])


def cpu_quota(root: Path = ROOT) -> float | None:
    """Return the least CPU quota of this process's control groups, in CPUs; None: there is none.

    That is ``cpu.max`` of version 2 and ``cpu.cfs_quota_us`` by ``cpu.cfs_period_us`` of version 1 (Linux kernel
    documentation, "Control Group v2", and "CFS Bandwidth Control").
    """
    quotas = []
    for group in _groups(root, "cpu"):
        old = _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
        match _words(group / "cpu.max") or old:
            case [quota, period] if quota.isdigit():  # not "max" or "-1", which mean none
                quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def _limits(root: Path) -> list[int]:
    """Return the memory limits of this process's control groups in bytes, of version 2 and of version 1."""
    files = ("memory.max", "memory.limit_in_bytes")
    words = [word for group in _groups(root, "memory") for file in files for word in _words(group / file)]
    return [int(word) for word in words if word.isdigit()]


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups: the innermost, and all that it is nested in.

    In a container the path may be that of the host, of which only the last folder is mounted; absent ones are skipped.
    """
    for line in _words(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            group = PurePath(path.strip("/"))
            mount = root / "sys/fs/cgroup" / (controller if controllers else "")
            yield from (mount / folder for folder in (group, *group.parents))


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def open_files() -> int | None:
    """Return how many files this process may have open at once; None: no limit is known."""
    try:
        import resource
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else limit


def socket_folder() -> str:
    """Return the folder for temporary files, or ``/tmp`` if its path is too long for that of a socket in it."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= MAX_SOCKET_FOLDER_BYTES else "/tmp"

"""What a process may use: on folders that look like ``/proc`` and ``/sys`` of machines with control groups."""

import os
import socket
import tempfile
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from zoo.machine import MAX_SOCKET_FOLDER_BYTES, cores, cpu_quota, memory, open_files, socket_folder

GIB = 2**30
NESTED = "0::/user.slice/bench.scope\n"
OLD = "7:memory:/docker/4f\n4:cpu,cpuacct:/docker/4f\n1:name=systemd:/docker/4f\n0::/\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make the root folder of a machine of eight cores; its control groups have these files."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)

    def make(groups, files):
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(groups)
        for name, content in files.items():
            path = tmp_path / "sys/fs/cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("groups", "files", "quota", "expected"),
    [
        ("", {}, None, 8),
        ("0::/\n", {}, None, 8),
        ("0::/\n", {"cpu.max": "max 100000"}, None, 8),
        ("0::/\n", {"cpu.max": "250000 100000"}, 2.5, 2),
        ("0::/\n", {"cpu.max": "1600000 100000"}, 16, 8),
        ("0::/\n", {"cpu.max": "5000 100000"}, 0.05, 1),
        (NESTED, {"user.slice/bench.scope/cpu.max": "max 100000", "user.slice/cpu.max": "300000 100000"}, 3, 3),
        (NESTED, {"user.slice/bench.scope/cpu.max": "200000 50000", "user.slice/cpu.max": "600000 100000"}, 4, 4),
        (OLD, {"cpu/docker/4f/cpu.cfs_quota_us": "-1", "cpu/docker/4f/cpu.cfs_period_us": "100000"}, None, 8),
        (OLD, {"cpu/docker/4f/cpu.cfs_quota_us": "150000", "cpu/docker/4f/cpu.cfs_period_us": "50000"}, 3, 3),
        (OLD, {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2, 2),
        (OLD, {"memory/cpu.max": "100000 100000", "cpu/cpu.cfs_quota_us": "100000"}, None, 8),
    ],
)
def test_cores_are_those_that_the_least_quota_of_all_levels_leaves(machine, groups, files, quota, expected):
    root = machine(groups, files)
    assert cpu_quota(root) == quota
    assert cores(root) == expected


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("", {}, None),
        ("0::/\n", {"memory.max": "max"}, None),
        ("0::/\n", {"memory.max": str(GIB)}, GIB),
        ("0::/\n", {"memory.max": str(2**62)}, None),
        (NESTED, {"user.slice/bench.scope/memory.max": str(2 * GIB), "user.slice/memory.max": str(GIB)}, GIB),
        (OLD, {"memory/docker/4f/memory.limit_in_bytes": "9223372036854771712"}, None),
        (OLD, {"memory/docker/4f/memory.limit_in_bytes": str(GIB)}, GIB),
        (OLD, {"memory/memory.limit_in_bytes": str(GIB)}, GIB),
        (OLD, {"cpu/memory.limit_in_bytes": str(GIB)}, None),
    ],
)
def test_memory_is_the_least_limit_of_all_levels(machine, groups, files, expected):
    assert memory(machine(groups, files)) == (expected or psutil.virtual_memory().total)


def test_open_files_are_those_that_ulimit_allows(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (64, 128) if kind == resource.RLIMIT_NOFILE else None)
    assert open_files() == 64
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY, 128))
    assert open_files() is None


@pytest.mark.skipif(not Path("/tmp").is_dir(), reason="there is no /tmp")
@pytest.mark.parametrize(("surplus", "fits"), [(0, True), (1, False)])
def test_sockets_are_elsewhere_if_their_paths_would_be_too_long(monkeypatch, surplus, fits):
    """``pymp-`` and ``listener-`` with eight letters each are the names that multiprocessing gives."""
    with tempfile.TemporaryDirectory(dir="/tmp") as base, socket.socket(socket.AF_UNIX) as listener:
        folder = Path(base, "x" * (MAX_SOCKET_FOLDER_BYTES - len(base) - 1 + surplus))
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        assert socket_folder() == (str(folder) if fits else "/tmp")
        (folder / "pymp-12345678").mkdir(parents=True)
        with nullcontext() if fits else pytest.raises(OSError, match="too long"):
            listener.bind(str(folder / "pymp-12345678/listener-12345678"))

"""Files are written whole or not at all, and only files are read."""

import os
import socket
import subprocess
import sys
import time

import pytest

from zoo.errors import ZooError
from zoo.files import is_abandoned, is_regular, read_regular, temporary_folder, write_atomically


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "file.json"
    write_atomically(path, b"before")

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ZooError, match="cannot be written: disk full"):
        write_atomically(path, b"after")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file.json", b"before")]


def test_content_is_flushed_to_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))[1])
    write_atomically(tmp_path / "file", b"content")
    assert calls == ["fsync", "replace"]


def test_a_file_is_read_up_to_a_limit_and_nothing_else_is(tmp_path):
    file, link, pipe, folder = (tmp_path / name for name in ("file", "link", "pipe", "folder"))
    file.write_bytes(b"1234")
    link.symlink_to(file)
    os.mkfifo(pipe)
    folder.mkdir()
    assert read_regular(file, 4) == b"1234"
    with pytest.raises(ZooError, match="it has 4 bytes, more than 3"):
        read_regular(file, 3)
    for path in (link, pipe, folder, tmp_path / "absent"):
        assert not is_regular(path)
        with pytest.raises(ZooError, match="cannot be read: "):
            read_regular(path)


@pytest.fixture
def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_temporary_files_of_processes_that_are_gone_are_known_and_no_others(tmp_path, gone):
    def temporary(host, pid, age=0.0):
        path = tmp_path / f".{host}-{pid}-{len(list(tmp_path.iterdir()))}.tmp"
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
        return path

    here = socket.gethostname()
    assert is_abandoned(temporary(here, gone))
    assert is_abandoned(temporary("elsewhere", gone, age=25 * 3600.0))
    assert is_abandoned(temporary(here, os.getpid(), age=3600.0 * 23 * 1000))
    assert not is_abandoned(temporary(here, os.getpid()))
    assert not is_abandoned(temporary("elsewhere", gone))
    assert not is_abandoned(temporary_folder(tmp_path / "new"))
    assert not is_abandoned(tmp_path / f".{here}-{gone}-absent.tmp")
    for name in (".notes.tmp", f"{here}-{gone}-x.tmp", "seed=0.json"):
        (tmp_path / name).write_bytes(b"mine")
        assert not is_abandoned(tmp_path / name)


def test_the_number_of_a_process_that_was_given_anew_does_not_keep_a_file(tmp_path):
    path = tmp_path / f".{socket.gethostname()}-{os.getpid()}-a1.tmp"
    path.write_bytes(b"half")
    os.utime(path, (time.time() - 20 * 3600.0,) * 2)  # before this process was started
    assert is_abandoned(path)


def test_a_write_that_is_killed_leaves_a_file_that_is_known_as_abandoned(tmp_path):
    code = (
        "import os, signal; from pathlib import Path; from zoo.files import write_atomically\n"
        "os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"write_atomically(Path({str(tmp_path / 'file')!r}), b'content')"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    [left] = tmp_path.iterdir()
    assert is_abandoned(left)


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    """As a device does: `zoo report --out /dev/null` must not put a file in its place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"content")
    assert os.read(reader, 100) == b"content"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_folder_is_not_written_to(tmp_path):
    with pytest.raises(ZooError, match="cannot be written: Is a directory"):
        write_atomically(tmp_path, b"content")

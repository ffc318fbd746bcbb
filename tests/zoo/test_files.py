"""Files are written whole or not at all."""

import os

import pytest

from zoo.errors import ZooError
from zoo.files import write_atomically


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

"""Files are written whole or not at all, and only files are read."""

import os

import pytest

from zoo.errors import ZooError
from zoo.files import is_regular, read_regular, write_atomically


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

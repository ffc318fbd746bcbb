import os

import pytest

from zoo.errors import ZooError
from zoo_bench.core.files import write_atomically


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "file.json"
    write_atomically(path, b"before")

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ZooError, match="cannot be written: disk full"):
        write_atomically(path, b"after")
    assert contents(tmp_path) == {"file.json": b"before"}


def test_content_is_flushed_to_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))[1])
    write_atomically(tmp_path / "file", b"content")
    assert calls == ["fsync", "replace"]

"""Tensors on disk: read if whole, computed again if not."""

import os

import pytest
import torch

from zoo import cache
from zoo.cache import cached


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    return tmp_path / "tensors"


@pytest.fixture
def ask():
    """Ask for a tensor by key; ``ask.computed`` lists the keys that were computed."""

    def get(key):
        return cached(key, lambda: get.computed.append(key) or {"x": torch.arange(5.0)})["x"].tolist()

    get.computed = []
    return get


def test_a_key_is_computed_once(ask):
    for key in ("a", "b", "a", "b"):
        assert ask(key) == [0, 1, 2, 3, 4]
    assert ask.computed == ["a", "b"]


@pytest.mark.parametrize(
    "harm", [lambda c: b"", lambda c: c[:-1], lambda c: c[:-1] + b"\x00", lambda c: b"\x00" + c[1:]]
)
def test_a_damaged_file_is_computed_again(ask, folder, harm):
    ask("a")
    (path,) = folder.iterdir()
    path.write_bytes(harm(path.read_bytes()[:-1] + b"\x40"))
    assert ask("a") == [0, 1, 2, 3, 4]
    assert ask("a") == [0, 1, 2, 3, 4]
    assert ask.computed == ["a", "a"]


def test_the_file_unused_for_longest_goes(ask, folder, monkeypatch):
    monkeypatch.setattr(cache, "MAX_CACHED_FILES", 2)
    for age, key in enumerate("ab"):
        ask(key)
        for path in folder.iterdir():
            os.utime(path, (100 + age, 100 + age)) if path.stat().st_mtime > 1000 else None
    ask("a")
    ask("c")
    assert len(list(folder.iterdir())) == 2
    ask("a")
    assert ask.computed == ["a", "b", "c"]


def test_a_cache_that_cannot_be_written_is_no_error(ask, folder):
    folder.write_text("a file where the folder should be")
    assert ask("a") == [0, 1, 2, 3, 4]

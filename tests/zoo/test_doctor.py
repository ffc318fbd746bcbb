"""``zoo doctor`` says where data and caches are."""

import os

import pytest

from zoo.cli import main
from zoo.doctor import examine

pytestmark = pytest.mark.usefixtures("cache")


def finding(subject):
    return next(f for f in examine() if f.subject == subject)


def test_it_says_where_data_are_and_how_many_tasks_are_ready(root):
    (root / "train_32x32.mat").write_bytes(b"0" * 2_000_000)
    found = finding("data root")
    assert found.ok
    assert found.text.startswith(f"'{root}' (ZOO_DATA), writable, 2 MB of data sets; ")


def test_it_says_where_the_cache_is_and_how_large(cache, pictures, capsys):
    assert f"'{cache}' (ZOO_CACHE), writable, made when it is needed, 0 MB of prepared images" in finding("cache").text
    assert main(["task", f"folder:{pictures}?size=64"]) == 0
    assert f"'{cache}' (ZOO_CACHE), writable, 1 MB of prepared images, " in finding("cache").text


def test_unset_folders_are_named_all_the_same(monkeypatch):
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.delenv("ZOO_CACHE", raising=False)
    assert "genzoo' (ZOO_DATA is not set)" in finding("data root").text
    assert "genzoo' (ZOO_CACHE is not set)" in finding("cache").text


def test_a_cache_that_cannot_be_written_is_a_fault_and_read_only_data_are_none(root, cache, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert finding("data root").ok
    assert "read-only" in finding("data root").text
    assert not finding("cache").ok
    assert finding("cache").text.endswith("set ZOO_CACHE to a folder that can be written")


def test_a_file_in_the_place_of_the_cache_is_a_fault(cache):
    cache.touch()
    assert not finding("cache").ok
    assert "not a folder" in finding("cache").text

"""``zoo doctor`` says where data and caches are."""

import os
import tempfile

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


def test_it_says_what_may_be_used_of_the_machine(monkeypatch):
    monkeypatch.setattr("zoo.doctor.cores", lambda: 2)
    monkeypatch.setattr("zoo.doctor.cpu_quota", lambda: 2.5)
    monkeypatch.setattr("zoo.doctor.memory", lambda: 3 * 2**29)
    monkeypatch.setattr("zoo.doctor.open_files", lambda: 1024)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    found = finding("machine")
    assert found.ok
    assert found.text == "2 of 64 CPU cores (a quota of 2.5 CPUs), 1.5 GiB of memory, 1024 open files"


def test_too_few_open_files_for_a_run_on_every_core_are_a_fault(monkeypatch):
    monkeypatch.setattr("zoo.doctor.cores", lambda: 64)
    monkeypatch.setattr("zoo.doctor.open_files", lambda: 64)
    assert not finding("machine").ok
    assert finding("machine").text.endswith("64 open files: raise that with `ulimit -n`")


def test_it_says_which_gpus_the_user_left_visible(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert finding("torch").text.endswith(" with no GPU, of CUDA_VISIBLE_DEVICES=''")


def test_a_temporary_folder_whose_path_is_too_long_for_sockets_is_named(tmp_path, monkeypatch):
    folder = tmp_path / ("x" * 80)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert finding("temporary folder").ok
    assert finding("temporary folder").text.endswith("its path is too long for sockets, which are in '/tmp'")


def test_no_temporary_folder_is_a_fault(monkeypatch):
    def fail():
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", fail)
    assert not finding("temporary folder").ok
    assert finding("temporary folder").text.startswith("No usable temporary directory found in ['/tmp']: set TMPDIR")


def test_it_says_where_results_are_put(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert finding("working folder").text == f"'{tmp_path}', writable"


@pytest.mark.parametrize(("home", "text"), [("/root/of/none", "'/root/of/none', "), ("~", "none: HOME is not set")])
def test_it_says_where_home_is(monkeypatch, home, text):
    monkeypatch.setattr(os.path, "expanduser", lambda path: home)
    assert finding("home").text.startswith(text)

"""Where data and caches are."""

import os
import tempfile

import pytest

from zoo.data import cache_root, data_root


@pytest.fixture
def homeless(monkeypatch):
    """Be a user without a home: no HOME, and no entry in the password database."""
    pwd = pytest.importorskip("pwd")

    def unknown(user):
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for variable in ("HOME", "ZOO_DATA", "ZOO_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)


def test_a_user_without_a_home_has_a_temporary_folder_of_their_own(homeless):
    assert str(cache_root()) == str(data_root()) == f"{tempfile.gettempdir()}/genzoo-{os.getuid()}"


def test_folders_that_are_named_need_no_home(homeless, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "genzoo"
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    assert cache_root() == tmp_path / "cache"

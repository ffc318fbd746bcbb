"""Where data are on this machine. Imports nothing heavy, so that listings stay fast."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def data_root() -> Path:
    """Return the folder that holds data sets: ``$ZOO_DATA``, or the platform's cache folder for genzoo."""
    return Path(os.environ.get("ZOO_DATA") or _platform_folder())


def cache_root() -> Path:
    """Return the folder for files that can be recreated: ``$ZOO_CACHE``, or the platform's cache folder for genzoo."""
    return Path(os.environ.get("ZOO_CACHE") or _platform_folder())


def prepared_root() -> Path:
    """Return the folder for prepared images, in the cache."""
    return cache_root() / "folders"


def _platform_folder() -> str:
    """Return the platform's cache folder for genzoo; a temporary one for a user without a home, as in containers."""
    if os.path.expanduser("~") == "~" and not os.path.isabs(os.environ.get("XDG_CACHE_HOME", "")):
        import tempfile

        return os.path.join(tempfile.gettempdir(), f"genzoo-{os.getuid()}")
    import platformdirs

    return platformdirs.user_cache_dir("genzoo")


def absent(files: Iterable[str], instead: Iterable[str] = ()) -> list[str]:
    """Return those of ``files`` that are not under the data root, or none if all of ``instead`` are."""
    root, instead = data_root(), list(instead)
    if instead and all((root / name).exists() for name in instead):
        return []
    return [name for name in files if not (root / name).exists()]

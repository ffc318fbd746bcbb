"""Where data are on this machine. Imports nothing heavy, so that a listing may ask."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_root() -> Path:
    """Return the folder that holds data sets: ``$ZOO_DATA``, or the platform's cache folder for genzoo."""
    return Path(os.environ.get("ZOO_DATA") or platformdirs.user_cache_dir("genzoo"))


def cache_root() -> Path:
    """Return the folder for what can be made again: ``$ZOO_CACHE``, or the platform's cache folder for genzoo."""
    return Path(os.environ.get("ZOO_CACHE") or platformdirs.user_cache_dir("genzoo"))

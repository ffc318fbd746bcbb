"""What the names of a folder's pictures say: published splits, classes, and which pictures belong together."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from zoo.errors import DataError, ZooError

SPLITS_BY_NAME = {
    "train": 0, "training": 0, "validation": 1, "valid": 1, "val": 1, "dev": 1, "test": 2, "testing": 2,
}  # fmt: skip
SHARES = (0.7, 0.1, 0.2)
"""Shares of training, validation and test that groups are dealt out to."""


def splits_and_classes(title: str, names: Sequence[str]) -> tuple[list[int | None] | None, list[str]]:
    """Return the published split and the class of each picture, as the folders say that it is in.

    A folder around all pictures says nothing. If the first folders are called ``train`` and ``test``, perhaps with
    ``val``, they are the splits, and the folders within them the classes; else the first folders are the classes.

    Args:
        title: The folder of the pictures, in messages.
        names: Path of each picture, relative to that folder.

    Returns:
        0, 1, 2 for training, validation, test, and None where the hash of the pixels decides between training and
        validation; or None without published splits. Then the classes, "" for a picture without.

    Raises:
        DataError: If there are folders of several splits that cannot be kept.
    """
    folders = _within([PurePath(name).parts[:-1] for name in names])
    tops = {folder[:1] for folder in folders}
    splits = {top: SPLITS_BY_NAME.get("".join(top).lower()) for top in tops}
    found = set(splits.values()) - {None}
    if len(found) < 2:
        return None, ["".join(folder[:1]) for folder in folders]
    listed = ", ".join(sorted("".join(top) or "pictures outside of folders" for top in tops))
    if None in splits.values() or not {0, 2} <= found:
        raise DataError(
            f"{title} has {listed}: to keep its splits, it needs train and test, with or without val, and no pictures "
            "beside them; or name one of the folders"
        )
    published = [splits[folder[:1]] for folder in folders]
    parts = published if 1 in found else [split or None for split in published]
    return parts, ["".join(folder[:1]) for folder in _within([folder[1:] for folder in folders])]


def groups_of(title: str, names: Sequence[str], pattern: str) -> list[str]:
    """Return the group of each picture, whose pictures stay in one split.

    Args:
        title: The folder of the pictures, in messages.
        names: Path of each picture, relative to that folder.
        pattern: "folder" for the folder that a picture is in, or a regular expression that is searched for in its path:
            the group is what its first parentheses match, or else the whole match.

    Raises:
        ZooError: If the pattern is none, or a path does not match.
    """
    if pattern == "folder":
        return [os.path.dirname(name) for name in names]
    try:
        matches = [re.search(pattern, PurePath(name).as_posix()) for name in names]
    except re.error as error:
        raise ZooError(f"group={pattern} is neither 'folder' nor a regular expression: {error}") from error
    for name, match in zip(names, matches, strict=True):
        if match is None:
            raise ZooError(f"group={pattern} matches nothing in {name!r} of {title}")
    return [match[1 if match.re.groups else 0] or "" for match in matches if match]


def split_groups(sizes: Mapping[str, int]) -> dict[str, int]:
    """Deal groups out to splits: the largest first, each to the split that has least of its share.

    Args:
        sizes: Number of pictures of each group. Groups of one size are ordered by the hash of their names.

    Returns:
        Split of each group: 0, 1, 2 for training, validation, test. With three groups or more no split is empty.
    """
    filled, split_of = [0, 0, 0], {}
    for group in sorted(sizes, key=lambda name: (-sizes[name], hashlib.sha256(os.fsencode(name)).digest())):
        split = min((0, 2, 1), key=lambda part: filled[part] / SHARES[part])
        filled[split] += sizes[group]
        split_of[group] = split
    return split_of


def _within(folders: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the folders of pictures without those that they all share."""
    shared = sum(1 for _ in itertools.takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False)))
    return [folder[shared:] for folder in folders]

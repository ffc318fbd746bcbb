"""``zoo new-plugin``: the package in ``zoo/template``, which is a working plugin itself, under another name."""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from zoo.errors import ZooError
from zoo.registry import installed

PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SKIPPED_FILES = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache")


def write_plugin(name: str, parent: Path) -> Path:
    """Write the package ``zoo-plugin-NAME`` into a folder of that name, wholly or not at all, and return the folder.

    Args:
        name: Lower-case words with hyphens; it becomes the model's name.
        parent: Where the folder is made.

    Raises:
        ZooError: If the name is unusable or taken, or the folder exists or cannot be written.
    """
    if not PLUGIN_NAME.fullmatch(name) or keyword.iskeyword(_class(name)):
        raise ZooError(f"name {name!r} must be lower-case words of letters and digits with hyphens, such as 'my-model'")
    for entry in installed().models:
        if entry.spec.name == name:
            raise ZooError(f"model {name!r} exists already, from {entry.plugin}: choose another name")
    folder = parent / f"zoo-plugin-{name}"
    if folder.exists():
        raise ZooError(f"{str(folder)!r} exists already: choose another name or --out")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".zoo-plugin-", dir=parent) as temporary:
            draft = Path(temporary) / folder.name
            with as_file(files("zoo") / "template") as template:
                shutil.copytree(template, draft, ignore=SKIPPED_FILES)
            _rename(draft, name)
            draft.rename(folder)
    except OSError as error:
        raise ZooError(f"{str(folder)!r} cannot be written: {error.strerror}") from error
    return folder


def _rename(draft: Path, name: str) -> None:
    """Replace the template's name by the new one, in its three spellings, in contents and paths."""
    spellings = {
        "my-model": name,
        "my_model": name.replace("-", "_"),
        "MyModel": _class(name),
    }
    for path in sorted(draft.rglob("*"), reverse=True):
        if path.is_file():
            path.write_text(_replaced(path.read_text("utf-8"), spellings), "utf-8")
        path.rename(path.with_name(_replaced(path.name, spellings)))


def _class(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def _replaced(text: str, spellings: dict[str, str]) -> str:
    for old, new in spellings.items():
        text = text.replace(old, new)
    return text

"""``zoo data``. Imports nothing heavy until a command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zoo.completion import names as completes
from zoo.errors import DataError
from zoo.registry import installed

if TYPE_CHECKING:
    from zoo.task import Task


def data(
    name: Annotated[str, typer.Argument(help="A task; see `zoo tasks`.", autocompletion=completes("tasks"))],
) -> None:
    """Fetch the files of a task if they are absent, and verify them: checksums, sizes, labels."""
    from zoo_bench.data.loading import load_task
    from zoo_bench.data.sources import SOURCES

    entry = installed().tasks.get(name)
    loaded = load_task(entry)
    source = SOURCES.get(name.partition("?")[0])
    if source is None:
        print(f"{entry.spec.name}: loads, {_counts(loaded)}")
        return
    if damaged := source.damaged():
        raise DataError(f"{source.title} in {str(source.path)!r} is damaged: {'; '.join(damaged)}")
    checkable = [file for file, md5 in source.checksums.items() if md5]
    verified = sum((source.path / file).is_file() for file in checkable)
    checks = f"{verified} of {len(source.checksums)} files have the right MD5" if checkable else "no MD5 is published"
    print(f"{name}: {checks}, {_counts(loaded)}, in {str(source.path)!r}")


def _counts(loaded: Task) -> str:
    return f"{len(loaded.train):,} training, {len(loaded.validation):,} validation and {len(loaded.test):,} test items"

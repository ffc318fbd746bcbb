"""What shells complete, with Typer's scripts: commands, options, and names of models, tasks and metrics."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import chain

from zoo.registry import installed


def typed() -> list[str] | None:
    """Return the words after ``zoo`` in the line that a shell wants completed, or None if no shell asks."""
    if "_ZOO_COMPLETE" not in os.environ:
        return None
    return (os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")).split()[1:]


def names(*kinds: str) -> Callable[[str], list[str]]:
    """Return what completes a name, or the last of several with commas.

    Args:
        kinds: Where names are from: "models", "tasks", "metrics".
    """

    def complete(incomplete: str) -> list[str]:
        before, comma, _ = incomplete.rpartition(",")
        entries = chain.from_iterable(getattr(installed(), kind) for kind in kinds)
        full = (f"{before}{comma}{entry.spec.name}" for entry in entries)
        return [name for name in full if name.startswith(incomplete)]

    return complete

"""What shells complete: names of models, tasks and metrics."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from zoo.registry import installed


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

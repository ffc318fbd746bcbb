"""Signs of life: by them whoever waits for a process tells one that takes long from one that hangs."""

from __future__ import annotations

from collections.abc import Callable

listeners: list[Callable[[str], None]] = []
"""Who is told; nobody in a process that none waits for."""


def alive(step: str = "") -> None:
    """Say that this process is at work; a metric that takes longer than ``--timeout`` calls it within its loop.

    A run that gives no sign for that long is ended as hung, and its error names the last step that began.

    Args:
        step: The step that begins, such as "metric 'fid'"; empty: the one that began last goes on.
    """
    for listener in listeners:
        listener(step)

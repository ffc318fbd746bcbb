"""Training seeds as commands name them: how many, or which."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import count, groupby

from zoo.errors import ZooError

MAX_SEEDS = 10_000
"""Seeds of one bench at most; more are a typing error."""

_COUNT = re.compile(r"-?\d{1,18}", re.ASCII)
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


def parse_seeds(seeds: int | str | Collection[int]) -> tuple[int, ...]:
    """Read a count, 3 or "3" for 0, 1 and 2, or seeds with ranges: [0, 3, 7], "0,3,7", "5-9" (both ends included).

    One number alone is always a count; the single seed 7 is "7-7" or [7].

    Returns:
        The seeds, sorted, each of them once.

    Raises:
        ZooError: If they are none, too many, negative, or written in another way.
    """
    if isinstance(seeds, Collection) and not isinstance(seeds, str):
        text = ",".join(f"{seed}-{seed}" for seed in seeds)
    else:
        text = str(seeds).strip()
    if _COUNT.fullmatch(text):
        if int(text) < 1:
            raise ZooError(f"--seeds must be at least 1, got {text}")
        ranges = [range(int(text))]
    else:
        ranges = list(_ranges(text, seeds))
    if (number := sum(map(len, ranges))) > MAX_SEEDS:
        raise ZooError(f"--seeds asks for {number:,} seeds, and a bench takes {MAX_SEEDS:,} at most")
    return tuple(sorted({seed for part in ranges for seed in part}))


def _ranges(text: str, seeds: object) -> Iterator[range]:
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if not found:
            raise ZooError(f"--seeds {seeds!r} is not understood: write a count, as 3, or seeds and ranges, as 0,3,5-9")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise ZooError(f"--seeds {seeds!r}: the range {part.strip()} ends before it starts")
        yield range(first, last + 1)


def format_seeds(seeds: Iterable[int]) -> str:
    """Return the text that :func:`parse_seeds` reads as these seeds: "3" for 0 to 2, else as "0,3,5-9" or "7-7"."""
    ordered = sorted(set(seeds))
    if ordered == list(range(len(ordered))):
        return str(len(ordered))
    place = count()  # within a range, the difference between seed and place stays the same
    ranges = [list(part) for _, part in groupby(ordered, lambda seed: seed - next(place))]
    if len(ordered) == 1:
        return f"{ordered[0]}-{ordered[0]}"
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in ranges)

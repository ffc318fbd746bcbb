"""Training seeds as commands name them: how many, which, or as many as it takes."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import count, groupby
from typing import Final

from zoo.errors import ZooError

MAX_SEEDS = 10_000
"""Seeds of one bench at most; more are a typing error."""

AUTO: Final = "auto"
"""Instead of seeds: further ones are added where models are not separable."""

AUTO_LIMIT = 20
"""Seeds of each model at most, unless the limit is given: "auto:30"."""

FIRST_LOOK = 4
"""Seeds that every model has before anything is decided."""

EARLY_LOOKS, EARLY_SHARE = 6, 0.15
"""The first looks, and the share of the error that each has."""

_COUNT = re.compile(r"-?\d{1,18}", re.ASCII)
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


def looks(limit: int = MAX_SEEDS) -> list[tuple[int, float]]:
    """Return when ``--seeds auto`` looks at results: after 4, 6, 8, 11, 15, 20, 27, ... seeds, a third more each time.

    Every look has a share of the error that is allowed, fixed beforehand: the first six 15 % each, every further one
    half of what is left. The shares sum to at most 1 however many looks are made, so that a limit may be raised later.

    Args:
        limit: Seeds of each model at most.

    Returns:
        By look, the number of seeds of each model, from 0 on, and its share, 0 to 1.
    """
    numbers, shares = [FIRST_LOOK], [EARLY_SHARE]
    while (n := -(-4 * numbers[-1] // 3)) <= limit:
        numbers.append(n)
        shares.append(EARLY_SHARE if len(shares) < EARLY_LOOKS else (1 - math.fsum(shares)) / 2)
    return list(zip(numbers, shares, strict=True))


def parse_limit(seeds: int | str | Collection[int]) -> int | None:
    """Return how many seeds "auto" or "auto:30" allows for each model at most; None if the seeds are fixed.

    Raises:
        ZooError: If the limit cannot be read, or allows no look.
    """
    name, colon, text = str(seeds).strip().partition(":")
    if name != AUTO:
        return None
    if not colon:
        return AUTO_LIMIT
    if not _COUNT.fullmatch(text):
        raise ZooError(f"--seeds {seeds!r} is not understood: write auto, or with a limit auto:{AUTO_LIMIT}")
    if not FIRST_LOOK <= int(text) <= MAX_SEEDS:
        raise ZooError(f"--seeds {seeds!r}: the limit must be from {FIRST_LOOK} to {MAX_SEEDS:,} seeds")
    return int(text)


def parse_seeds(seeds: int | str | Collection[int]) -> tuple[int, ...]:
    """Read a count, 3 or "3" for 0, 1 and 2, or seeds with ranges: [0, 3, 7], "0,3,7", "5-9" (both ends included).

    One number alone is always a count; the single seed 7 is "7-7" or [7]. "auto" stands for the seeds that it begins
    with.

    Returns:
        The seeds, sorted, each of them once.

    Raises:
        ZooError: If they are none, too many, negative, or written in another way.
    """
    if parse_limit(seeds):
        return tuple(range(FIRST_LOOK))
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
            forms = "a count, as 3, or seeds and ranges, as 0,3,5-9, or auto"
            raise ZooError(f"--seeds {seeds!r} is not understood: write {forms}")
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


def canonical(seeds: int | str | Collection[int]) -> str:
    """Return the shortest text that means the same as seeds in any form that :func:`parse_seeds` reads."""
    limit = parse_limit(seeds)
    if limit is None:
        return format_seeds(parse_seeds(seeds))
    return AUTO if limit == AUTO_LIMIT else f"{AUTO}:{limit}"

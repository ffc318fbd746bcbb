"""Say whether two arithmetics train to the same FID: ``python bench/reference/parity.py results/fp32 results/bf16``.

Per task and model it prints the ratio of the geometric means over seeds, that of the second bench's folder over the
first's, its 90 % interval (Welch's, on logarithms), and what follows. "Same" is what two one-sided tests of equivalence
at 5 % show (Schuirmann 1987).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import ZooError
from zoo_bench.report.read.results import load
from zoo_bench.report.read.statistics import Estimate, welch

MARGIN = 0.1
"""Largest change of a mean FID that counts as none."""


def verdict(ratio: Estimate) -> str:
    """Return what the interval of a ratio shows."""
    low, high = 1 - MARGIN, 1 + MARGIN
    if low <= ratio.low and ratio.high <= high:
        return f"same within {MARGIN:.0%}"
    return "differs" if ratio.high < low or high < ratio.low else "undecided"


def ratios(first: Path, second: Path) -> Iterator[tuple[str, Estimate]]:
    """Yield "model on task" and the ratio of its mean FIDs, of runs that ended well.

    Raises:
        ZooError: If a folder has no such runs, or one of two precisions, or the folders have no model in common.
    """
    sides = [_fids(folder) for folder in (first, second)]
    names = [name for name in sides[0] if name in sides[1]]
    if not names:
        raise ZooError(f"{first} and {second} have no model with an FID in common")
    for name in names:
        yield name, welch(sides[0][name], sides[1][name], log=True, level=0.9).estimate


def _fids(folder: Path) -> dict[str, list[float]]:
    frame = load([folder]).frame
    frame = frame[(frame["status"] == "ok") & frame["fid"].notna()]
    modes = sorted(frame["precision_mode"].unique())
    if len(modes) != 1:
        raise ZooError(f"{folder} must have finished runs of one precision, and has {', '.join(modes) or 'none'}")
    return {f"{model} on {task}": list(runs["fid"]) for (task, model), runs in frame.groupby(["task", "model"])}


def main() -> None:
    """Print one line per model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    arguments = parser.parse_args()
    for name, ratio in ratios(arguments.first, arguments.second):
        print(f"{name}: {ratio.mean:.3f} ({ratio.low:.3f} to {ratio.high:.3f}, {ratio.n} seeds), {verdict(ratio)}")


if __name__ == "__main__":
    main()

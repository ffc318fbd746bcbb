"""Print the pairs of a pytest-benchmark file as a Markdown table: items per second, and ours against the other loop.

    python bench/speed/ratios.py speed.json

A ratio of 2 means that ours takes half of the time for an item: an image, a run, a start. It is the median of the
ratios of single pairs; in brackets is its 95 % interval, which supposes no distribution, only independent pairs. Fewer
than 6 pairs have none. Measurements without a pair are passed over.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from scipy.stats import quantile_test


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Return the median of the ratios theirs / ours with its interval: two order statistics of them, or twice nan.

    Conover 1999, "Practical Nonparametric Statistics", section 3.2.
    """
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    low, high = quantile_test(ratios, p=0.5).confidence_interval(0.95)
    return median(ratios), float(low), float(high)


def table(content: dict[str, Any]) -> str:
    """Return the table of a file's content."""
    machine = content["machine_info"]
    lines = [f"Python {machine['python_version']} on {machine['cpu']['brand_raw']}, {content['datetime'][:10]}.", ""]
    lines += ["| what | against | ours/s | it/s | ours / it, CPU time | wall time |", "|---|---|--:|--:|--:|--:|"]
    for entry in content["benchmarks"]:
        pair = entry["extra_info"]
        if "against" not in pair:
            continue
        speeds = [f"{pair['items'] / median(pair[side]['wall']):.4g}" for side in ("ours", "theirs")]
        ratios = [as_text(*ratio(pair["ours"][clock], pair["theirs"][clock])) for clock in ("cpu", "wall")]
        lines.append(f"| {' | '.join([entry['group'], pair['against'], *speeds, *ratios])} |")
    return "\n".join(lines)


def as_text(middle: float, low: float, high: float) -> str:
    return f"{middle:.2f}" if low != low else f"{middle:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python bench/speed/ratios.py FILE-FROM---benchmark-json")
    print(table(json.loads(Path(sys.argv[1]).read_text())))

"""Print the ratios of a pytest-benchmark file as a Markdown table: within each group, ours against every other loop.

python bench/speed/ratios.py speed.json
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any


def table(content: dict[str, Any]) -> str:
    """Return the table; a ratio of 2 means that ours takes half of the time for an item: an image, a run, a start."""
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for entry in content["benchmarks"]:
        extra = entry["extra_info"]
        groups[entry["group"]][extra["loop"]] = extra["items"] / entry["stats"]["median"]
    machine = content["machine_info"]
    lines = [f"Python {machine['python_version']} on {machine['cpu']['brand_raw']}, {content['datetime'][:10]}.", ""]
    lines += ["| what | how | items/s | ours / it |", "|---|---|--:|--:|"]
    for group, speeds in groups.items():
        for loop, speed in speeds.items():
            ratio = f"{speeds['ours'] / speed:.2f}" if loop != "ours" and "ours" in speeds else ""
            lines.append(f"| {group} | {loop} | {speed:.4g} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python bench/speed/ratios.py FILE-FROM---benchmark-json")
    print(table(json.loads(Path(sys.argv[1]).read_text())))

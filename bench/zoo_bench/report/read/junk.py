"""Models most of whose samples are odd to the judge, so that what is counted of their classes says little."""

from __future__ import annotations

from collections.abc import Sequence

from zoo_bench.report.read.claims import Model
from zoo_bench.report.text import listed

MAX_SHARE = 0.5
"""Share of odd samples (``junk``) from which a reader is told."""


def mostly_junk(models: Sequence[Model]) -> str:
    """Say of which models' samples more than half are ``junk``, which 1 % of real items are; "" if there are none."""
    means = {m.label: m.estimates["junk"].mean for m in models if "junk" in m.estimates and m.estimates["junk"].n}
    found = [f"{100 * share:.0f} % of {label}'s" for label, share in means.items() if share > MAX_SHARE]
    if not found:
        return ""
    return (
        f"Junk, as odd to the judge as the oddest 1 % of real items, are {listed(found)} samples: what is counted of "
        "their modes says little."
    )

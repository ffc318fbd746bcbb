"""Models most of whose samples are of no class, so that what is counted of their classes are guesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zoo_bench.report.read.claims import Model
from zoo_bench.report.text import listed

MAX_SHARE = 0.5
"""Share of samples of no class from which a reader is told."""

REAL_SHARE = 0.01
"""What real items score by definition, where no control says it."""


def of_no_class(models: Sequence[Model], real: Mapping[str, float]) -> str:
    """Say of which models' samples more than half are of no class (``junk``); "" if there are none.

    Args:
        models: The models of a group.
        real: The control of real data, by column; empty if there is none.
    """
    means = {m.label: m.estimates["junk"].mean for m in models if "junk" in m.estimates and m.estimates["junk"].n}
    found = [f"{100 * share:.0f} % of {label}'s" for label, share in means.items() if share > MAX_SHARE]
    if not found:
        return ""
    share_real = 100 * real.get("junk", REAL_SHARE)
    return f"{listed(found)} samples are of no class (real data: {share_real:.0f} %), so that their modes are guesses."

"""Whether a model returns its training items, by the columns that its runs have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MARGIN = 0.1
"""Share of copies beyond that of held-out data from which a model is said to return training items."""

ERRORS = 3.0
"""Standard errors by which it must be beyond that margin too."""

HELD_OUT_AUTHENTIC = 0.38
"""What held-out points of a plane score, where no control says it."""

AUTHENTIC_FACTOR = 0.5
"""Factor on what held-out points score below which a model is said to return training points."""

MIN_SPREAD = 0.5
"""Spread of modes from which ``authentic`` counts: what has collapsed to a few points scores anything."""

NO_VALUES: Mapping[str, float] = MappingProxyType({})


def memorising(runs: pd.DataFrame, real: Mapping[str, float] = NO_VALUES) -> str:
    """Say that a model's samples are training items.

    Images: the mean of ``copies`` is above that of held-out data by more than a tenth and three standard errors
    (``copies_se``), which are those of binomial shares and large where there are few items. Points of a mixture: the
    mean of ``authentic`` is below half of what held-out data score, unless modes have shrunk to less than half of their
    width. Figures that are missing speak against nobody.

    Args:
        runs: Finished runs of one model on one task, or a single one, as in ``results.csv``.
        real: The control of real data, by column; empty if there is none.

    Returns:
        A clause that follows "In 3 runs of NAME, ", or "".
    """
    copies, copies_real, error = (_mean(runs, name) for name in ("copies", "copies_real", "copies_se"))
    copies_real = max(copies_real, real.get("copies", copies_real))
    if copies - copies_real > MARGIN + ERRORS * error:
        return _clause(copies, "training items up to noise, a shift or a mirror image", copies_real)
    authentic, authentic_real = _mean(runs, "authentic"), real.get("authentic", HELD_OUT_AUTHENTIC)
    if authentic < AUTHENTIC_FACTOR * authentic_real and _mean(runs, "mode_spread") >= MIN_SPREAD:
        return _clause(1 - authentic, "nearer to a training item than that is to any other", 1 - authentic_real)
    return ""


def _clause(share: float, what: str, share_real: float) -> str:
    return f"{100 * share:.0f} % of its samples are {what} (held-out data: {100 * share_real:.0f} %)"


def _mean(runs: pd.DataFrame, column: str) -> float:
    """Return the mean of a column's finite values, NaN if there are none."""
    values = [float(value) for value in runs[column].dropna() if math.isfinite(value)] if column in runs else []
    return sum(values) / len(values) if values else math.nan

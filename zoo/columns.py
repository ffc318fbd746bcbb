"""Columns of results: each describes itself, once, for tables, plots, intervals and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import Literal

Better = Literal["lower", "higher", ""]
Scale = Literal["linear", "log", "share"]

MAX_COLUMNS = 100
"""Columns that one metric, or the diagnostics of one model, may fill."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ARROWS: dict[str, str] = {"lower": "↓", "higher": "↑"}


def is_column_name(text: str) -> bool:
    """Return whether text is lower-case letters, digits and ``_``, a letter first."""
    return bool(_NAME.fullmatch(text))


@dataclass(frozen=True)
class Column:
    """One column of ``results.csv``.

    Attributes:
        name: Its name there: lower-case letters, digits and ``_``.
        better: "lower", "higher", or "" where neither is better.
        description: Definition, range and unit in one line.
        title: Heading in tables; by default the name with spaces.
        scale: "log" where the spread grows with the size: means are geometric and differences are ratios. "share": 0 to
            1, shown in percent where it is a headline. Else "linear".
        range: Lowest and highest possible value, None where there is none; intervals end there.
        infinite: Whether infinity is one of its values; of other columns it is a fault.
        integer: Whether its values are whole numbers.
        total: Column that holds the highest possible value, so that 9 is shown as "9/10"; "" if there is none.
        floor: Column that holds what real data score at the sample sizes of the run; "" if there is none. One of the
            same name with ``_sd`` holds the standard deviation of that score, where it is known.
        headline: Whether it is shown in the terminal's table, and in Markdown and LaTeX where no columns are named.
        group: What it describes: "overall" for fidelity and diversity together, "fidelity", "diversity", "modes",
            "memorisation", "utility", "published" for values by the protocol of papers, which lead no table,
            "curve" for quality along the budget, "speed" for what depends on the machine,
            "size" for what no seed changes; "run" for what identifies a run; "companion" for what accompanies
            another column, such as its standard error; "" for anything else.
        cost: Whether it measures what a run costs rather than how good its result is.

    Raises:
        ValueError: If the name, the direction, the scale or the range is not as described.
    """

    name: str
    better: Better
    description: str
    title: str = ""
    scale: Scale = "linear"
    range: tuple[float | None, float | None] = (None, None)
    integer: bool = False
    infinite: bool = False
    total: str = ""
    floor: str = ""
    headline: bool = False
    group: str = ""
    cost: bool = False

    def __post_init__(self) -> None:
        if not is_column_name(self.name):
            raise ValueError(f"column {self.name!r} must be lower-case letters, digits and '_', a letter first")
        if self.better not in ("lower", "higher", ""):
            raise ValueError(f"column {self.name!r}: better must be 'lower', 'higher' or '', got {self.better!r}")
        if self.scale not in ("linear", "log", "share"):
            raise ValueError(f"column {self.name!r}: scale must be 'linear', 'log' or 'share', got {self.scale!r}")
        if self.scale == "share" and self.range == (None, None):
            object.__setattr__(self, "range", (0.0, 1.0))
        low, high = self.limits
        if not low < high:
            raise ValueError(f"column {self.name!r}: range must ascend, got {self.range}")

    @property
    def heading(self) -> str:
        """Its title, or else its name with spaces."""
        return self.title or self.name.replace("_", " ")

    @property
    def limits(self) -> tuple[float, float]:
        """Its range, infinite where there is no limit."""
        low, high = self.range
        return -inf if low is None else low, inf if high is None else high

    @property
    def log(self) -> bool:
        """Whether means and differences are taken on the log scale."""
        return self.scale == "log"

    @property
    def arrow(self) -> str:
        """The direction that is better, as an arrow."""
        return _ARROWS.get(self.better, "")

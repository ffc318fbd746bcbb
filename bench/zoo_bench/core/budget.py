"""Budgets.

Four are in use in the field, and none is equivalent to another: training images, rounds, wall-clock and FLOPs. The
meter records all of them for every run; the budget stops the run at the declared ones, whichever is reached first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from zoo.errors import ZooError

_NUMBER = r"(\d+(?:\.\d+)?|\.\d+)"


_UNITS: list[tuple[str, str, dict[str, float]]] = [
    ("images", rf"{_NUMBER}(k|M|)(?:images)?", {"": 1, "k": 1e3, "M": 1e6}),
    ("seconds", rf"{_NUMBER}(s|m|h)", {"s": 1, "m": 60, "h": 3600}),
    ("rounds", rf"{_NUMBER}(k|)rounds", {"": 1, "k": 1e3}),
    ("flops", rf"{_NUMBER}(M|G|T|P)FLOP", {"M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}),
]


_HELP = "write 200k or 2M (training images), 90s, 5m or 2h (training time), 3000rounds, 5PFLOP, or several with commas"


@dataclass(frozen=True)
class Budget:
    """Limits of one run; None means no limit.

    Attributes:
        images: Real training images shown to any network of the model.
        seconds: Training wall-clock; evaluation is never charged.
        rounds: Rounds of the game, one batch each.
        flops: Floating-point operations of matrix products and convolutions.
    """

    images: float | None = None
    seconds: float | None = None
    rounds: float | None = None
    flops: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "200k", "90s,2M", ...

        Raises:
            ZooError: If it does not parse, is zero, limits one quantity twice, or is in the old unit, steps.
        """
        if re.search(r"\dk?steps\b", text):
            raise ZooError(f"a budget in steps is written in rounds: {text.replace('steps', 'rounds')}")
        limits: dict[str, float] = {}
        for part in text.split(","):
            for quantity, pattern, factors in _UNITS:
                if match := re.fullmatch(pattern, part.strip()):
                    if quantity in limits:
                        raise ZooError(f"budget {text!r} limits {quantity} twice")
                    limits[quantity] = float(Decimal(match[1]) * Decimal(factors[match[2]]))
                    if limits[quantity] <= 0:
                        raise ZooError(f"budget {text!r} must be greater than zero")
                    if limits[quantity] == float("inf"):
                        raise ZooError(f"budget {text!r} is too large ever to be reached")
                    break
            else:
                raise ZooError(f"budget {text!r} is not understood: {_HELP}")
        return cls(**limits)

    def __str__(self) -> str:
        """Return the canonical text, which parses to the same budget and enters a run's key."""
        return ",".join(
            _canonical(value, units, suffix)
            for quantity, units, suffix in (
                ("images", {"M": 1e6, "k": 1e3, "": 1.0}, ""),
                ("seconds", {"": 1.0}, "s"),
                ("rounds", {"": 1.0}, "rounds"),
                ("flops", {"P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6}, "FLOP"),
            )
            if (value := getattr(self, quantity)) is not None
        )


def _canonical(value: float, units: dict[str, float], suffix: str) -> str:
    """Write a limit in the largest unit that needs no decimals, else in the smallest."""
    unit = next((u for u, factor in units.items() if (value / factor).is_integer()), list(units)[-1])
    return f"{(Decimal(repr(value)) / Decimal(units[unit])).normalize():f}" + unit + suffix


def parse_timeout(text: str, name: str = "timeout") -> float | None:
    """Read "90s", "5m" or "6h" as seconds, as a budget's limit of time is read, or "never" as None.

    Args:
        text: What is read.
        name: What it is, for the error.

    Raises:
        ZooError: If it does not parse or is zero.
    """
    if text == "never":
        return None
    try:
        budget = Budget.parse(text)
    except ZooError:
        budget = Budget()
    if budget.seconds is None or budget != Budget(seconds=budget.seconds):
        raise ZooError(f"{name} {text!r} is not understood: write 90s, 5m, 6h or never")
    return budget.seconds

"""Text and numbers as they are shown: foreign text made visible and escaped, numbers of one column aligned."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from zoo.columns import Column
from zoo.text import visible as visible

if TYPE_CHECKING:
    import pandas as pd

_LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "-": r"{-}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "χ": r"$\chi$",
    "²": r"$^2$",
}

LATIN_END = 0x180
"""Code of the first character after Latin Extended-A, the last block that T1 fonts have."""


def shortened(name: object) -> str:
    """Return a name for a table; of more than 160 characters, the first 100 and the last 59."""
    text = str(name)
    return text if len(text) <= 160 else f"{text[:100]}…{text[-59:]}"


def failed(runs: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence for every run of a group that did not end ok, and for every error of metrics of the others."""
    finished = runs["status"] == "ok"
    for _, run in runs[~finished].iterrows():
        yield visible(f"{run['status']}: {run['_label']} on {run['task']}, seed {run['seed']}: {run['error']}")
    for error, rows in runs[finished & (runs["error"] != "")].groupby("error", sort=False):
        count = f"{len(rows)} of {plural(finished.sum(), 'run')}"
        yield visible(f"no score in {count} on {rows['task'].iloc[0]}: {error}")


def latex(text: object) -> str:
    """Escape text for LaTeX with T1 fonts, which have the Latin letters; other characters become their code."""
    shown = (c if c in _LATEX_ESCAPES or ord(c) < LATIN_END else f"\\u{ord(c):04x}" for c in visible(text))
    return "".join(_LATEX_ESCAPES.get(c, c) for c in "".join(shown))


def markdown(text: object) -> str:
    """Escape text for a cell of a GitHub table."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+!|~$@:" else c for c in html.escape(visible(text), quote=False))


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def plural(n: int, word: str) -> str:
    """Return "1 run" or "3 runs"."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def figure(value: float) -> str:
    """Three significant digits, thousands as k; "-" for NaN."""
    if math.isnan(value) or math.isinf(value):
        return "-" if math.isnan(value) else f"{value}"
    if abs(value) >= 9995:
        for factor, suffix in ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P")):
            if abs(value) < 999.5 * factor:
                return f"{value / factor:.3g}{suffix}"
        return f"{value:.3g}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def signed(value: float, digits: int = 3) -> str:
    """Write a difference as :func:`figure` does, with its sign and at most so many significant digits."""
    return f"{'-' if value < 0 else '+'}{figure(abs(float(f'{value:.{digits}g}')))}"


def shown_value(column: Column, value: float) -> str:
    """Write one number of a headline column: a share in percent, a count with its total, nats with three decimals."""
    if column.scale == "share":
        return f"{100 * value:.1f}%"
    if column.total:
        return f"{figure(value)}/{figure(column.limits[1])}" if math.isfinite(column.limits[1]) else figure(value)
    plain = column.scale == "log" or column.cost or column.integer or not (value == 0 or 5e-4 <= abs(value) < 1000)
    return figure(value) if plain else f"{value:.3f}"


def aligned(values: Iterable[float], coarse: Iterable[float] = ()) -> Callable[[float], str]:
    """Return how to write the numbers of one column so that their decimal points meet.

    The smallest gets three significant digits, the smallest of ``coarse`` two, with at most four decimals; a column
    whose values differ too much in size is written by :func:`figure`.
    """
    sizes = [abs(v) for v in values if math.isfinite(v) and v]
    if not sizes:
        return figure
    decimals = 2 - math.floor(math.log10(min(sizes)))
    if (decimals > 4 and max(sizes) >= 1) or min(sizes) < 1e-4 or max(sizes) >= 1e7:
        return figure
    if all(float(v).is_integer() for v in sizes):
        decimals = 0
    decimals = max(decimals, *(1 - math.floor(math.log10(abs(v))) for v in coarse if math.isfinite(v) and v), 0)
    decimals = min(decimals, 4)
    return lambda value: f"{round(value, decimals) + 0.0:,.{decimals}f}" if math.isfinite(value) else figure(value)

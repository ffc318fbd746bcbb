"""What all figures have in common: their size and font, the look of every model, and the files that they become.

A figure is one of matplotlib's, drawn without a display; the caller's ``rcParams`` are neither read nor changed.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, Locator, LogLocator, MaxNLocator, NullLocator

from zoo_bench.report.read.summary import Summary
from zoo_bench.report.text import figure as short
from zoo_bench.report.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Colours = Mapping[str, int]
"""The number of each model's look, by label."""

COLOUR_COUNT = 7
"""Colours of models in ``report.css``: those of Okabe and Ito (2008) without yellow, which is too light on white."""
MARKERS = "os^DvPX<>"
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)))
"""Models with one colour differ in markers, and most in dashes too."""

STYLE_SHEET = Path(__file__).parent / "templates" / "report.css"
TITLE = "title: "
"""What begins the gid of an artist that says something when it is pointed at."""
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
NO_DATES = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
"""By suffix, what is left out of a file so that it has the same bytes tomorrow."""


@dataclass(frozen=True)
class Style:
    """The size of a figure.

    Attributes:
        width: Inches.
        height: Inches, of a figure without a row for each model.
        font: Size of text in points, which lines and markers follow.
    """

    width: float
    height: float
    font: float

    @property
    def characters(self) -> float:
        """About how many characters of text fit beside each other."""
        return 72 * self.width / (0.6 * self.font)


SCREEN = Style(6.4, 4.9, 12.5)
PAPER = Style(3.3, 2.6, 8)
"""A single column of a paper."""


@dataclass(frozen=True)
class Look:
    """How a model is drawn in all figures."""

    colour: str
    marker: str
    dashes: Any

    @classmethod
    def of(cls, number: int) -> Look:
        """Return the look of a number of :func:`colours_of`."""
        colour = theme()[f"c{number % COLOUR_COUNT}"]
        return cls(colour, MARKERS[number % len(MARKERS)], DASHES[number % len(DASHES)])


def colours_of(summaries: Sequence[Summary]) -> Colours:
    """Return the number of every model's look, the same in all tables and figures."""
    labels = {model.label for summary in summaries for model in summary.models}
    return {label: i for i, label in enumerate(sorted(labels))}


@cache
def theme() -> dict[str, str]:
    """Return the colours of the report's light theme, by their names in its style sheet."""
    light, _, _ = STYLE_SHEET.read_text(encoding="utf-8").partition("@media")
    colours = dict(re.findall(r"--(\w+): (#\w+)", light))
    return {name: f"#{''.join(2 * c for c in code[1:])}" if len(code) == 4 else code for name, code in colours.items()}


class Plot(Figure):
    """A figure that notebooks show as SVG."""

    def _repr_svg_(self) -> str:
        return svg(self)


@contextmanager
def drawn(style: Style) -> Iterator[None]:
    """Draw and save in one style, whatever the caller's is."""
    ink, soft, line, page = (theme()[name] for name in ("ink", "soft", "line", "page"))
    settings: dict[str, Any] = {
        "font.size": style.font,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "text.color": ink,
        "text.parse_math": False,
        "axes.labelsize": style.font,
        "axes.labelcolor": soft,
        "axes.edgecolor": line,
        "axes.facecolor": page,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.titlesize": style.font,
        "grid.color": line,
        "grid.linewidth": style.font / 14,
        "figure.facecolor": page,
        "legend.frameon": False,
        "legend.fontsize": style.font,
        "legend.handlelength": 2.6,
        "lines.linewidth": style.font / 8,
        "lines.markersize": style.font / 2,
        "svg.fonttype": "none",
        "svg.hashsalt": "genzoo",
        "pdf.fonttype": 42,
    }
    with matplotlib.style.context(["default", settings]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name has a character that the font lacks
        yield


def canvas(style: Style, height: float = 0) -> tuple[Plot, Axes]:
    """Return a figure with one pair of axes, of the style's height unless it has another, in inches."""
    figure = Plot(figsize=(style.width, height or style.height), layout="constrained")
    axes = figure.subplots()
    for which in ("x", "y"):  # ticks made later would follow the caller's settings
        axes.tick_params(
            axis=which, labelsize=style.font, labelcolor=theme()["ink"], color=theme()["line"],
            grid_color=theme()["line"], grid_linewidth=style.font / 14,
        )  # fmt: skip
    return figure, axes


def name(label: str, longest: int = 28) -> str:
    """Return a model's name for a figure, of a long one its ends."""
    text = visible(label)
    return text if len(text) <= longest else f"{text[: longest - longest // 3 - 1]}…{text[-(longest // 3) :]}"


def dot(axes: Axes, x: float, y: float, title: str, **look: Any) -> None:
    """Draw a point that says ``title`` when it is pointed at."""
    axes.plot([x], [y], linestyle="none", gid=TITLE + visible(title), **look)


def log_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """Make the "x" or "y" axis logarithmic, with ticks at round numbers.

    Args:
        axes: The axes.
        which: "x" or "y".
        low: Lower end, as an exponent of ten.
        high: Upper end, as an exponent of ten.
    """
    low, high = max(low, -300), min(high, 300)  # what a float can hold
    axes.set(**{f"{which}scale": "log", f"{which}lim": (10**low, 10**high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    locator: Locator
    if high - low < 0.4:
        locator = FixedLocator(MaxNLocator(5).tick_values(10**low, 10**high))
    elif high - low < 2.2:
        locator = LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7) if high - low < 0.8 else (1, 2, 5))
    else:
        locator = LogLocator(numticks=7)
    axis.set_major_locator(locator)
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_locator(NullLocator())


def margins(values: Sequence[float], share: float = 0.06, least: float = 0.3) -> tuple[float, float]:
    """Return the ends of an axis that shows all values with a margin on both sides."""
    low, high = min(values), max(values)
    space = share * max(high - low, least)
    return low - space, high + space


def legend(figure: Figure, axes: Axes, style: Style) -> None:
    """Name the models above the axes, in as many columns as there is room for."""
    handles, labels = axes.get_legend_handles_labels()
    columns = max(1, int(style.characters / (max(map(len, labels)) + 6)))
    figure.legend(handles, labels, loc="outside upper left", ncols=min(columns, len(labels)), columnspacing=1.2)


def svg(figure: Figure, label: str = "") -> str:
    """Return a figure as SVG, whose text is text and whose points have titles.

    With a label it is part of a page: it has the page's width, its colours are the page's, and its ids are no other's.
    """
    root = ElementTree.fromstring(_saved(figure, "svg", transparent=bool(label)))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith("metadata"):
                parent.remove(child)
        if parent.get("id", "").startswith(TITLE):
            title = ElementTree.Element(f"{{{SVG}}}title")
            title.text = parent.attrib.pop("id").removeprefix(TITLE)
            parent.insert(0, title)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    if label:
        _embed(root, label)
    return ElementTree.tostring(root, encoding="unicode")


def _embed(root: ElementTree.Element, label: str) -> None:
    names = {code: colour for colour, code in theme().items()}
    prefix = "g" + hashlib.sha256(ElementTree.tostring(root)).hexdigest()[:10] + "-"
    used = set(re.findall(r"#([\w.-]+)", " ".join(v for e in root.iter() for k, v in e.items() if k != "style")))
    used |= {found for e in root.iter() for found in re.findall(r"url\(#([\w.-]+)\)", e.get("style", ""))}
    for element in root.iter():
        if (own := element.get("id")) is not None:
            element.attrib.pop("id") if own not in used else element.set("id", prefix + own)
        for key, value in element.items():
            value = re.sub(r"^#|url\(#", lambda found: found[0] + prefix, value)
            if key == "style":
                value = re.sub(r"#[0-9a-f]{6}\b", lambda code: _variable(names, code[0]), value)
            element.set(key, value)
    for size in ("width", "height"):
        root.attrib.pop(size)
    root.attrib |= {"role": "img", "aria-label": label}


def _variable(names: Mapping[str, str], code: str) -> str:
    return f"var(--{names[code]}, {code})" if code in names else code


def file(figure: Figure, suffix: str) -> bytes:
    """Return the content of a file: ".pdf", ".svg" or ".png", the same for the same results and matplotlib."""
    return svg(figure).encode() if suffix == ".svg" else _saved(figure, suffix.removeprefix("."))


def _saved(figure: Figure, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with drawn(SCREEN):
        figure.savefig(buffer, format=form, metadata=NO_DATES[form], dpi=300, **options)
    return buffer.getvalue()

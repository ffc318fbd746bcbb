"""What all figures have in common: looks of models, ticks, and files."""

import math
import re
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from zoo_bench.report.show.figures import (
    COLOUR_COUNT,
    PAPER,
    SCREEN,
    Look,
    canvas,
    dot,
    drawn,
    file,
    legend,
    log_axis,
    margins,
    name,
    svg,
    theme,
)


@pytest.fixture
def figure():
    with drawn(PAPER):
        figure, axes = canvas(PAPER)
        axes.plot([1, 2], [3, 4], color=theme()["c0"], marker="o", label="a $x_1$ & <b>")
        dot(axes, 1, 3, "gan, seed 0: FID <3 & #0072b2\u202e", color=theme()["c1"], marker="s")
        legend(figure, axes, PAPER)
    return figure


def test_sixty_models_have_sixty_looks():
    looks = [Look.of(number) for number in range(60)]
    assert len({(look.colour, look.marker) for look in looks}) == 60
    assert len({look.marker for look in looks[:COLOUR_COUNT]}) == COLOUR_COUNT


def luminance(colour):
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return sum(
        share * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for share, c in zip((0.2126, 0.7152, 0.0722), (red, green, blue), strict=True)
    )


def test_text_and_lines_stand_out_from_the_page_as_wcag_wants_it():
    page = luminance(theme()["page"])
    for colour, least in {"ink": 4.5, "soft": 4.5, **{f"c{i}": 2 for i in range(COLOUR_COUNT)}}.items():
        assert (page + 0.05) / (luminance(theme()[colour]) + 0.05) >= least, colour


def test_the_callers_settings_are_neither_read_nor_changed(figure):
    before = dict(mpl.rcParams)
    usual = file(figure, ".svg")
    with mpl.rc_context({"svg.fonttype": "path", "font.size": 30, "lines.linewidth": 9, "text.usetex": True}):
        own = dict(mpl.rcParams)
        with drawn(PAPER):
            other, axes = canvas(PAPER)
            axes.plot([1, 2], [3, 4], color=theme()["c0"], marker="o", label="a $x_1$ & <b>")
            dot(axes, 1, 3, "gan, seed 0: FID <3 & #0072b2\u202e", color=theme()["c1"], marker="s")
            legend(other, axes, PAPER)
        assert file(other, ".svg") == usual
        assert dict(mpl.rcParams) == own
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_file_has_the_same_bytes_every_time_and_no_date(figure, suffix):
    content = file(figure, suffix)
    assert file(figure, suffix) == content
    assert not re.search(rb"20\d\d-\d\d-\d\d|CreationDate|D:20", content)
    assert content.startswith({".svg": b"<svg", ".pdf": b"%PDF", ".png": b"\x89PNG"}[suffix])


def test_a_pdf_has_its_fonts_as_true_type(figure):
    content = file(figure, ".pdf")
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_svg_has_text_as_text_and_a_title_for_each_point(figure):
    root = ElementTree.fromstring(svg(figure))
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert "a $x_1$ & <b>" in texts
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["gan, seed 0: FID <3 & #0072b2\\u202e"]
    assert (root.get("width"), root.get("height")) == ("237.6pt", "187.2pt")


def test_in_a_page_colours_are_the_pages_and_ids_are_no_other_figures(figure):
    text = svg(figure, "a label")
    root = ElementTree.fromstring(text)
    assert "stroke: var(--c0, #0072b2)" in text
    assert "fill: var(--ink, #1b1f24)" in text
    assert "#0072b2\\u202e</" in text
    assert not {"width", "height"} & set(root.attrib)
    assert root.get("aria-label") == "a label"
    ids = {element.get("id") for element in root.iter()} - {None}
    with drawn(SCREEN):
        other, axes = canvas(SCREEN)
        axes.plot([1, 2], [3, 4], color=theme()["c0"], marker="o")
    assert ids
    assert not ids & {element.get("id") for element in ElementTree.fromstring(svg(other, "other")).iter()} - {None}
    used = {found for found in re.findall(r'href="#([^"]+)|url\(#([^)]+)', text) for found in found if found}
    assert used == ids


@pytest.mark.parametrize("low", [-149.0, -7.3, 0.0, 3.7])
@pytest.mark.parametrize("width", [0.02, 0.3, 0.6, 1.5, 4.0, 150.0])
def test_a_logarithmic_axis_has_some_ticks_and_not_too_many(low, width):
    with drawn(PAPER):
        figure, axes = canvas(PAPER)
        log_axis(axes, "y", low, low + width)
        figure.canvas.draw()
        shown = [tick for tick in axes.get_yticks() if 10**low <= tick <= 10 ** (low + width)]
    assert 2 <= len(shown) <= 12
    assert len({axes.yaxis.get_major_formatter()(tick) for tick in shown}) == len(shown)


def test_an_axis_has_a_margin_on_both_sides_even_of_one_value():
    low, high = margins([2.0])
    assert low < 2.0 < high
    low, high = margins([math.log10(3), math.log10(30)])
    assert (math.log10(3) - low, high - math.log10(30)) == pytest.approx((0.06, 0.06))


def test_a_long_name_keeps_its_ends():
    assert name("gan") == "gan"
    assert name("gan[packing=2]" * 9, 12) == "gan[pac…g=2]"

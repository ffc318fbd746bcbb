"""Comparisons as tables, Markdown and XML."""

from xml.etree import ElementTree

import pytest
from rich.console import Console

from zoo_bench.report.read.compare import folders
from zoo_bench.report.read.gate import Limit, gates
from zoo_bench.report.read.results import load
from zoo_bench.report.show.changes import caption, junit, markdown, tables


@pytest.fixture
def changes(tmp_path, make):
    """Changes of one model whose name is no plain text, between two benches."""
    sides = []
    for name, quality in (("a", 2.0), ("b", 2.5)):
        specs = [make.spec(model="g<a>n|\x07", seed=seed) for seed in range(5)]
        sides.append(load([make.write(tmp_path / name, [make.drawn(spec, quality) for spec in specs])]))
    return folders(*sides)[0]


@pytest.mark.parametrize("width", [80, 120])
def test_a_row_of_the_table_is_a_line_and_no_figure_is_cut(changes, width):
    console = Console(width=width)
    with console.capture() as captured:
        for part in tables([c for c in changes if c.metric.name in ("fid", "mode_kl", "params")]):
            console.print(part)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    start = next(i for i, line in enumerate(lines) if "───" in line)
    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == ["FID", "KL", "params"]
    assert "…" not in captured.get()
    assert "+25%" in lines[start + 1]


def test_markdown_has_a_row_per_metric_and_a_list_of_gates_and_escapes_names(changes):
    fid = [change for change in changes if change.metric.name == "fid"]
    text = markdown(fid, gates([Limit.parse("fid:+90%")], fid))
    (row,) = [line for line in text.splitlines() if line.startswith("| FID")]
    assert row.count(" | ") == 6
    assert "g&lt;a&gt;n\\|\\u0007" in text.replace("\\\\", "\\")
    assert "- passed: fid\\:\\+90%\\: " in text


def test_the_caption_says_whether_p_values_allow_for_looks_and_what_a_range_is(tmp_path, make):
    specs = [make.spec(seed=seed) for seed in range(5)]
    sides = [
        load([make.write(tmp_path / plan, [make.drawn(spec, quality, seed_plan=plan) for spec in specs])])
        for plan, quality in (("", 2.0), ("auto", 2.01))
    ]
    fixed, added = (caption(folders(sides[0], other)[0]) for other in sides)
    assert ", p Holm-corrected" in fixed
    assert ", p corrected for the looks of --seeds auto, Holm-corrected" in added
    assert "≈" not in fixed + added
    other = load([make.write(tmp_path / "other", [make.drawn(spec, 2.02) for spec in specs])])
    assert caption(folders(sides[0], other)[0]).endswith(
        "≈: not separable at 5 %; so many seeds of each would be needed."
    )


def test_xml_is_valid_whatever_a_model_is_called(changes):
    text = junit(gates([Limit.parse("fid:+90%")], changes))
    (case,) = ElementTree.fromstring(text).iter("testcase")
    assert case.get("name") == "fid:+90%: g<a>n|\\u0007"
    assert "task digits" in case.get("classname")
    assert case.find("system-out").text.startswith("fid:+90%: g<a>n|")

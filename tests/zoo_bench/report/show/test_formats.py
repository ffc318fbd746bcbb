import io
import json
import math
import re

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show import formats, html, notebook
from zoo_bench.report.text import aligned, figure, latex, markdown, visible
from zoo_bench.store.tables import to_frame

NASTY = "<script>alert('1')</script> \"q\" | a_b*c* `d` $e$ \\f{g}# %&~^ [h](i) \u202ej\nk"


@pytest.fixture
def summaries(tmp_path, make):
    """A bench of six models, and a model and a control with a name of every awkward character."""
    root = make.bench(tmp_path)
    name = NASTY.replace("/", "")
    records = [make.drawn(make.spec(model=name, seed=seed), 3.0) for seed in range(3)]
    for record in records:
        path = root / "runs" / "digits" / "nasty" / f"{record.run_id[:8]}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(record.model_dump_json())
    about = {"task": "digits", "task_version": "1", "judge": "digits-cnn@01234567"}
    controls = [{**about, "controls": {NASTY: {"fid": 60.0, "modes_captured": 2.0}}}]
    return [summarise(group, controls) for group in groups(load([root]).frame)]


def test_markdown_renders_as_one_table_with_every_name_as_text(summaries):
    tokens = MarkdownIt("commonmark").enable("table").parse(formats.markdown(summaries))
    kinds = [t.type for t in tokens]
    assert kinds.count("table_open") == 1
    assert kinds.count("tr_open") == 1 + 7 + 2
    width = len(summaries[0].metrics) + 2
    assert kinds.count("td_open") == (7 + 2) * width
    inline = [t for t in tokens if t.type == "inline"]
    texts = ["".join(c.content for c in t.children) for t in inline]
    assert visible(NASTY.replace("/", "")) in texts
    assert visible(NASTY) in texts
    assert not {c.type for t in inline for c in t.children} & {"html_inline", "link_open", "code_inline"}
    slanted = [t.content for t in inline if any(c.type == "em_open" for c in t.children)]
    assert len(slanted) == 2
    assert slanted[1] == "*floor*"
    best = [t for t in inline if any(c.type == "strong_open" for c in t.children)]
    assert any("1." in t.content for t in best)


def test_the_floor_has_its_spread(make):
    metrics = {"fid": 30.0, "fid_floor": 19.8, "fid_floor_sd": 2.1}
    records = [make.drawn(make.spec(seed=seed), 1.0, metrics=metrics) for seed in (0, 1)]
    found = [summarise(group) for group in groups(to_frame(records))]
    assert "19.8 ± 2.1" in formats.markdown(found)
    assert "19.8 ± 2.1" in formats.latex(found)


def test_latex_is_balanced_and_escapes_every_name(summaries):
    text = formats.latex(summaries)
    for name in ("table", "tabular"):
        assert text.count(f"\\begin{{{name}}}") == text.count(f"\\end{{{name}}}") == 1
    body = re.search(r"\\midrule\n(.*)\n  \\bottomrule", text, re.S).group(1)
    rows, references = (part.splitlines() for part in body.split("\n  \\midrule\n"))
    assert (len(rows), len(references)) == (7, 2)
    for row in rows + references:
        assert row.endswith(r"\\")
        assert len(re.findall(r"(?<!\\)&", row)) == len(summaries[0].metrics) + 1
        bare = re.sub(r"\\[{}]", "", row)
        assert bare.count("{") == bare.count("}")
    assert r"\textbf{1." in body
    assert r"$\approx$" in body
    assert max(text) < "\u0180"


@pytest.mark.parametrize("character", [*'\\{}$&#%_~^<>|"', "\n", "\u202e", "\ud800", "\x00"])
def test_no_character_keeps_a_meaning(character):
    assert latex(character) != character
    assert visible(character).isprintable()
    if character in "|<`*_[$":
        assert markdown(character) != character


@pytest.mark.parametrize(
    ("shown", "written"), [("≈", r"$\approx$"), ("é", "é"), ("名", r"\textbackslash{}u540d"), ("-", "{-}")]
)
def test_latex_has_only_what_its_fonts_have(shown, written):
    assert latex(shown) == written


def test_csv_and_parquet_hold_the_tidy_table(summaries):
    csv = pd.read_csv(io.StringIO(formats.csv(summaries)))
    parquet = pd.read_parquet(io.BytesIO(formats.parquet(summaries)))
    assert list(csv.columns) == list(parquet.columns)
    assert len(csv) == len(parquet) == 7 * len(summaries[0].metrics) + 2
    assert csv["mean"].tolist() == pytest.approx(parquet["mean"].tolist())
    for frame in (csv, parquet):
        assert NASTY.replace("/", "") in set(frame["model"])
        assert frame.loc[frame["kind"] == "control", "model"].tolist() == [NASTY] * 2


def test_json_has_rows_verdicts_and_notes(summaries):
    content = json.loads(formats.as_json(summaries, ["a note"]))
    assert len(content["rows"]) == 7 * len(summaries[0].metrics) + 2
    assert {NASTY, NASTY.replace("/", "")} <= {row["model"] for row in content["rows"]}
    assert "dcgan has the lowest FID" in content["verdicts"][0]["verdict"]
    assert content["notes"] == ["a note"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1.234, 12.34, 0.9], ["1.234", "12.340", "0.900"]),
        ([7347.1, 16500.9], ["7,347", "16,501"]),
        ([10.0, 9.0], ["10", "9"]),
        ([1e-9, 5.0], ["1e-09", "5"]),
        ([0.02, 0.5], ["0.0200", "0.5000"]),
        ([], []),
    ],
)
def test_numbers_of_a_column_share_their_decimals(values, shown):
    write = aligned(values)
    assert [write(v) for v in values] == shown


def test_zero_has_no_sign():
    assert aligned([5.5])(-0.001) == "0.00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.4e12, "1.4T"), (9999.0, "10k"), (999_600, "1M"), (math.nan, "-"), (math.inf, "inf"), (-12345.0, "-12.3k")],
)  # fmt: skip
def test_figures_have_three_digits(value, shown):
    assert figure(value) == shown


@pytest.mark.parametrize("plan", ["", "auto"])
def test_captions_say_where_p_values_allow_for_the_looks(make, tmp_path, plan):
    specs = [make.spec(model=model, seed=seed) for model in ("gan", "vae") for seed in range(4)]
    make.write(tmp_path, [make.drawn(spec, 2.0, seed_plan=plan) for spec in specs], pictures=False)
    results = load([tmp_path])
    shown = [summarise(group) for group in groups(results.frame)]
    texts = [formats.markdown(shown), formats.latex(shown), notebook.table(shown), html.page(results, shown)]
    assert ["corrected for the looks of" in text for text in texts] == [bool(plan)] * 4
    assert all("corrected, 5" in text for text in texts)


def test_a_name_is_no_formula_in_csv_and_is_itself_in_parquet(tmp_path, make):
    name = '=HYPERLINK("http|evil","x")'
    root = make.write(tmp_path / "bench", [make.drawn(make.spec(model=name), 3.0)], pictures=False)
    found = [summarise(group, []) for group in groups(load([root]).frame)]
    assert set(pd.read_csv(io.StringIO(formats.csv(found)))["model"]) == {f"'{name}"}
    assert set(pd.read_parquet(io.BytesIO(formats.parquet(found)))["model"]) == {name}

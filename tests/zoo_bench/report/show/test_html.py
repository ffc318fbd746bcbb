import base64
import hashlib
import math
import os
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from zoo_bench.plan.record import Score
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show.html import write_report
from zoo_bench.report.text import visible
from zoo_bench.store.records import Store

NASTY = "</script><script>alert(1)</script>\"q\" 'x' <b>&amp; ${a} {{ 7*7 }}\u202eright\u200f\nnext\x07"


class Page(HTMLParser):
    """Tags with attributes, visible text, and the content of scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.scripts, self._inside = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = (tag, dict(attrs))

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside and self._inside[0] == "script":
            self.scripts.append((self._inside[1].get("type", ""), data))
        elif not self._inside or self._inside[0] != "style":
            self.text.append(data)


def read(path):
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_shows_verdict_intervals_controls_floor_environment_and_commands(bench):
    text = " ".join(read(write_report(Store(bench))).text)
    for expected in ("dcgan has the lowest FID", "separable", "noise", "floor", "A processor", "zoo bench --models",
                     "--models", "Nearest training images", "18 runs", "The models dcgan",
                     "@software{genzoo,"):  # fmt: skip
        assert expected in text
    assert "Scores and ranks" not in text


def test_samples_along_training_are_shown_where_runs_keep_them(bench, make):
    assert "Samples along training" not in " ".join(read(write_report(Store(bench))).text)
    for sheet in bench.glob("runs/*/*/*.neighbours.png"):
        sheet.with_name(sheet.name.replace("neighbours", "progress")).write_bytes(sheet.read_bytes())
    assert "Samples along training" in " ".join(read(write_report(Store(bench))).text)


def test_scores_and_ranks_are_those_of_several_tasks(bench, make):
    text = " ".join(read(write_report(Store(make.bench(bench, task="ring8")))).text)
    for expected in ("Scores and ranks over all tasks", "Friedman", "IQM"):
        assert expected in text


def test_the_first_table_has_the_columns_of_the_terminals(bench):
    (summary,) = [summarise(group) for group in groups(load([bench]).frame)]
    html = write_report(Store(bench)).read_text()
    table = html.partition('<table class="sortable">')[2].partition("</table>")[0]
    heads = re.findall(r'data-name="(\w[^"]*)"', table)
    assert heads == ["model", "ok", *(metric.name for metric in summary.headlines)]
    assert "10/10" in table


def test_a_run_links_to_its_record_and_sheet(bench):
    links = [a["href"] for t, a in read(write_report(Store(bench))).tags if t == "a" and a["href"].startswith("runs/")]
    assert len(links) == 2 * 18
    for link in links:
        assert (bench / unquote(link)).suffix in (".json", ".png")
        assert (bench / unquote(link)).is_file()


def test_the_page_asks_nothing_of_the_network(bench):
    page = read(write_report(Store(bench)))
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed")
        for name in ("src", "href", "action", "data", "srcset"):
            assert re.match("data:|#|runs/", attributes.get(name, "#"))
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_only_the_script_of_the_page_may_run(bench):
    page = read(write_report(Store(bench)))
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for _, s in page.scripts]
    assert re.findall(r"sha256-([^']+)", policy) == digests
    assert len(digests) == 1
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_foreign_text_is_shown_and_never_read_as_anything_else(tmp_path, make):
    model = NASTY.replace("/", "|")
    ok = make.drawn(
        make.spec(model=model, plugin=NASTY), 2.0, judge=NASTY, environment={NASTY: NASTY}, notes=[NASTY],
        diagnostics_error=NASTY,
    )  # fmt: skip
    ok.scores[NASTY] = Score(plugin=NASTY, version=NASTY, judge=NASTY, error=NASTY)
    bad = make.record(
        make.spec(model=model, plugin=NASTY, seed=1), judge=NASTY, status="error", error=NASTY, traceback=NASTY
    )
    other = make.drawn(make.spec(), 3.0, judge=NASTY)
    root = tmp_path / "bench"
    folder = root / "runs" / "digits" / "nasty"
    folder.mkdir(parents=True)
    for i, record in enumerate((ok, bad, other)):
        (folder / f"seed={i}.json").write_text(record.model_dump_json())
    (folder / "seed=0.png").write_bytes(make.png())
    page = read(write_report(Store(root)))
    assert len(page.scripts) == 1
    assert not [t for t, _ in page.tags if t == "script"][len(page.scripts) :]
    text = " ".join(page.text)
    assert visible(NASTY) in text
    assert not set(text) & set("\u202e\u200f\x07")
    assert not [t for t, a in page.tags if t == "b" and a]


def test_six_models_with_five_seeds_stay_under_4_mb(tmp_path, make):
    root = make.bench(tmp_path, seeds=5)
    for file in root.rglob("*.png"):
        file.write_bytes(make.png() + bytes(60_000))
    path = write_report(Store(root))
    assert path.stat().st_size < 4e6
    assert "pictures left out" in " ".join(read(path).text)


ODD = {
    "nothing finished": lambda make: [make.record(make.spec(seed=s), status="error", error="it broke") for s in (0, 1)],
    "no metric": lambda make: [make.record(make.spec())],
    "infinite": lambda make: [
        make.drawn(make.spec(seed=s), 1.0, metrics={"fid": math.inf, "kid": math.nan}) for s in (0, 1)
    ],
    "zero": lambda make: [make.drawn(make.spec(model=m), 1.0, metrics={"fid": 0.0, "fid_floor": 0.0}) for m in "ab"],
    "negative": lambda make: [
        make.drawn(make.spec(model=m), 1.0, metrics={"fid": -1.0, "fid_floor": 0.1}) for m in "ab"
    ],
    "huge": lambda make: [
        make.drawn(make.spec(model=m, seed=seed), 1.0, metrics={"fid": 1e300 * (1 + seed), "fid_floor": 1e-300})
        for m in "ab"
        for seed in range(3)
    ],
    "tiny": lambda make: [
        make.drawn(make.spec(model=m, seed=seed), 1.0, metrics={"fid": 1e-300 * (1 + seed), "kid": 1e-170 * seed})
        for m in "ab"
        for seed in range(3)
    ],
    "no modes": lambda make: [make.drawn(make.spec(), 1.0, metrics={"modes_captured": 3.0})],
    "odd curve": lambda make: [
        make.drawn(make.spec(), 1.0, curve=[{"images": 0, "fid": -1.0}, {"images": 1, "fid": math.nan}])
    ],
    "odd environment": lambda make: [make.drawn(make.spec(), 1.0, environment={"cores": None, "x": {"y": [1]}})],
    "one model, many seeds": lambda make: [make.drawn(make.spec(seed=s), 1.0) for s in range(12)],
    "unknown task": lambda make: [make.drawn(make.spec(model=m, task="no such"), 1.0) for m in "abc"],
    "many models": lambda make: [make.drawn(make.spec(model=f"m{i}"), 1.0 + i) for i in range(14)],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_records_are_shown_and_never_stop_the_page(tmp_path, name, make):
    root = make.write(tmp_path, ODD[name](make))
    text = " ".join(read(write_report(Store(root))).text)
    assert "Run it again" in text


@pytest.mark.parametrize("spread", [{}, {"fid_floor_sd": 0.1}], ids=["unknown", "known"])
def test_the_spread_of_a_floor_is_explained_where_it_is_shown(tmp_path, make, spread):
    metrics = {"fid": 1.0, "fid_floor": 0.2, **spread}
    root = make.write(tmp_path, [make.drawn(make.spec(model=m), 1.0, metrics=metrics) for m in "ab"])
    text = " ".join(read(write_report(Store(root))).text)
    assert "what as many fresh real items score" in text
    assert ("± standard deviation" in text) == bool(spread)


def test_unreadable_records_and_empty_folders_are_told_of_and_two_records_of_one_run_are_one(bench, tmp_path):
    file = next(bench.glob("runs/*/gan/*.json"))
    file.with_name("seed=0-copy.json").write_bytes(file.read_bytes())
    (bench / "runs" / "digits" / "gan" / "seed=8-bad.json").write_text("[1")
    text = " ".join(read(write_report(Store(bench))).text)
    assert "seed=8-bad.json" in text
    assert "18 runs" in text
    assert "no results" in " ".join(read(write_report(Store(tmp_path / "nothing"))).text)


def test_every_figure_is_part_of_the_page_with_titles_names_and_a_link_to_save_it(bench):
    page = read(write_report(Store(bench)))
    drawings = [a["aria-label"] for t, a in page.tags if t == "svg" and a["aria-label"].startswith("digits: ")]
    assert drawings == [
        "digits: Learning curves, images", "digits: Learning curves, seconds", "digits: Learning curves, FLOPs",
        "digits: FID against speed and size, sampling", "digits: FID against speed and size, training",
        "digits: FID against speed and size, parameters", "digits: Modes captured",
    ]  # fmt: skip
    files = [a["download"] for t, a in page.tags if t == "a" and a.get("download", "").endswith(".svg")]
    assert len(set(files)) == len(drawings)
    assert "digits-learning-curves-flops.svg" in files
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(ids)) == len(ids)
    used = {v[1:] for _, a in page.tags for k, v in a.items() if k in ("xlink:href", "href") and v[:1] == "#"} - {""}
    used |= {found for _, a in page.tags for v in a.values() for found in re.findall(r"url\(#([^)]+)\)", v or "")}
    assert used <= set(ids)
    assert any(text.startswith("dcgan, seed 0: FID ") for text in page.text)


def test_real_items_stand_before_samples_where_the_folder_has_them(bench, make):
    sheet = bench / "controls" / "digits.png"
    assert 'alt="Samples of real' not in write_report(Store(bench)).read_text()
    sheet.write_bytes(make.png(red=7))
    page = read(write_report(Store(bench)))
    first = next(a for t, a in page.tags if t == "img")
    assert first["alt"] == "Samples of real, seed 0"
    assert base64.b64encode(sheet.read_bytes()).decode() in first["src"]


def test_groups_that_are_not_comparable_are_said_to_be_so(tmp_path, make):
    root = make.bench(make.bench(tmp_path), budget="1M")
    text = " ".join(read(write_report(Store(root))).text)
    assert "2 tables that are not comparable: budget (1M, 200k) differ" in text


def test_only_pictures_of_the_folder_itself_are_embedded(tmp_path, make):
    root = make.write(tmp_path / "bench", [make.drawn(make.spec(seed=seed), 2.0) for seed in range(5)])
    private = tmp_path / "private.png"
    private.write_bytes(make.png(red=1))
    sheets = sorted(root.glob("runs/*/*/*[0-9a-f].png"))
    embedded = base64.b64encode(sheets[4].read_bytes()).decode()
    for sheet in sheets[:4]:
        sheet.unlink()
    sheets[0].symlink_to(private)
    sheets[1].write_bytes(b"root:x:0:0")
    os.mkfifo(sheets[2])
    sheets[3].write_bytes(make.png()[:16] + b"\x7f\xff\xff\xff" * 2 + make.png()[24:])
    page = write_report(Store(root)).read_text()
    assert embedded in page
    assert base64.b64encode(private.read_bytes()).decode() not in page
    assert page.count('alt="Samples of') == 1


def test_long_names_are_cut_in_tables(tmp_path, make):
    name = "m" * 5000
    root = make.write(tmp_path / "bench", [make.drawn(make.spec(model=name[:200]), 2.0)], pictures=False)
    path = next(root.glob("runs/*/*/*.json"))
    spec = make.spec(model=name)
    path.write_text(make.drawn(spec, 2.0).model_dump_json())
    page = read(write_report(Store(root)))
    cells = [text for text in page.text if text.startswith("mmm")]
    assert cells
    assert "m" * 100 + "…" + "m" * 59 in cells

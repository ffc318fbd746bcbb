"""The report in a real browser: what a reader does with it, on a phone and on a desk, in light and in dark."""

import csv
import shutil

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show.html import write_report
from zoo_bench.store.records import Store

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
LOADS = 60_000  # milliseconds a slow machine may take to draw


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = running.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, bench, make):
    """Return a function that opens the report in a window, with the console's errors and the requests kept."""
    make.controls(bench)
    address = write_report(Store(bench)).as_uri()
    contexts = []

    def opened(width=1280, height=900, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LOADS)
        page.errors, page.requests = [], []
        page.on("console", lambda message: page.errors.append(message.text))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_plot_is_drawn_without_an_error_a_request_or_a_sideways_scroll(opened, width, scheme):
    page = opened(width, scheme=scheme)
    plots = page.locator(".plot")
    assert plots.count() == 3
    for i in range(3):
        shown = plots.nth(i).locator("svg >> visible=true")
        assert shown.count() == 1
        box = shown.bounding_box()
        assert 300 < box["width"] <= width
        assert box["height"] > 100
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("name", "first"), [("fid", "ascending"), ("sample_images_per_s", "descending")])
def test_a_press_on_a_head_sorts_better_values_first_and_a_second_one_reverses(opened, name, first):
    page = opened()
    table = page.locator("table.sortable").first
    heads = table.locator("thead th")
    column = next(i for i in range(heads.count()) if heads.nth(i).get_attribute("data-name") == name)

    def values():
        cells = table.locator(f"tbody tr td:nth-child({column + 1}), tbody tr th:nth-child({column + 1})")
        return [float(cells.nth(i).get_attribute("data-value")) for i in range(cells.count())]

    unsorted = values()
    press = heads.nth(column).locator("button")
    press.focus()
    page.keyboard.press("Enter")
    assert heads.nth(column).get_attribute("aria-sort") == first
    assert values() == sorted(unsorted, reverse=first == "descending")
    page.keyboard.press("Enter")
    assert values() == sorted(unsorted, reverse=first == "ascending")


def test_a_word_in_the_search_box_leaves_the_rows_that_have_it(opened):
    page = opened()
    box = page.locator("input[type=search]").first
    rows = page.locator("section").filter(has=box).first.locator("table.sortable").first.locator("tbody tr")
    assert sum(rows.nth(i).is_visible() for i in range(rows.count())) == rows.count() > 1
    box.fill("wgan")
    assert [rows.nth(i).inner_text().split()[0] for i in range(rows.count()) if rows.nth(i).is_visible()] == ["wgan-gp"]
    box.fill("")
    assert all(rows.nth(i).is_visible() for i in range(rows.count()))


def test_a_button_shows_another_variant_and_the_link_saves_it_in_colours_of_its_own(opened, tmp_path):
    page = opened(scheme="dark")
    plot = page.locator(".plot").first
    plot.get_by_role("button", name="FLOPs").click()
    shown = plot.locator("svg >> visible=true")
    assert shown.get_attribute("aria-label") == "digits: Learning curves, FLOPs"
    with page.expect_download() as saved:
        plot.locator(".save >> visible=true").click()
    assert saved.value.suggested_filename == "digits-learning-curves-flops.svg"
    saved.value.save_as(tmp_path / "saved.svg")
    text = (tmp_path / "saved.svg").read_text()
    assert "var(" not in text
    assert "#1b1f24" in text
    assert page.errors == []


def test_a_button_shows_the_metrics_of_another_group(opened):
    page = opened()
    choice = page.locator(".choice").first
    choice.get_by_role("button", name="speed and size").click()
    heads = choice.locator("thead >> visible=true").inner_text()
    assert "latency, ms" in heads
    assert "mode TV" not in heads


def test_a_table_fades_where_it_goes_on_and_its_first_column_stays(opened):
    page = opened(390)
    box = page.locator(".scroll").first
    assert "more" in box.get_attribute("class")
    left = box.locator("tbody th").first.bounding_box()["x"]
    box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    page.wait_for_function("() => !document.querySelector('.scroll').classList.contains('more')")
    assert box.locator("tbody th").first.bounding_box()["x"] == left


def test_a_saved_table_has_all_digits_and_no_formulas(browser, make, tmp_path):
    models = {"=1+1": 2.0, "a,b": 3.0}
    records = [make.drawn(make.spec(model=m, seed=s), q) for m, q in models.items() for s in range(2)]
    records.append(make.record(make.spec(model="-", seed=0), status="error", error="no"))
    root = make.write(tmp_path / "bench", records)
    page = browser.new_page()
    page.set_default_timeout(LOADS)
    page.goto(write_report(Store(root)).as_uri())
    with page.expect_download() as saved:
        page.locator(".save").first.click()
    assert saved.value.suggested_filename == "digits-comparison.csv"
    saved.value.save_as(tmp_path / "saved.csv")
    page.close()
    rows = {row["model"]: row for row in csv.DictReader((tmp_path / "saved.csv").read_text().splitlines())}
    assert list(rows) == ["'=1+1", "a,b", "'-"]
    results = load([root])
    (summary,) = [summarise(group) for group in groups(results.frame)]
    for model in summary.models[:2]:
        row = rows[model.label if model.label != "=1+1" else "'=1+1"]
        estimate = model.estimates["fid"]
        assert [float(row[c]) for c in ("fid", "fid_low", "fid_high")] == [estimate.mean, estimate.low, estimate.high]
        assert row["ok"] == "2 of 2"
    assert rows["'-"]["fid"] == ""


def test_print_opens_what_is_folded_and_shows_every_group_from_the_first_page_on(opened):
    page = opened(scheme="dark")
    page.pdf(format="A4")
    assert page.evaluate("[...document.querySelectorAll('details')].every((details) => details.open)")
    page.emulate_media(media="print", color_scheme="dark")
    tables = page.locator(".choice table")
    assert all(tables.nth(i).is_visible() for i in range(tables.count()))
    assert not page.locator(".switch >> visible=true").count()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 between the margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    assert page.evaluate("getComputedStyle(document.querySelector('section')).breakInside") == "auto"


def test_text_and_lines_of_figures_follow_the_theme(opened):
    def ink(scheme):
        text = opened(scheme=scheme).locator(".plot svg text").first
        return text.evaluate("element => getComputedStyle(element).fill")

    assert (ink("light"), ink("dark")) == ("rgb(27, 31, 36)", "rgb(230, 233, 237)")

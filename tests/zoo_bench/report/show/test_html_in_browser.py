"""The report in a real browser: what a reader does with it, on a phone and on a desk, in light and in dark."""

import shutil

import pytest

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
    assert plots.count() == 5
    for i in range(5):
        shown = plots.nth(i).locator("svg >> visible=true")
        assert shown.count() == 1
        box = shown.bounding_box()
        assert 300 < box["width"] <= width
        assert box["height"] > 100
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_press_on_a_head_sorts_and_a_second_one_reverses(opened):
    page = opened()
    table = page.locator("table.sortable").first
    heads = table.locator("thead th")
    column = next(i for i in range(heads.count()) if heads.nth(i).inner_text().upper().startswith("FID"))

    def values():
        cells = table.locator(f"tbody tr td:nth-child({column + 1}), tbody tr th:nth-child({column + 1})")
        return [float(cells.nth(i).get_attribute("data-value")) for i in range(cells.count())]

    unsorted = values()
    press = heads.nth(column).locator("button")
    press.focus()
    page.keyboard.press("Enter")
    assert heads.nth(column).get_attribute("aria-sort") == "ascending"
    assert values() == sorted(unsorted)
    page.keyboard.press("Enter")
    assert values() == sorted(unsorted, reverse=True)


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


def test_text_and_lines_of_figures_follow_the_theme(opened):
    def ink(scheme):
        text = opened(scheme=scheme).locator(".plot svg text").first
        return text.evaluate("element => getComputedStyle(element).fill")

    assert (ink("light"), ink("dark")) == ("rgb(27, 31, 36)", "rgb(230, 233, 237)")

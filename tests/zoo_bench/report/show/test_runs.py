"""The table of all runs."""

from zoo_bench.report.read.results import load
from zoo_bench.report.show.runs import all_runs


def test_links_are_relative_to_the_folder_of_the_page(bench, tmp_path):
    results = load([bench])
    elsewhere = tmp_path / "pages"
    first = all_runs(results, elsewhere)["links"][0]
    assert list(first) == ["record", "sheet"]
    assert first["record"].startswith("../bench/runs/digits/")
    assert (elsewhere / ".." / first["record"].removeprefix("../")).resolve().suffix == ".json"


def test_a_page_of_no_known_place_and_a_table_without_records_have_no_links(bench):
    assert all_runs(load([bench]), None)["links"] == []
    assert all_runs(load([bench / "results.csv"]), bench)["links"] == []


def test_a_run_without_a_sheet_links_to_its_record_alone_and_names_are_escaped(make, tmp_path):
    root = make.write(tmp_path / "a #1", [make.drawn(make.spec(), 1.0)], pictures=False)
    (links,) = all_runs(load([root]), tmp_path)["links"]
    assert list(links) == ["record"]
    assert links["record"].startswith("a%20%231/runs/")

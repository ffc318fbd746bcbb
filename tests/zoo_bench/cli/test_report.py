import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from zoo.cli import main
from zoo_bench.plan.columns import LEADING_COLUMNS
from zoo_bench.plan.record import Score

FORMATS = ("table", "csv", "markdown", "latex", "json")


@pytest.mark.parametrize("name", FORMATS)
def test_text_goes_to_stdout_and_nothing_is_written(bench, capsys, name):
    before = sorted(bench.iterdir())
    assert main(["report", str(bench), "--format", name]) == 0
    shown = capsys.readouterr()
    assert "dcgan" in shown.out
    assert shown.err == ""
    assert sorted(bench.iterdir()) == before


def test_without_a_format_the_table_is_shown_and_the_page_written(bench, capsys):
    assert main(["report", str(bench)]) == 0
    shown = capsys.readouterr()
    assert "dcgan has the lowest FID" in shown.out.replace("\n", " ")
    assert str(bench / "report.html") in shown.err
    assert (bench / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("has_browser", [True, False])
@pytest.mark.parametrize("options", [[], ["--format", "html"], ["--out", "page.html"]])
def test_the_page_is_opened_in_a_browser(bench, tmp_path, monkeypatch, capsys, options, has_browser):
    opened = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or has_browser)
    assert main(["report", str(bench), "--open", *options]) == 0
    page = Path("page.html") if "--out" in options else bench / "report.html"
    assert opened == [page.resolve().as_uri()]
    said = f"zoo: no browser was found here: open {str(page)!r} in one\n"
    assert capsys.readouterr().err.endswith(said) != has_browser


def test_a_metric_that_failed_is_told_once_for_all_runs(tmp_path, make, capsys):
    failed = Score(plugin="genzoo", version="1", judge="any@01234567", error="RuntimeError: no")
    runs = [make.record(make.spec(seed=i), scores=own) for i, own in enumerate([{}, {"kid": failed}, {"kid": failed}])]
    assert main(["report", str(make.write(tmp_path / "bench", runs)), "--format", "table"]) == 0
    assert capsys.readouterr().err == "no score in 2 of 3 runs on digits: kid: RuntimeError: no\n"


def test_a_text_file_has_the_table(bench, tmp_path):
    out = tmp_path / "table.txt"
    assert main(["report", str(bench), "--out", str(out)]) == 0
    assert "dcgan has the lowest FID" in out.read_text().replace("\n", " ")


def test_html_is_written_into_the_folder(bench, capsys):
    assert main(["report", str(bench), "--format", "html"]) == 0
    assert capsys.readouterr().out.strip() == str(bench / "report.html")


def test_tables_to_paste_have_the_columns_of_the_terminals_or_those_asked_for(bench, capsys):
    def head(*options):
        assert main(["report", str(bench), "--format", "markdown", *options]) == 0
        return next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| model"))

    assert "memory" not in head()
    assert "FID" in head()
    assert head("--columns", "fid,mode_tv") == "| model | ok | FID ↓ | mode TV ↓ |"
    assert "memory" in head("--columns", "all")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".md", ".tex", ".html", ".json"])
def test_a_file_is_written_in_the_format_of_its_name(bench, tmp_path, suffix):
    out = tmp_path / "new" / f"table{suffix}"
    assert main(["report", str(bench), "--out", str(out)]) == 0
    start = out.read_bytes()[:40]
    assert start.startswith({".csv": b"task,", ".parquet": b"PAR1", ".md": b"**digits", ".tex": b"% \\usepackage",
                             ".html": b"<!doctype html>", ".json": b"{"}[suffix])  # fmt: skip


def test_several_folders_are_merged_run_by_run(bench, tmp_path, make):
    other = make.bench(tmp_path / "other", seeds=2, budget="1M")
    out = tmp_path / "all.parquet"
    assert main(["report", str(bench), str(other), "--runs", "--out", str(out)]) == 0
    frame = pd.read_parquet(out)
    assert len(frame) == 18 + 12
    assert tuple(frame.columns[: len(LEADING_COLUMNS)]) == LEADING_COLUMNS


@pytest.mark.parametrize("name", FORMATS)
def test_folders_of_some_seeds_each_are_reported_as_one_folder_of_all(tmp_path, make, capsys, name):
    def report(**seeds):
        runs = {folder: [make.drawn(make.spec(seed=s, model=m), 2.0) for m in ("gan", "vae") for s in of]
                for folder, of in seeds.items()}  # fmt: skip
        folders = [str(make.write(tmp_path / folder, records)) for folder, records in runs.items()]
        for folder in folders:
            make.controls(Path(folder))
        assert main(["report", *folders, "--format", name]) == 0
        return capsys.readouterr().out

    assert report(first=(0, 1), second=(2,)) == report(whole=(0, 1, 2))


def test_what_is_kept_apart_is_said_on_stderr(bench, tmp_path, make, capsys):
    other = make.bench(tmp_path / "other", seeds=2, budget="1M")
    assert main(["report", str(bench), str(other), "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert "not comparable: budget (1M, 200k) differ" in shown.err
    assert "not comparable" in json.loads(shown.out)["notes"][0]


def test_a_run_that_is_there_twice_is_refused(bench, tmp_path, make, capsys):
    other = make.bench(tmp_path / "other", seeds=1)
    assert main(["report", str(bench), str(other)]) == 2
    error = capsys.readouterr().err
    assert "5 more are there twice" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["absent"], "no results in 'absent'"),
        (["B", "--format", "md"], "unknown format 'md'"),
        (["B", "--format", "parquet"], "name a file with --out"),
        (["B", "C", "--format", "html"], "name a file with --out"),
        (["B", "--open", "--format", "csv"], "--open is for the page"),
        (["B", "C", "--open"], "--open is for the page"),
        (["B", "--runs", "--format", "latex"], "--runs needs"),
        (["B", "--columns", "fid"], "--columns needs"),
        (["B", "--columns", "fdi", "--format", "csv"], "unknown column 'fdi': did you mean 'fid'"),
        (["B", "--out", "B"], "is a folder"),
        (
            ["B", "--out", "table.text"],
            "must end with .csv, .parquet, .md, .tex",
        ),
        (["B", "--format", "csv", "--out", "/dev/null/x.csv"], "cannot be written"),
        ([], "argument"),
    ],
)
def test_unusable_arguments_are_refused_in_one_sentence(bench, capsys, arguments, sentence):
    assert main(["report", *(str(bench) if a == "B" else a for a in arguments)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sentence.lower() in shown.err.lower()
    assert shown.err.count("\n") == 1


def test_reading_results_does_not_import_torch(bench):
    folder = str(bench)
    commands = [
        ["report", folder, "--format", "table"], ["report", folder, "--format", "csv"], ["compare", folder, folder]
    ]  # fmt: skip
    program = f"""
import sys, zoo.cli
for words in {commands!r}:
    code = zoo.cli.main(words)
    assert (code, 'torch' in sys.modules) == (0, False), words
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "gan" in done.stdout

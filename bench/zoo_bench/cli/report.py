"""``zoo report``. Imports nothing heavy until a command runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.errors import UnknownNameError, ZooError

if TYPE_CHECKING:
    from zoo_bench.report.read.results import Results
    from zoo_bench.report.read.summary import Summary

FORMATS = ("table", "csv", "parquet", "markdown", "latex", "html", "json")
FORMAT_OF_SUFFIX = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".md": "markdown",
    ".tex": "latex",
    ".html": "html",
    ".json": "json",
    ".txt": "table",
}


def report(
    folders: Annotated[list[Path], typer.Argument(help="Folders that `zoo bench --out` wrote, or their tables.")],
    format_: Annotated[
        str, typer.Option("--format", help=f"{', '.join(FORMATS)}.", show_default="as --out ends, else table and html")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="File to write.", show_default="html: report.html in the folder; else stdout")
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            help="Figures with commas, as results.csv calls them, or all.",
            show_default="markdown, latex: those of the table; else all",
        ),
    ] = "",
    runs: Annotated[
        bool, typer.Option("--runs", help="csv, parquet, json: one row per run instead of per model and metric.")
    ] = False,
    opens: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Show what benches found: means, intervals, and which differences the seeds support.

    Several folders are merged. Runs that are not comparable, because task version, judge, budget, precision or device
    differ, are kept in tables of their own, and it is said why.
    """
    if out and out.is_dir():
        raise ZooError(f"--out {str(out)!r} is a folder: name a file")
    if out and not format_ and out.suffix not in FORMAT_OF_SUFFIX:
        raise ZooError(f"--out {str(out)!r} must end with {', '.join(FORMAT_OF_SUFFIX)}, or name its --format")
    output_format = format_ or (FORMAT_OF_SUFFIX[out.suffix] if out else "table")
    if output_format not in FORMATS:
        raise UnknownNameError("format", output_format, FORMATS)
    if runs and output_format not in ("csv", "parquet", "json"):
        raise ZooError(f"--runs needs --format csv, parquet or json, not {output_format}")
    if columns and (runs or output_format in ("table", "html")):
        raise ZooError("--columns needs --format markdown, latex, csv, parquet or json, and no --runs")
    if output_format == "html" and out is None and not (len(folders) == 1 and folders[0].is_dir()):
        raise ZooError("several folders or a table have no one place for report.html: name a file with --out")
    writes_page = output_format == "html" or (not format_ and out is None and len(folders) == 1 and folders[0].is_dir())
    if opens and not writes_page:
        raise ZooError("--open is for the page: give one folder, or --format html and a file with --out")
    if output_format == "parquet" and out is None:
        raise ZooError("--format parquet is not text: name a file with --out")

    from zoo_bench.report.read.groups import groups, kept_apart
    from zoo_bench.report.read.results import load_once
    from zoo_bench.report.read.summary import summarise, with_columns
    from zoo_bench.report.text import failed, visible

    results = load_once(folders)
    all_groups = groups(results.frame)
    notes = kept_apart(all_groups)
    for sentence in [*results.problems, *notes]:
        print(visible(f"zoo: {sentence}"), file=sys.stderr)
    summaries = [summarise(g, results.controls) for g in all_groups]
    column_names = _columns(summaries, columns, output_format)
    if output_format == "html" and out is None:
        out = folders[0] / "report.html"
    content = (
        _runs(results, output_format)
        if runs
        else _content(results, with_columns(summaries, column_names), output_format, notes, out)
    )
    if out is None:
        text = str(content)
        if sys.stdout.isatty() and output_format == "csv":  # a terminal would obey control characters in names
            text = "".join(f"{visible(line)}\n" for line in text.splitlines())
        sys.stdout.write(text)
        if output_format == "table":
            for sentence in (sentence for group in all_groups for sentence in failed(group.runs)):
                print(sentence, file=sys.stderr)
        if writes_page:
            page = folders[0] / "report.html"
            _write(page, _content(results, summaries, "html", notes, page))
            print(f"report: {page}", file=sys.stderr)
    else:
        page = _write(out, content)
        print(page)
    if opens:
        _open(page)


def _open(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        print(f"zoo: no browser was found here: open {str(page)!r} in one", file=sys.stderr)


def _write(path: Path, content: str | bytes) -> Path:
    from zoo.files import write_atomically

    write_atomically(path, content if isinstance(content, bytes) else content.encode())
    return path


def _content(
    results: Results, summaries: Sequence[Summary], output_format: str, notes: Sequence[str], out: Path | None
) -> str | bytes:
    from zoo_bench.report.show import formats

    if output_format == "html":
        from zoo_bench.report.show.html import page

        return page(results, summaries, out.parent if out else None)
    if output_format == "table":
        return terminal_text(results, summaries)
    if output_format == "json":
        return formats.as_json(summaries, [*results.problems, *notes]) + "\n"
    content: str | bytes = getattr(formats, output_format)(summaries)
    return content


def _columns(summaries: Sequence[Summary], names: str, output_format: str) -> set[str]:
    from zoo_bench.report.read.summary import headlines

    available = {metric.name for summary in summaries for metric in summary.metrics}
    if not names and output_format in ("markdown", "latex"):
        return set(headlines(summaries))
    wanted = {name.strip() for name in names.split(",")} - {""} if names not in ("", "all") else available
    for name in sorted(wanted - available):
        raise UnknownNameError("column", name, available)
    return wanted


def _runs(results: Results, output_format: str) -> str | bytes:
    import io

    from zoo_bench.store.tables import csv_text

    frame = results.frame[[c for c in results.frame.columns if not c.startswith("_")]]
    if output_format == "json":
        return str(frame.to_json(orient="records", indent=2, date_format="iso")) + "\n"
    if output_format == "csv":
        return csv_text(frame)
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def terminal_text(results: Results, summaries: Sequence[Summary]) -> str:
    """Return the tables as a terminal shows them."""
    from rich.console import Console

    from zoo_bench.report.show.speeds import speed_tables
    from zoo_bench.report.show.terminal import summary_tables

    console = Console()
    with console.capture() as captured:
        for part in summary_tables(summaries, console.width):
            console.print(part)
        for frame in results.speeds:
            for part in speed_tables(frame):
                console.print(part)
    return captured.get()

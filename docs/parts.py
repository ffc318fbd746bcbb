"""Parts of pages that are made from the code and from ``results/reference``, so that they cannot go stale.

A page asks for one by a comment on a line of its own: ``<!-- part: sheets digits -->`` is the text of
``sheets("digits")``. On GitHub nothing is seen of it.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from zoo.columns import Column
from zoo.errors import ZooError
from zoo_bench.report.read.agreement import of_the_best
from zoo_bench.report.read.claims import Claims
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import Summary, summarise
from zoo_bench.report.text import figure

REFERENCE = Path(__file__).parents[1] / "results" / "reference"
MARKER = re.compile(r"^<!-- part: (\w+)(.*?) -->$", re.MULTILINE)
DOCSTRING = re.compile(r'\n *""".*?"""', re.DOTALL)
COLLAPSE = ("ring8", "grid25", "stacked-digits")
"""The tables of mode collapse."""


def filled(markdown: str) -> str:
    """Put the parts of a page where it asks for them."""
    return MARKER.sub(lambda marker: PARTS[marker[1]](*marker[2].split()), markdown)


def table(headers: list[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [headers, ["---"] * len(headers), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def source(target: str) -> str:
    """Return the code of ``zoo_gan.model.GAN.generator_loss`` without its docstring."""
    member = pkgutil.resolve_name(target)
    code = DOCSTRING.sub("", textwrap.dedent(inspect.getsource(member)), count=1)
    return f"```python\n{code.rstrip()}\n```"


def decisions(columns: str, *names: str) -> str:
    """Return which models lead in reference tables by some columns: what the seeds support, and no more."""
    summaries = {name: _summary(name) for name in names}
    metrics = [_claims(summaries[names[0]], column)[0] for column in columns.split(",")]
    headings = [f"{metric.heading} {'↓' if metric.better == 'lower' else '↑'}" for metric in metrics]
    rows = (
        [
            f"[{summary.group.key['task']}, {summary.group.key['budget']}](results/reference/{name}/table.md)",
            f"{max(model.runs for model in summary.models)}",
            *(_leaders(summary, metric.name) for metric in metrics),
            of_the_best(summary.claims).removeprefix("It is lowest ").rstrip(".") or "one judge",
        ]
        for name, summary in summaries.items()
    )
    return table(["data, budget of a run", "seeds", *headings, "FID is lowest"], rows)


def _leaders(summary: Summary, column: str) -> str:
    """Say who is best by a column and who is not separable from it, as the table does."""
    metric, claims = _claims(summary, column)
    standings = claims.standings
    best = [m.label for m in claims.ranked if standings.get(m.label) == "best"]
    tied = [m.label for m in claims.ranked if standings.get(m.label) == "tied"]
    if not best or len(best) + len(tied) == len(summary.models):
        return "no difference shown"
    mean = figure(claims.ranked[0].estimates[metric.name].mean)
    of = f" of {metric.range[1]:g}" if metric.total else ""
    others = ", ".join(map(_code, tied)) if len(tied) < 4 else f"{len(tied)} others"
    return f"**{', '.join(map(_code, best))}** {mean}{of}" + (f"; ≈ {others}" if tied else "")


def remedies() -> str:
    """Return what the tables of mode collapse say of every model they share, against the plain GAN."""
    summaries = [_summary(name) for name in COLLAPSE]
    shared = set.intersection(*({m.label for m in s.models} for s in summaries))
    order = [m.label for m in summaries[-1].models if m.label in shared]
    headers = [""] + [f"[{name}](results/reference/{name}/table.md)" for name in COLLAPSE]
    rows = ([_code(label), *(_against_gan(summary, label) for summary in summaries)] for label in order)
    return table(headers, rows)


def _against_gan(summary: Summary, label: str) -> str:
    cells = []
    for column, pattern in (("modes_captured", "{:.3g} of {:g}"), ("high_quality", "{:.1%} HQ")):
        if column not in summary.claims:
            continue
        metric, claims = _claims(summary, column)
        models = {model.label: model for model in claims.ranked}
        row, gan = (models[name].estimates[column].mean for name in (label, "gan"))
        shown = claims.is_separable(models[label], models["gan"])
        sign = "" if not shown else " ▲" if row > gan else " ▼"
        cells.append(pattern.format(row, metric.range[1]) + sign)
    return ", ".join(cells)


def sheets(name: str) -> str:
    """Return the sample sheets of a reference table, three in a row, best FID first."""
    files = ((m.label, f"results/reference/{name}/{_file_name(m.label)}.png") for m in _summary(name).models)
    cells = [(_code(label), f"![Samples of {label}]({file})") for label, file in files]
    cells += [("", "")] * (-len(cells) % 3)
    names, pictures = zip(*cells, strict=True)
    lines = [row for i in range(0, len(cells), 3) for row in (names[i : i + 3], pictures[i : i + 3])]
    return table(list(lines[0]), lines[1:])


def _file_name(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-")  # as bench/reference/collect.py writes them


def _code(label: str) -> str:
    return f"`{label}`"


def _claims(summary: Summary, column: str) -> tuple[Column, Claims]:
    return next(metric for metric in summary.metrics if metric.name == column), summary.claims[column]


def _summary(name: str) -> Summary:
    results = load([REFERENCE / name])
    found = groups(results.frame)
    if len(found) != 1:
        raise ZooError(f"results/reference/{name} holds {len(found)} tables, so a page cannot show it as one")
    return summarise(found[0], results.controls)


PARTS = {part.__name__: part for part in (source, decisions, remedies, sheets)}

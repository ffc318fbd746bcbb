"""Tables to paste and to compute with: Markdown, LaTeX, CSV, Parquet, JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence

from zoo.columns import Column
from zoo_bench.report import text
from zoo_bench.report.read.claims import Model
from zoo_bench.report.read.summary import Summary
from zoo_bench.report.read.tidy import tidy_table
from zoo_bench.report.show.terminal import caption, notes, title
from zoo_bench.store.tables import csv_text


def markdown(summaries: Sequence[Summary]) -> str:
    """Return one GitHub table per group, with its title above and a caption below."""
    parts = []
    for summary in summaries:
        write = _writer(summary, bold="**{}**", tied="≈ {}", between="–")
        head = ["model", "ok", *(text.markdown(f"{m.heading} {m.arrow}".strip()) for m in summary.metrics)]
        lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
        for model in summary.models:
            cells = [
                text.markdown(model.name),
                f"{model.ok}/{model.runs}",
                *(write(model, m) for m in summary.metrics),
            ]
            lines.append(f"| {' | '.join(cells)} |")
        lines += [f"| *{text.markdown(name)}* | | {' | '.join(cells)} |" for name, cells in _references(summary)]
        below = text.markdown(" ".join(_caption(summary)))
        parts.append(f"**{text.markdown(title(summary))}**\n\n" + "\n".join(lines) + f"\n\n{below}\n")
    return "\n".join(parts)


def latex(summaries: Sequence[Summary]) -> str:
    """Return one ``table`` per group; it needs the packages booktabs and graphicx, and T1 fonts."""
    parts = [r"% \usepackage[T1]{fontenc} \usepackage{booktabs,graphicx}"]
    arrows = {"lower": r" $\downarrow$", "higher": r" $\uparrow$", "": ""}
    for summary in summaries:
        write = _writer(summary, bold=r"\textbf{{{}}}", tied=r"$\approx$ {}", between="--")
        head = ["model", "ok", *(text.latex(m.heading) + arrows[m.better] for m in summary.metrics)]
        rows = [
            [text.latex(m.name), f"{m.ok}/{m.runs}", *(write(m, metric) for metric in summary.metrics)]
            for m in summary.models
        ]
        body = "\n".join(f"  {' & '.join(cells)} \\\\" for cells in rows)
        if extra := [[rf"\textit{{{text.latex(name)}}}", "", *cells] for name, cells in _references(summary)]:
            body += "\n  \\midrule\n" + "\n".join(f"  {' & '.join(cells)} \\\\" for cells in extra)
        below = text.latex(f"{title(summary)}. {' '.join(_caption(summary))}")
        parts.append(
            f"\\begin{{table}}\n\\centering\n\\caption{{{below}}}\n\\resizebox{{\\linewidth}}{{!}}{{%\n"
            f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}\n  \\toprule\n  {' & '.join(head)} \\\\\n  \\midrule\n"
            f"{body}\n  \\bottomrule\n\\end{{tabular}}}}\n\\end{{table}}"
        )
    return "\n\n".join(parts) + "\n"


def csv(summaries: Sequence[Summary]) -> str:
    """Return the tidy table: one row per group, model and metric."""
    return csv_text(tidy_table(summaries))


def parquet(summaries: Sequence[Summary]) -> bytes:
    """Return the tidy table as a Parquet file."""
    buffer = io.BytesIO()
    tidy_table(summaries).to_parquet(buffer, index=False)
    return buffer.getvalue()


def as_json(summaries: Sequence[Summary], notes: Sequence[str]) -> str:
    """Return the tidy table's rows, a verdict per group, and what the reader must know."""
    rows = json.loads(tidy_table(summaries).to_json(orient="records"))
    verdicts = [{**s.group.key, "verdict": s.verdict(), "marks": s.marks, "notes": s.notes} for s in summaries]
    return json.dumps({"rows": rows, "verdicts": verdicts, "notes": list(notes)}, indent=2)


def _caption(summary: Summary) -> list[str]:
    """Return sentences as the terminal has them, with bold figures in place of its asterisk."""
    parts = [*caption(summary), *summary.marks, *notes(summary)]
    return [part.replace("* best; ≈", "Bold: best. ≈:", 1) if part.startswith("* best") else part for part in parts]


def _references(summary: Summary) -> list[tuple[str, list[str]]]:
    """Return the rows below the models, with a cell per metric."""
    spreads = {"floor": {m.name: summary.floor_sd(m) for m in summary.metrics}}
    return [
        (name, [_reference(row.get(m.name), spreads.get(name, {}).get(m.name)) for m in summary.metrics])
        for name, row in summary.references.items()
    ]


def _reference(value: float | None, spread: float | None) -> str:
    if value is None:
        return ""
    return text.figure(value) if spread is None else f"{text.figure(value)} ± {text.figure(spread)}"


def _writer(summary: Summary, bold: str, tied: str, between: str) -> Callable[[Model, Column], str]:
    """Return how to write a model's cell: mean and interval, marked if it is best or not separable from the best."""

    def write(model: Model, metric: Column) -> str:
        estimate = model.estimates[metric.name]
        if not estimate.n:
            return ""
        standing = summary.standings.get(metric.name, {}).get(model.label, "")
        mean = text.figure(estimate.mean)
        shown = bold.format(mean) if standing == "best" else tied.format(mean) if standing == "tied" else mean
        low, high = text.figure(estimate.low), text.figure(estimate.high)
        return shown if estimate.n < 2 or low == high else f"{shown} ({low}{between}{high})"

    return write

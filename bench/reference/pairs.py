"""Print which pairs of a reference table a column separates: ``python bench/reference/pairs.py grid25 modes_captured``.

P-values are those of the tables: Welch's test, corrected by Holm's method over all pairs of the table and the column.
Further arguments are models; then only pairs of these are printed.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

from zoo.columns import Column
from zoo.errors import UnknownNameError
from zoo_bench.report.read.claims import Claims
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.text import figure, plural

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


def claims_of(name: str, column: str) -> tuple[Column, Claims]:
    """Return what a table of ``results/reference`` supports by a column.

    Raises:
        ZooError: If there is no such table or column.
    """
    (group,) = groups(load([REFERENCE / name]).frame)
    summary = summarise(group)
    metrics = {metric.name: metric for metric in summary.metrics}
    if column not in metrics:
        raise UnknownNameError("column", column, metrics)
    return metrics[column], summary.claims[column]


def main() -> None:
    """Print one line per pair, the better model first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("column")
    parser.add_argument("models", nargs="*")
    arguments = parser.parse_args()
    metric, claims = claims_of(arguments.table, arguments.column)
    ranked = [m for m in claims.ranked if not arguments.models or m.label in arguments.models]
    for a, b in combinations(ranked, 2):
        p = claims.p_values[a.label, b.label]
        means = [figure(model.estimates[metric.name].mean) for model in (a, b)]
        verdict = "separable" if claims.is_separable(a, b) else "not separable"
        print(f"{a.label} ({means[0]}) before {b.label} ({means[1]}): p = {figure(p)}, {verdict}")
    print(f"corrected over {plural(claims.tests, 'pair')} of the table")


if __name__ == "__main__":
    main()

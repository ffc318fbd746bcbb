"""What a model's figures say against it: it is then marked, and no claim is made of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoo_bench.report.read.agreement import JUDGES
from zoo_bench.report.read.memorising import memorising
from zoo_bench.report.text import figure, listed

if TYPE_CHECKING:
    import pandas as pd

BELOW_REAL = 0.7
"""An FID below this share of what real items score is marked, if it is so under every judge. That of a perfect model
varies by 10 to 20 % by chance alone."""

FITS_JUDGE = 5.0
"""By this factor at least a marked model stands worse under every further judge than under the first."""


def marks_of(runs: Mapping[str, pd.DataFrame], real: Mapping[str, float]) -> dict[str, list[str]]:
    """Return what speaks against the figures of each model, in clauses.

    Args:
        runs: By model, its finished runs in a group.
        real: What the control of real items scores, by column; empty if there is none.
    """
    fids = {label: _fids(rows) for label, rows in runs.items()}
    marks = {}
    for label, rows in runs.items():
        others = [found for other, found in fids.items() if other != label]
        found = [memorising(rows, real), _below_real(fids[label], rows), _fits_judge(fids[label], others)]
        marks[label] = [mark for mark in found if mark]
    return marks


def _fids(runs: pd.DataFrame) -> dict[str, float]:
    """Return the geometric mean of FID under each judge that has one."""
    means = {column: _mean(runs, column) for column in JUDGES}
    return {column: mean for column, mean in means.items() if not math.isnan(mean)}


def _mean(runs: pd.DataFrame, column: str) -> float:
    """Return the geometric mean of a column's finite values, of which none is taken to be below 1e-12; else NaN."""
    values = [float(value) for value in runs[column].dropna() if math.isfinite(value)] if column in runs else []
    return statistics.geometric_mean([max(value, 1e-12) for value in values]) if values else math.nan


def _below_real(fids: Mapping[str, float], runs: pd.DataFrame) -> str:
    shares = {column: fid / _mean(runs, f"{column}_real") for column, fid in fids.items()}
    if not shares or not all(share < BELOW_REAL for share in shares.values()):
        return ""
    return f"its FID is {figure(shares['fid'])} of what real items score, as if it had seen the test split"


def _fits_judge(fids: Mapping[str, float], others: list[dict[str, float]]) -> str:
    """Return a mark if a model is among the better half under the first judge alone, and far worse under each other.

    How it stands is its FID over the median of the other models' FIDs under that judge, so that neither the judges'
    scales matter nor that some see a kind of fault more sharply in all models. Beside a model that only the first judge
    finds very poor every other stands well with that judge; so the others have to find it worse than the median. The
    others are the same under every judge: those that all have seen.
    """
    others = [found for found in others if fids.keys() <= found.keys()]
    if "fid" not in fids or len(fids) < 2 or not others:
        return ""
    stands = {column: fid / statistics.median(found[column] for found in others) for column, fid in fids.items()}
    first = stands.pop("fid")
    if not first < 1.0 < min(stands.values()) or min(stands.values()) < FITS_JUDGE * first:
        return ""
    under = [f"{figure(place)} times under {JUDGES[column]}" for column, place in stands.items()]
    lead = f"its FID is {figure(first)} times the other models' median under the task's judge"
    return f"{lead}, but {listed(under)}: it fits one judge"

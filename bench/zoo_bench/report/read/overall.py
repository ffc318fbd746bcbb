"""All tasks together: every run as a share of what real data would score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo_bench.report.read.ranking import Ranking, rank
from zoo_bench.report.read.statistics import Estimate, performance_profile, stratified_iqm
from zoo_bench.report.read.summary import Summary

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = tuple(10 ** (i / 30) for i in range(-90, 1))
"""Scores from 0.001 to 1, evenly on the log scale."""


@dataclass(frozen=True)
class Overall:
    """Models over tasks and seeds, by the score min(1, FID floor / FID); a run that failed scores 0.

    Attributes:
        tasks: Tasks that count, each with its group of the most models and runs.
        left_out: Models that some task does not have.
        iqm: Interquartile mean of all runs with a bootstrap interval stratified by task, best first.
        profiles: Share of runs that score at least :data:`THRESHOLDS`.
        ranking: Ranks over blocks of one task and one seed; None where there are too few.
    """

    tasks: list[str]
    left_out: list[str]
    iqm: dict[str, Estimate]
    profiles: dict[str, list[float]]
    ranking: Ranking | None


def overall(summaries: Sequence[Summary]) -> Overall | None:
    """Combine all tasks, or return None if fewer than two models have scores on all of them."""
    import pandas as pd

    scored = [_scores(s, floor) for s in summaries if (floor := s.references.get("floor", {}).get("fid"))]
    scored.sort(key=lambda scores: (scores["model"].nunique(), len(scores)))
    by_task = {str(scores["task"].iloc[0]): scores for scores in scored if len(scores)}
    if not by_task:
        return None
    combined = pd.concat(by_task.values())
    complete = combined.groupby("model")["task"].nunique() == len(by_task)
    models = [str(m) for m in complete.index[complete]]
    if len(models) < 2:
        return None
    counted = combined[combined["model"].isin(models)]
    iqm, profiles = {}, {}
    for model, runs in counted.groupby("model"):
        iqm[str(model)] = stratified_iqm([part["score"].tolist() for _, part in runs.groupby("task")])
        profiles[str(model)] = performance_profile(runs["score"].tolist(), THRESHOLDS)
    blocks = counted.pivot(index=["task", "seed"], columns="model", values="score")
    order = sorted(iqm, key=lambda model: (-iqm[model].mean, model))
    left_out = [str(m) for m in complete.index[~complete]]
    return Overall(sorted(by_task), left_out, {m: iqm[m] for m in order}, {m: profiles[m] for m in order}, rank(blocks))


def _scores(summary: Summary, floor: float) -> pd.DataFrame:
    import pandas as pd

    runs = summary.group.trained
    runs = runs[~runs["_label"].isin([model.label for model in summary.models if model.outside or model.marks])]
    runs = runs[(runs["status"] != "interrupted") & ~((runs["status"] == "ok") & runs["fid"].isna())]
    fid = runs["fid"].astype("float64").where(runs["status"] == "ok")
    score = (floor / fid).clip(upper=1.0).fillna(0.0)
    return pd.DataFrame(
        {"task": summary.group.key["task"], "model": runs["_label"], "seed": runs["seed"], "score": score}
    )

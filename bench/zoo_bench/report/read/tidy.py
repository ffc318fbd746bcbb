"""What results say as one flat table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo_bench.report.read.summary import Summary

if TYPE_CHECKING:
    import pandas as pd


def tidy_table(summaries: Sequence[Summary]) -> pd.DataFrame:
    """Return a tidy table: one row per group, model and metric, then one per control; ``kind`` says which."""
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {
            **s.group.key,
            "model": m.label,
            "kind": "outside" if m.outside else "model",
            "runs": m.runs,
            "ok": m.ok,
            "collapsed": m.collapsed,
            "metric": metric.name,
            "better": metric.better,
            "mean": e.mean,
            "low": e.low,
            "high": e.high,
            "n": e.n,
            "scale": "log" if metric.log else "linear",
            "floor": s.floor(metric),
            "standing": s.standing(m, metric) if metric.better else "",
        }
        for s in summaries
        for m in s.models
        for metric in s.metrics
        for e in [m.estimates[metric.name]]
    ]
    rows += [
        {
            **s.group.key,
            "model": name,
            "kind": "control",
            "metric": metric.name,
            "better": metric.better,
            "mean": row[metric.name],
            "n": 1,
            "scale": "log" if metric.log else "linear",
            "floor": s.floor(metric),
            "standing": "",
        }
        for s in summaries
        for name, row in s.controls.items()
        for metric in s.metrics
        if metric.name in row
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(("runs", "ok", "collapsed", "n"), "Int64") if rows else {})

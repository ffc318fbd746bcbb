"""What is known about the columns of results: title, direction, definition and scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from zoo.registry import installed
from zoo.specs import Column
from zoo_bench.plan.record import COLUMNS, LAST

if TYPE_CHECKING:
    import pandas as pd

COSTS = (
    Column("train_images_per_s", "higher", "Training images per second of training time"),
    Column("sample_images_per_s", "higher", "Samples per second, in batches"),
    Column("sample_latency_ms", "lower", "Median time of one sample, milliseconds"),
    Column("peak_memory_mb", "lower", "Peak memory of the run, MB"),
    Column("train_seconds", "", "Training wall-clock, seconds"),
    Column("flops", "", "Operations of matrix products and convolutions in training"),
    Column("params", "", "Trainable parameters, a count"),
)
SPEEDS = ("train_images_per_s", "sample_images_per_s", "sample_latency_ms", "peak_memory_mb", "train_seconds",
          "seconds_to_target")  # fmt: skip
"""Columns that depend on the machine."""

EXACT = ("params", "flops")
"""Columns that a seed does not change: a difference without spread is a fact, not a sample."""

LOG = ("fid", "fid_best", "fid_auc", "images_to_target", *SPEEDS, "flops", "params")
"""Columns whose spread grows with their size: means are geometric, differences are ratios."""

RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("mode_kl", "mode_kl_reverse", "mode_js", "ndb_js", "density", "vendi", "mind", "mode_spread",
                     "modes_captured", "mode_kl_corrected", "support"), (0.0, inf)),
    **dict.fromkeys(("precision", "recall", "coverage", "clipped_density", "clipped_coverage", "mode_tv",
                     "mode_chi2_p", "high_quality", "ndb", "authentic",
                     "mode_tv_corrected", "junk", "tstr", "trtr"), (0.0, 1.0)),
}  # fmt: skip
"""What values are possible; intervals end there."""

TITLES = {
    "fid": "FID", "fid_best": "FID, best", "fid_auc": "FID, area", "kid": "KID", "modes_captured": "modes",
    "mode_kl": "mode KL", "mode_tv": "mode TV", "high_quality": "high quality", "ndb": "NDB", "mind": "MIND",
    "fid_inf": "FID∞", "fid_train": "FID to train", "vendi": "Vendi", "ct": "C_T", "mode_js": "mode JS",
    "ndb_js": "NDB JS", "mode_kl_reverse": "mode KL, reverse", "mode_chi2_p": "mode χ² p",
    "tstr": "TSTR", "trtr": "TRTR",
    "mode_kl_corrected": "mode KL, corrected", "mode_tv_corrected": "mode TV, corrected",
    "images_to_target": "images to target", "seconds_to_target": "seconds to target",
    "train_images_per_s": "training, images/s", "sample_images_per_s": "sampling, images/s",
    "sample_latency_ms": "latency, ms", "peak_memory_mb": "memory, MB", "train_seconds": "training, s",
    "flops": "FLOPs", "params": "parameters",
}  # fmt: skip
_RUN = frozenset(COLUMNS[: COLUMNS.index("fid")]) | {"started_at", "zoo_version", "schema_version", *LAST}
_BESIDE = ("_floor", "_se", "_total")


@dataclass(frozen=True)
class Metric:
    """A column and how to read it.

    Attributes:
        column: Name in ``results.csv``.
        title: Short name.
        better: "lower", "higher", or "".
        description: Definition, range and unit in one line; may be empty if its plugin is not installed.
        log: Whether means and differences are taken on the log scale.
        range: Lowest and highest possible value.
    """

    column: str
    title: str
    better: str
    description: str
    log: bool
    range: tuple[float, float] = (-inf, inf)

    @property
    def cost(self) -> bool:
        """Whether it is what a run costs rather than what it is worth."""
        return any(self.column == c.name for c in COSTS)

    @property
    def arrow(self) -> str:
        """The direction that is better, as an arrow."""
        return {"lower": "↓", "higher": "↑"}.get(self.better, "")


def metrics_of(frame: pd.DataFrame) -> list[Metric]:
    """Return the figures that any run has: quality in the order of the table's columns, then costs."""
    known = {column.name: column for entry in installed().metrics for column in entry.spec.columns}
    costs = {column.name: column for column in COSTS}
    quality = [
        str(c) for c in frame.columns
        if c not in _RUN and c not in costs and not str(c).endswith(_BESIDE) and not str(c).startswith("_")
    ]  # fmt: skip
    chosen = [c for c in (*quality, *costs) if c in frame and frame[c].notna().any()]
    return [metric(c, known.get(c) or costs.get(c)) for c in chosen]


def metric(name: str, column: Column | None) -> Metric:
    """Describe one column; nothing is said of a column that no installed plugin knows."""
    better, description = (column.better, column.description) if column else ("", "")
    title = TITLES.get(name, name.replace("_", " "))
    return Metric(name, title, better, description, name in LOG, RANGES.get(name, (-inf, inf)))

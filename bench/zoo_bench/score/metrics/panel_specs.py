"""The metric of the panel of judges, and the columns that it fills. Imports nothing heavy."""

from __future__ import annotations

from zoo.columns import Column
from zoo.specs import MetricSpec
from zoo_bench.judges import PANEL

PANEL_METRIC = MetricSpec(
    name="panel",
    target="zoo_bench.score.metrics.panel:panel",
    summary="FID under three judges, so that no claim rests on one network.",
    columns=(
        Column(
            "fid_twin",
            "lower",
            "FID under a twin of the judge, trained with a seed of the folder's own, 0 to inf",
            title="FID twin",
            scale="log",
            floor="fid_twin_real",
            group="overall",
        ),
        Column(
            "fid_pixels",
            "lower",
            "FID under principal components of the pixels, 0 to inf",
            title="FID pixels",
            scale="log",
            floor="fid_pixels_real",
            group="overall",
        ),
        Column(
            "panel",
            "lower",
            "Geometric mean over judges of FID over that of real items, 0 to inf; training items: 1",
            title="panel",
            scale="log",
            headline=True,
            group="overall",
        ),
        Column("fid_real", "", "FID of as many training items", group="companion"),
        Column("fid_twin_real", "", "The same under the twin", group="companion"),
        Column("fid_pixels_real", "", "The same under principal components of the pixels", group="companion"),
    ),
    needs=("images", "features"),
    version="1",
    judge=PANEL,
)

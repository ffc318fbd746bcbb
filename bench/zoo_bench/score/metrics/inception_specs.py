"""Metrics by the protocol of papers, and the columns that they fill. Imports nothing heavy."""

from __future__ import annotations

from zoo.columns import Column
from zoo.specs import MetricSpec

INCEPTION_METRICS = (
    MetricSpec(
        name="fid-inception",
        target="zoo_bench.score.metrics.inception:fid_inception",
        summary="FID as papers print it, of raw Inception features, to the held-out split.",
        columns=(
            Column(
                "fid_inception",
                "lower",
                "Fréchet distance of raw Inception features to all test items, 0 to inf",
                title="FID (Inception)",
                scale="log",
                group="published",
            ),
        ),
        needs=("images",),
        version="1",
        judge="inception-v3-compat",
        on_request=True,
    ),
    MetricSpec(
        name="fid-inception-train",
        target="zoo_bench.score.metrics.inception:fid_inception_train",
        summary="FID as papers print it, of raw Inception features, to the training split.",
        columns=(
            Column(
                "fid_inception_train",
                "lower",
                "Fréchet distance of raw Inception features to all training items, 0 to inf",
                title="FID to train (Inception)",
                scale="log",
                group="published",
            ),
        ),
        needs=("images",),
        version="1",
        judge="inception-v3-compat",
        on_request=True,
    ),
)

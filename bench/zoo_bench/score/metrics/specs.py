"""Every metric of the harness. Imports nothing heavy."""

from __future__ import annotations

from zoo_bench.score.metrics.feature_specs import FEATURE_METRICS
from zoo_bench.score.metrics.mode_specs import MODE_METRICS

METRICS = (*FEATURE_METRICS, *MODE_METRICS)

"""Every metric of the harness. Imports nothing heavy."""

from __future__ import annotations

from zoo_bench.score.metrics.feature_specs import FEATURE_METRICS
from zoo_bench.score.metrics.inception_specs import INCEPTION_METRICS
from zoo_bench.score.metrics.label_specs import LABEL_METRICS
from zoo_bench.score.metrics.mode_specs import MODE_METRICS
from zoo_bench.score.metrics.panel_specs import PANEL_METRIC

METRICS = (*FEATURE_METRICS, *INCEPTION_METRICS, *MODE_METRICS, *LABEL_METRICS, PANEL_METRIC)
"""Each has a version of its own: a release of genzoo changes no values, and a change of values raises the version."""

"""The plugin mean-shift: a metric. It imports no torch."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_metrics() -> Iterator[zoo.MetricSpec]:
    """Provide the metric."""
    yield zoo.MetricSpec(
        name="mean-shift",
        target="zoo_plugin_mean_shift.metric:mean_shift",
        summary="How far the mean of generated items is from the real mean.",
        columns=(zoo.Column("mean_shift", "lower", "Root mean square shift of a feature, in its real std, 0 to inf"),),
        needs=("features",),
    )

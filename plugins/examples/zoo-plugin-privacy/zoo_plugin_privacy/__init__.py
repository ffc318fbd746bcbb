"""The plugin privacy: a metric. It imports no torch."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_metrics() -> Iterator[zoo.MetricSpec]:
    """Provide the metric."""
    yield zoo.MetricSpec(
        name="membership",
        target="zoo_plugin_privacy.metric:membership",
        summary="What samples give away about who was in the training data.",
        columns=(
            zoo.Column(
                "membership_advantage",
                "lower",
                "Advantage over chance in telling training items from others by the nearest sample, -1 to 1; 0: none",
                title="membership",
                range=(-1, 1),
                group="memorisation",
            ),
            zoo.Column("membership_low", "", "Lower end of its 95 % interval", range=(-1, 1), group="companion"),
            zoo.Column("membership_high", "", "Upper end of its 95 % interval", range=(-1, 1), group="companion"),
        ),
        needs=("features",),
    )

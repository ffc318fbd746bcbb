"""The figure of what generated images add to few real ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from zoo_bench.report.read.augmentation import Gain
from zoo_bench.report.read.statistics import Estimate
from zoo_bench.report.show.figures import SCREEN, Look, canvas, drawn, legend, log_axis, margins, name, theme


def augmentation(found: Sequence[Gain], task: str) -> Figure:
    """Draw accuracy against the share of real images, with Student's intervals.

    Real images alone are black. Of every model, images beside the real ones are a line with filled markers, and its
    images alone a dotted one with open markers.

    Args:
        found: What :func:`zoo_bench.report.read.augmentation.gains` returned, not empty.
        task: Name of the task, for the axis.
    """
    fractions = sorted({one.fraction for one in found})
    models = list(dict.fromkeys(one.model for one in found))
    with drawn(SCREEN):
        figure, axes = canvas(SCREEN)

        def line(points: dict[float, Estimate], shift: int, **look: Any) -> None:
            x = [fraction * 1.03**shift for fraction in points]  # apart, so that no interval hides another
            means = [100 * point.mean for point in points.values()]
            ends = [(p.low, p.high) if p.n > 1 else (p.mean, p.mean) for p in points.values()]
            errors = [[max(0.0, m - 100 * max(0.0, e[0])) for m, e in zip(means, ends, strict=True)],
                      [max(0.0, 100 * min(1.0, e[1]) - m) for m, e in zip(means, ends, strict=True)]]  # fmt: skip
            axes.errorbar(x, means, yerr=errors, capsize=3, **look)

        alone = {one.fraction: one.real for one in sorted(found, key=lambda one: one.real.n)}
        line(dict(sorted(alone.items())), 0, color=theme()["ink"], marker="o", label="real images")
        for i, model in enumerate(models):
            look, ones = Look.of(i), [one for one in found if one.model == model]
            style = {"color": look.colour, "marker": look.marker}
            line({one.fraction: one.both for one in ones}, 2 * i + 1, **style, label=f"real and {name(model)}")
            line({one.fraction: one.generated for one in ones}, -2 * i - 1, **style,
                 linestyle=":", markerfacecolor="none", label=f"{name(model)} alone")  # fmt: skip
        log_axis(axes, "x", *margins([math.log10(f) for f in fractions], share=0.1))
        axes.xaxis.set_major_locator(FixedLocator(fractions))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
        axes.set(xlabel=f"share of the real training images of {task}", ylabel="accuracy on real test images")
        legend(figure, axes, SCREEN)
    return figure

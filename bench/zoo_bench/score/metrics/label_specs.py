"""The metrics of models that are given labels, and the columns that they fill. Imports nothing heavy."""

from __future__ import annotations

from zoo.columns import Column
from zoo.specs import MetricSpec

BY_CLASS = MetricSpec(
    name="by-class",
    target="zoo_bench.score.metrics.labelled:by_class",
    summary="Samples of a model that is given labels, class by class.",
    columns=(
        Column(
            "label_accuracy",
            "higher",
            "Share of samples that the judge sees as the class that was asked for, 0 to 1",
            title="as asked",
            scale="share",
            headline=True,
            group="modes",
        ),
        Column(
            "class_fid",
            "lower",
            "FID within classes, their mean, 0 to inf; few items per class make it higher",
            title="FID, class",
            scale="log",
            range=(0, None),
            headline=True,
            group="features",
        ),
        Column(
            "class_fid_worst",
            "lower",
            "FID of the class in which it is highest, 0 to inf",
            title="FID, worst class",
            scale="log",
            range=(0, None),
            group="features",
        ),
        Column(
            "class_coverage",
            "higher",
            "Coverage within classes, their mean, 0 to 1",
            title="coverage, class",
            scale="share",
            group="features",
        ),
    ),
    version="1",
)

TRAINED_ON = {"real": "the real training split", "generated": "generated images", "both": "both"}
"""What the classifier of `augmenting` is trained on, as its columns are called."""

AUGMENTING = MetricSpec(
    name="augmenting",
    target="zoo_bench.score.metrics.utility:augmenting",
    summary="Accuracy of a classifier trained on real images, on generated ones of asked classes, and on both.",
    columns=tuple(
        Column(
            f"accuracy_{name}",
            "" if name == "real" else "higher",
            f"Accuracy on real test images of a classifier trained on {images}, 0 to 1",
            scale="share",
            group="utility",
        )
        for name, images in TRAINED_ON.items()
    ),
    needs=("images", "modes"),
    version="1",
    on_request=True,
)

LABEL_METRICS = (BY_CLASS, AUGMENTING)

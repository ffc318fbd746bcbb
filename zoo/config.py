"""Settings of a model: validated fields, and where their defaults come from.

Defaults are those of the fields, changed by the shape of the data, then by a preset: what tuning found, or what a paper
says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

Shape = tuple[int, ...]
Schedule = Literal["constant", "linear", "cosine"]
Betas = tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]]
Kind = Literal["points", "small", "grey", "colour", "large"]


def kind_of(shape: Shape) -> Kind:
    """Return the kind of data that settings are tuned for.

    Points (D,) are one kind; images (C, H, W) are small up to 16 pixels, grey or colour up to 32, and large above.
    """
    if len(shape) != 3:
        return "points"
    channels, _, side = shape
    return "small" if side <= 16 else "large" if side > 32 else "grey" if channels == 1 else "colour"


@dataclass(frozen=True)
class Range:
    """The values that tuning draws a setting from, on the log scale.

    Attributes:
        low: Lowest value, above 0.
        high: Highest value.
    """

    low: float
    high: float


Space = Range | tuple[Any, ...]
"""What tuning draws a setting from: a range, or one of several values."""

COMMON_SEARCH: Mapping[str, Space] = {
    "lr": Range(1e-5, 1e-2),
    "betas": ((0.0, 0.9), (0.5, 0.9), (0.5, 0.999), (0.9, 0.999)),
    "batch_size": (64, 128, 256),
}
"""What tuning searches of every model that Adam trains, so that none has a choice that another lacks. The batch is part
of it because a budget of images buys twice as many updates at half the batch."""


class ModelConfig(BaseModel):
    """Settings of a model, validated and immutable. Subclass it and add fields with defaults.

    The harness carries out the fields declared here, for every model alike; a subclass may give them other defaults.

    Attributes:
        tuned: By kind of data, the defaults that ``zoo tune`` found; those of the preset "tuned", and of a config
            without a field ``preset``.
        named_presets: By the value of a field ``preset``, the defaults that a preset of this name changes, such as the
            networks and settings of one experiment of the paper.
        search: The settings that ``zoo tune`` searches, such as ``{**zoo.COMMON_SEARCH, "z_dim": (8, 32)}``.

    Raises:
        pydantic.ValidationError: For an unknown field or a value of the wrong type or range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    tuned: ClassVar[Mapping[Kind, Mapping[str, Any]]] = {}
    named_presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    search: ClassVar[Mapping[str, Space]] = {}
    named: ClassVar[Any]  # the old name of named_presets: declared so that zoo.model can refuse it and name the new one

    batch_size: int = Field(64, ge=1, description="Real items drawn, and charged, per round")
    schedule: Schedule = Field("constant", description="Of learning rates over the budget; all but constant end at 0")
    ema: float = Field(0.0, ge=0, lt=1, description="Decay of the weight average that is sampled from; 0: no average")

    @classmethod
    def shape_defaults(cls, shape: Shape) -> dict[str, Any]:
        """Return the defaults that differ for items of this shape, (C, H, W) or (D,)."""
        return {}

    @classmethod
    def resolve(cls, shape: Shape, settings: dict[str, Any]) -> Self:
        """Return the field defaults, overridden by those for this shape, the preset, and ``settings``."""
        name = str(settings.get("preset", "tuned"))
        preset = cls.tuned.get(kind_of(shape), {}) if name == "tuned" else cls.named_presets.get(name, {})
        return cls(**{**cls.shape_defaults(shape), **preset, **settings})


class LatentConfig(ModelConfig):
    """Settings of a model that samples from a standard normal latent."""

    z_dim: int = Field(100, ge=1, description="Dimensions of the latent, N(0, I)")


class ConditionalConfig(ModelConfig):
    """Settings of a model that can be given labels: one with ``conditional`` is trained on them and samples by class.

    Its losses find the labels of the batch in :attr:`zoo.Turn.labels`, and the harness calls ``sample(n, labels)``.
    Without ``conditional`` there are none, and neither field is part of what a run is known by.
    """

    conditional: bool = Field(False, description="Whether the model is given labels, and samples by class")
    classes: int = Field(0, ge=0, description="Classes of the data; a bench takes those of the task")

    @model_validator(mode="after")
    def _classes_are_known(self) -> Self:
        if self.conditional and not self.classes:
            raise ValueError("conditional=true needs the number of classes, as in classes=10")
        if self.classes and not self.conditional:
            raise ValueError("classes is used with conditional=true only")
        return self

    @model_serializer(mode="wrap")
    def _without_absent_labels(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialise(self)
        return fields if self.conditional else {k: v for k, v in fields.items() if k not in LABEL_FIELDS}


LABEL_FIELDS = ("conditional", "classes")

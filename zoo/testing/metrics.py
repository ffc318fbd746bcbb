"""Rules about metrics, examined on small stand-in tasks that offer what the metric needs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from zoo.catalogue import Entry
from zoo.errors import ZooError
from zoo.evaluation import Evaluation
from zoo.settings import changed, snapshot
from zoo.specs import MetricSpec
from zoo.task import Judgement, Mixture, Split, Task
from zoo.testing.check import Rule, rule
from zoo.testing.subject import Imported, imported, require

METRIC_RULES: list[Rule] = []
KNOWN_NEEDS = {"images", "points", "features", "modes", "mixture"}
STAND_IN_MODES = 4
STAND_IN_ITEMS = 600
"""Items of each split of a stand-in task."""

FEW_ITEMS = 12
STAND_IN_STD = 0.1


@dataclass
class StandInJudge:
    """Features are an item's values at 16 places or fewer; the mode is the nearest of four centres, (4, ...)."""

    centres: Tensor
    name: str = "stand-in"
    sha256: str = hashlib.sha256(b"stand-in").hexdigest()

    def to(self, device: torch.device) -> StandInJudge:
        """Stay on the CPU."""
        return self

    def features(self, data: Tensor) -> Tensor:
        """Return features (N, F)."""
        flat = data.double().flatten(1)
        return flat[:, :: max(1, flat.shape[1] // 16)]

    def modes(self, data: Tensor) -> Tensor:
        """Return modes (N,)."""
        return self._distances(data).argmin(1)

    def judge(self, data: Tensor) -> Judgement:
        """Return features, modes, and how sure of the modes it is."""
        distances = self._distances(data)
        confidence, modes = (-distances / distances.mean()).softmax(dim=1).max(dim=1)
        return Judgement(self.features(data), modes, confidence)

    def _distances(self, data: Tensor) -> Tensor:
        return torch.cdist(data.double().flatten(1), self.centres.double().flatten(1))


def stand_ins() -> list[Task]:
    """Return a small task of each kind: images of four classes, points of four classes, a mixture of four Gaussians."""
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    images = torch.randint(64, 192, (STAND_IN_MODES, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    return [
        _stand_in(images, 16.0, torch.uint8),
        _stand_in(corners, STAND_IN_STD, torch.float32),
        _stand_in(corners, STAND_IN_STD, torch.float32, Mixture(corners, STAND_IN_STD)),
    ]


def _stand_in(centres: Tensor, std: float, dtype: torch.dtype, mixture: Mixture | None = None) -> Task:
    def split(seed: int) -> Split:
        modes = torch.arange(STAND_IN_MODES).repeat(STAND_IN_ITEMS // STAND_IN_MODES)
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(STAND_IN_ITEMS, *centres.shape[1:], generator=generator) * std
        return Split((centres[modes] + noise).to(dtype), modes)

    judge = StandInJudge(centres)
    panel = () if centres.dim() == 2 else (StandInJudge(centres, "pixels"), StandInJudge(centres, "twin"))
    return Task(split(1), split(2), split(3), judge, STAND_IN_MODES, STAND_IN_ITEMS, mixture, panel)


@dataclass(frozen=True)
class MetricSubject:
    """A metric under examination.

    Attributes:
        entry: The metric's registry entry.
        task: The stand-in task to examine it on.
    """

    entry: Entry[MetricSpec]
    task: Task = field(default_factory=lambda: stand_ins()[0])

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.entry.spec.name

    @property
    def spec(self) -> MetricSpec:
        """The metric's spec."""
        return self.entry.spec

    @property
    def imported(self) -> Imported:
        """What importing the plugin does to a fresh interpreter."""
        return imported(self.entry)

    def subjects(self, _: Rule) -> list[tuple[MetricSubject, str]]:
        """See :class:`zoo.testing.check.Examined`."""
        fit = [task for task in stand_ins() if set(self.spec.needs) <= task.offers]
        subjects = [(MetricSubject(self.entry, task), f" (on {'x'.join(map(str, task.shape))} items)") for task in fit]
        return subjects or [(self, "")]

    @cached_property
    def controls(self) -> dict[str, Tensor]:
        """Samples of known quality: as good as real, training items of one mode, one item repeated, and noise."""
        train = self.task.train.data
        generator = torch.Generator().manual_seed(2)
        noise = torch.rand(train.shape, generator=generator)
        noise = (noise * 256 if train.dtype == torch.uint8 else 8.0 * noise - 4.0).to(train.dtype)
        one_mode = train[self.task.train.modes == 0]
        one_item = train[:1].expand_as(train).clone()
        return {"real": self.task.validation.data, "one-mode": one_mode, "one-item": one_item, "noise": noise}

    def score(self, samples: Tensor) -> dict[str, float]:
        """Score samples."""
        result = self.spec.load()(Evaluation(self.task, samples))
        require(isinstance(result, dict), f"the metric returns {type(result).__name__}, not a dictionary")
        return result


@rule("declare columns in the MetricSpec: Column('lower_case', 'lower', 'Definition, unit, range')", of=METRIC_RULES)
def columns_described(subject: MetricSubject) -> None:
    """Every column has a lower-case name, a direction and a description."""
    require(subject.spec.columns, "the spec has no columns")
    for column in subject.spec.columns:
        require(column.description.strip(), f"{column.name} has no description")


@rule(f"name in needs only what tasks offer: {', '.join(sorted(KNOWN_NEEDS))}", of=METRIC_RULES)
def needs_known(subject: MetricSubject) -> None:
    """Some task can offer all that the metric needs."""
    unknown = set(subject.spec.needs) - KNOWN_NEEDS
    require(not unknown, f"no task offers {', '.join(sorted(unknown))}")
    fit = any(set(subject.spec.needs) <= task.offers for task in stand_ins())
    require(fit, f"no task offers {' and '.join(subject.spec.needs)} together")


@rule("return {column name: number} with names that the MetricSpec declares", of=METRIC_RULES)
def columns_as_declared(subject: MetricSubject) -> None:
    """It returns numbers under declared names only, and each of them for some samples."""
    scores = subject.score(subject.controls["real"])
    declared = {column.name for column in subject.spec.columns}
    unknown = scores.keys() - declared
    require(scores, "the metric returns no columns")
    require(not unknown, f"the metric returns undeclared {', '.join(sorted(unknown))}")
    returned = scores.keys() | {name for data in subject.controls.values() for name in subject.score(data)}
    missing = declared - returned
    require(not missing, f"the metric declares {', '.join(sorted(missing))} and returns none, whatever it is given")
    for name, value in scores.items():
        require(isinstance(value, float | int), f"{name} is {type(value).__name__}, not a float")


@rule("guard logarithms and divisions; leave out of the result what cannot be computed", of=METRIC_RULES)
def finite_on_real_data(subject: MetricSubject) -> None:
    """Real data against real data have finite figures."""
    for name, value in subject.score(subject.controls["real"]).items():
        require(math.isfinite(value), f"{name} of real data is {value}")


@rule("draw from a torch.Generator of the metric's own with a fixed seed", of=METRIC_RULES)
def same_samples_same_figure(subject: MetricSubject) -> None:
    """The same samples get the same figures, whatever the global seed."""
    torch.manual_seed(1)
    first = subject.score(subject.controls["real"])
    torch.manual_seed(2)
    second = subject.score(subject.controls["real"])
    for name, value in first.items():
        same = math.isclose(value, second.get(name, math.nan), rel_tol=1e-6)
        require(same, f"{name} is {value}, then {second[name]}")


@rule("work on copies, and seed no generator but the metric's own: other metrics come after", of=METRIC_RULES)
def changes_nothing(subject: MetricSubject) -> None:
    """Items and features are as before, and so are global settings and the seed of torch's global generator."""
    evaluation = Evaluation(subject.task, subject.controls["real"].clone())
    watched = ["generated", "real", "features_generated", "features_real", "features_train"]
    before = {name: getattr(evaluation, name).clone() for name in watched}
    settings, seed = snapshot(), torch.initial_seed()
    subject.spec.load()(evaluation)
    for name, value in before.items():
        require(torch.equal(value, getattr(evaluation, name)), f"the metric changes the evaluation's {name}")
    require(not (changes := changed(settings)), f"the metric changes {', '.join(changes)}")
    require(torch.initial_seed() == seed, "the metric seeds torch's global generator")


@rule("score few samples as well, or raise a zoo.ZooError that says how many it takes", of=METRIC_RULES)
def few_samples(subject: MetricSubject) -> None:
    """A dozen samples get figures, or one sentence on why not."""
    try:
        subject.score(subject.controls["real"][:: STAND_IN_ITEMS // FEW_ITEMS])
    except ZooError as error:
        require(str(error).strip() and "\n" not in str(error), "the metric refuses few samples without a sentence")


@rule("turn the column's direction around, or leave it empty where neither is better", of=METRIC_RULES)
def direction(subject: MetricSubject) -> None:
    """By every column with a direction, real data are better than noise or than copies of one mode."""
    scores = {name: subject.score(samples) for name, samples in subject.controls.items()}
    for column in subject.spec.columns:
        if not column.better or column.name not in scores["real"]:
            continue
        sign = 1.0 if column.better == "higher" else -1.0
        real, *others = (sign * scores[name].get(column.name, math.nan) for name in ("real", "one-mode", "noise"))
        better = any(real > other for other in others)
        require(better, f"by {column.name}, where {column.better} is better, real data are behind noise and one mode")

"""Rules about tasks: their data, their splits and their judge."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from zoo.catalogue import Entry
from zoo.settings import changed, snapshot
from zoo.specs import TaskSpec
from zoo.task import Split, Task
from zoo.testing.check import Rule, rule
from zoo.testing.subject import Imported, imported, require

TASK_RULES: list[Rule] = []
EXAMINED_ITEMS = 256
MIN_ITEMS = 100
MAX_SHARED_FRACTION = 0.01
MIN_JUDGE_ACCURACY = 0.5

UNLIKELY_SEED = 20_231_017
"""A seed that no loader would choose."""


@dataclass(frozen=True)
class TaskSubject:
    """A task under examination.

    Attributes:
        entry: The task's registry entry.
    """

    entry: Entry[TaskSpec]

    @property
    def name(self) -> str:
        """The task's name."""
        return self.entry.spec.name

    @property
    def spec(self) -> TaskSpec:
        """The task's spec."""
        return self.entry.spec

    @property
    def imported(self) -> Imported:
        """What importing the plugin does to a fresh interpreter."""
        return imported(self.entry)

    def subjects(self, _: Rule) -> list[tuple[TaskSubject, str]]:
        """See :class:`zoo.testing.check.Examined`."""
        return [(self, "")]

    @cached_property
    def task(self) -> Task:
        """The task, loaded once."""
        return self.load()

    def load(self) -> Task:
        """Load the task."""
        task = self.spec.load()()
        require(isinstance(task, Task), f"the target returns {type(task).__name__}, not a zoo.Task")
        return task

    @property
    def splits(self) -> dict[str, Split]:
        """Training, validation and test split."""
        return {"train": self.task.train, "validation": self.task.validation, "test": self.task.test}

    @property
    def some(self) -> Tensor:
        """A few test items."""
        return self.task.test.data[:EXAMINED_ITEMS]


@rule("give the TaskSpec a version, and another whenever data or splits change", of=TASK_RULES)
def version(subject: TaskSubject) -> None:
    """The spec has a version."""
    require(subject.spec.version.strip(), "the spec has no version")


@rule("let data, shape and modes of the TaskSpec say what the task has", of=TASK_RULES)
def as_declared(subject: TaskSubject) -> None:
    """Kind, shape and number of modes are those of the spec."""
    spec, task = subject.spec, subject.task
    require(task.shape == tuple(spec.shape), f"items have shape {task.shape}, the spec says {tuple(spec.shape)}")
    require(task.modes == spec.modes, f"the task has {task.modes} modes, the spec says {spec.modes}")
    dimensions = {"images": 3, "points": 1}[spec.data]
    require(len(task.shape) == dimensions, f"items of shape {task.shape} are no {spec.data}")


@rule("store images as (N, C, H, W) uint8 from 0 to 255, and points as (N, D) float32", of=TASK_RULES)
def stored_form(subject: TaskSubject) -> None:
    """Images are uint8 and use their range; points are finite float32; all splits have one shape."""
    dtype = {"images": torch.uint8, "points": torch.float32}[subject.spec.data]
    for name, split in subject.splits.items():
        require(split.data.dtype == dtype, f"{name} data are {split.data.dtype}")
        require(tuple(split.data.shape[1:]) == subject.task.shape, f"{name} items have another shape than train's")
        require(dtype == torch.uint8 or split.data.isfinite().all(), f"{name} data have NaN or infinite values")
        require(dtype != torch.uint8 or split.data[:EXAMINED_ITEMS].max() > 1, f"{name} images have no value above 1")


@rule(f"give every split at least {MIN_ITEMS} items and let samples be at least {MIN_ITEMS}", of=TASK_RULES)
def enough_items(subject: TaskSubject) -> None:
    """Splits and samples are large enough for figures to mean something."""
    for name, split in subject.splits.items():
        require(len(split) >= MIN_ITEMS, f"the {name} split has {len(split)} items")
    require(subject.task.samples >= MIN_ITEMS, f"samples is {subject.task.samples}")


@rule("put an item into one split only", of=TASK_RULES)
def splits_disjoint(subject: TaskSubject) -> None:
    """No split shares more than one item in a hundred with another; real data have a few duplicates."""
    rows = {name: {item.tobytes() for item in split.data.numpy()} for name, split in subject.splits.items()}
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        share = len(rows[first] & rows[second]) / len(rows[second])
        require(share <= MAX_SHARED_FRACTION, f"{share:.0%} of the {second} items are in the {first} split as well")


@rule("give each split's modes as (N,) int64 from 0 to modes - 1, and every mode some test items", of=TASK_RULES)
def labels_in_range(subject: TaskSubject) -> None:
    """Labels are int64 from 0 to modes - 1, one per item, and every mode occurs in the test split."""
    task = subject.task
    for name, split in subject.splits.items():
        if split.modes is None:
            require(not task.modes, f"the task has {task.modes} modes and the {name} split no labels")
            continue
        require(split.modes.shape == (len(split),), f"{name} labels have shape {tuple(split.modes.shape)}")
        require(split.modes.dtype == torch.int64, f"{name} labels are {split.modes.dtype}")
        require(split.modes.min() >= 0, f"{name} labels go down to {split.modes.min()}")
        require(not task.modes or split.modes.max() < task.modes, f"{name} labels go up to {split.modes.max()}")
    if task.modes and task.test.modes is not None:
        missing = task.modes - len(task.test.modes.unique())
        require(not missing, f"{missing} of {task.modes} modes have no test item")


@rule("give the mixture one centre, (K, D), per mode, and a standard deviation above 0", of=TASK_RULES)
def mixture(subject: TaskSubject) -> None:
    """A mixture has a centre per mode and a positive standard deviation."""
    truth = subject.task.mixture
    if truth is not None:
        expected = (subject.task.modes, *subject.task.shape)
        require(tuple(truth.centres.shape) == expected, f"centres have shape {tuple(truth.centres.shape)}")
        require(truth.std > 0, f"std is {truth.std}")


@rule("read files, or draw from a generator of the task's own with a fixed seed", of=TASK_RULES)
def loads_again_the_same(subject: TaskSubject) -> None:
    """Loading again, under other global seeds, gives the same data, labels and judge."""
    first = subject.task
    torch.manual_seed(1)
    second = subject.load()
    for name in ("train", "validation", "test"):
        same = torch.equal(getattr(first, name).data, getattr(second, name).data)
        require(same, f"the {name} split differs when it is loaded again")
    require(first.judge.sha256 == second.judge.sha256, "the judge has another sha256 when it is loaded again")


@rule("leave settings alone, and seed generators of the task's own only", of=TASK_RULES)
def changes_no_settings(subject: TaskSubject) -> None:
    """Loading changes no global setting, and seeds no global generator."""
    torch.manual_seed(UNLIKELY_SEED)
    before, legacy, plain = snapshot(), np.random.get_state(), random.getstate()
    subject.load()
    require(not (changes := changed(before)), f"loading changes {', '.join(changes)}")
    require(torch.initial_seed() == UNLIKELY_SEED, "loading seeds torch's global generator")
    unchanged = all(np.array_equal(old, new) for old, new in zip(legacy, np.random.get_state(), strict=True))
    require(unchanged and random.getstate() == plain, "loading uses or seeds numpy.random or Python's random")


@rule("give the judge a name, and as sha256 the 64 hex digits of a hash of its weights or definition", of=TASK_RULES)
def judge_named(subject: TaskSubject) -> None:
    """The judge has a name and a hash."""
    judge = subject.task.judge
    require(judge.name, "the judge has no name")
    require(re.fullmatch("[0-9a-f]{64}", judge.sha256), f"the judge's sha256 is {judge.sha256!r}")


@rule("let features(data) map stored items to finite floats (N, F)", of=TASK_RULES)
def judge_features(subject: TaskSubject) -> None:
    """Features are finite floats, one row per item."""
    features = subject.task.judge.to(torch.device("cpu")).features(subject.some)
    require(features.dim() == 2 and len(features) == len(subject.some), f"features have shape {tuple(features.shape)}")
    require(features.is_floating_point() and features.isfinite().all(), "features are not finite floats")


@rule("put the judge's networks into eval mode, and let it treat every item on its own", of=TASK_RULES)
def judge_deterministic(subject: TaskSubject) -> None:
    """Features and modes depend on the item alone: not on time, chance or the rest of the batch."""
    judge, data = subject.task.judge, subject.some
    whole, parts = judge.features(data), torch.cat([judge.features(part) for part in data.split(7)])
    scale = float(whole.abs().max())
    require(torch.allclose(whole, parts, rtol=1e-3, atol=1e-4 * scale), "features depend on the rest of the batch")
    first, second = judge.modes(data), judge.modes(data)
    require(first is None or second is None or torch.equal(first, second), "modes of the same items differ")


@rule("let features and modes work on a copy", of=TASK_RULES)
def judge_leaves_items_alone(subject: TaskSubject) -> None:
    """Judging changes no item."""
    data = subject.some.clone()
    subject.task.judge.features(data)
    subject.task.judge.modes(data)
    require(torch.equal(data, subject.some), "the judge changes the items that it is given")


@rule("let modes(data) return (N,) int64 from 0 to modes - 1, or None if the task has no modes", of=TASK_RULES)
def judge_modes(subject: TaskSubject) -> None:
    """The judge gives every item a known mode, and most test items their own."""
    task, data = subject.task, subject.some
    modes = task.judge.modes(data)
    require(modes is not None or not task.modes, f"the task has {task.modes} modes and the judge knows none")
    if modes is None or not task.modes:
        return
    require(tuple(modes.shape) == (len(data),), f"modes have shape {tuple(modes.shape)}")
    require(modes.dtype == torch.int64, f"modes are {modes.dtype}")
    require(modes.min() >= 0 and modes.max() < task.modes, f"modes go from {modes.min()} to {modes.max()}")
    if task.test.modes is not None:
        accuracy = float((modes.cpu() == task.test.modes[:EXAMINED_ITEMS]).double().mean())
        require(accuracy > MIN_JUDGE_ACCURACY, f"the judge is right about {accuracy:.0%} of the test items")

"""What a run is a pure function of, and the plan: which runs a command means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from zoo.catalogue import Entry
from zoo.errors import FAILURES, PluginError, UnknownNameError, ZooError, described
from zoo.registry import Registry, installed
from zoo.specs import MetricSpec, TaskSpec
from zoo_bench.core.budget import Budget
from zoo_bench.plan.variants import changed, describe, select, value

if TYPE_CHECKING:
    from zoo.task import Task

PrecisionMode = Literal["fp32", "bf16", "fp32+compile", "bf16+compile"]
"""bf16 is autocast, with weights in fp32; compile is ``torch.compile`` of every player's loss."""


class RunSpec(BaseModel):
    """Everything that a run's result depends on; its hash is the run's key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="Model name")
    plugin: str = Field(description="Distribution that provides the model")
    plugin_version: str = Field(description="Version of that distribution")
    config: dict[str, Any] = Field(description="All settings of the model, resolved for the task's shape")
    task: str = Field(description="Task name")
    task_version: str = Field(description="Version of the task's data, splits and judge")
    judge: str = Field(description="Judge's name and the first 8 hex digits of its hash")
    metrics: tuple[str, ...] = Field(description="Names of the metrics computed")
    seed: int = Field(ge=0, description="Training seed")
    budget: str = Field(description="Canonical text of the budget")
    precision_mode: PrecisionMode = Field(description="Arithmetic of forward and backward passes, and compilation")
    device: str = Field(description='Kind of device: "cpu", "cuda" or "mps"')

    @cached_property
    def run_id(self) -> str:
        """SHA-256 of the canonical JSON of this spec, 64 hex digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def but(self, **fields: Any) -> RunSpec:
        """Return a spec with other values in these fields, and so with another key."""
        return RunSpec(**{**self.model_dump(), **fields})

    def __hash__(self) -> int:
        return hash(self.run_id)

    @cached_property
    def label(self) -> str:
        """The model with the settings that are not its defaults, as ``--models`` reads it: ``gan[packing=2]``."""
        return describe(self.model, changed(self.model, self.task, self.config))

    def __str__(self) -> str:
        return f"{self.label} on {self.task}, seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """The runs that a command means, and what was left out and why."""

    runs: list[RunSpec]
    left_out: list[str]


def parse_settings(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``["dcgan.lr=1e-4", ...]`` into ``{"dcgan": {"lr": 0.0001}}``; values are JSON, or else text.

    Raises:
        ZooError: If one has another form.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for text in settings:
        target, equals, chosen = text.partition("=")
        model, dot, setting = target.strip().partition(".")
        if not (equals and dot and model and setting):
            raise ZooError(f"--set {text!r} must have the form MODEL.SETTING=VALUE, for example dcgan.lr=1e-4")
        parsed.setdefault(model, {})[setting] = value(chosen)
    return parsed


def check_named(settings: Mapping[str, object], models: Collection[str], registry: Registry) -> None:
    """Check that every model with settings of ``--set`` is installed, and one of the models chosen.

    Raises:
        ZooError: If one is not.
    """
    for name in settings:
        registry.models.get(name)
        if name not in models:
            raise ZooError(f"--set has a setting of {name!r}, which --models does not name")


def load_task(entry: Entry[TaskSpec]) -> Task:
    """Load a task's data and judge.

    Raises:
        DataError: If files are absent; the message says which file goes where.
        PluginError: If the loader fails otherwise, or what it returns contradicts its spec.
    """
    from zoo.task import Task

    spec = entry.spec
    try:
        task = spec.load()()
    except UnknownNameError as error:
        raise PluginError(f"task {spec.name!r} of {entry.plugin} cannot be loaded: {error}") from error
    except ZooError:
        raise
    except FAILURES as error:
        message = f"task {spec.name!r} of {entry.plugin} cannot be loaded: {described(error)}"
        raise PluginError(message) from error
    if not isinstance(task, Task):
        raise PluginError(f"target of task {spec.name!r} of {entry.plugin} must return a zoo.Task, got {task!r}")
    if task.shape != spec.shape or task.modes != spec.modes:
        raise PluginError(
            f"task {spec.name!r} of {entry.plugin} says shape {spec.shape} with {spec.modes} modes, "
            f"but loads shape {task.shape} with {task.modes} modes"
        )
    return task


def plan(
    models: str,
    tasks: str,
    *,
    budget: str,
    seeds: int,
    metrics: str = "all",
    precision: str = "auto",
    device: str = "auto",
    settings: dict[str, dict[str, Any]] | None = None,
    registry: Registry | None = None,
) -> Plan:
    """Resolve names, settings and data into runs, seed by seed; nothing is written.

    Models are read by :func:`zoo_bench.plan.variants.select`; a variant's own settings go before ``settings``. A model
    that does not apply to a task, or cannot be imported, is left out, unless it was named: then that is an error. So is
    a task whose data are absent or damaged.

    Raises:
        ZooError: If any argument is unusable, in one sentence.
    """
    registry = registry or installed()
    limit = Budget.parse(budget)
    if seeds < 1:
        raise ZooError(f"--seeds must be at least 1, got {seeds}")
    chosen = select(models, registry.models)
    left_out: list[str] = []
    metric_entries = _own_columns(registry.metrics.select(metrics), left_out)
    settings = settings or {}
    check_named(settings, [variant.entry.spec.name for variant in chosen], registry)
    arithmetic = resolve_precision(precision)
    kind = resolve_device(device)

    from zoo.model import check_applies, configure

    runs: list[RunSpec] = []
    for task_entry, task in _load_tasks(tasks, registry, left_out):
        applicable = tuple(sorted(m.spec.name for m in metric_entries if set(m.spec.needs) <= task.offers))
        for variant in chosen:
            entry = variant.entry
            try:
                check_applies(entry.spec, task.shape)
            except ZooError as error:
                if variant.named:
                    raise ZooError(f"{error} (task {task_entry.spec.name!r})") from error
                left_out.append(f"{error} (task {task_entry.spec.name!r})")
                continue
            try:
                _, config = configure(entry, task.shape, {**settings.get(entry.spec.name, {}), **variant.settings})
            except PluginError as error:
                if variant.named:
                    raise
                left_out.append(f"{error} (task {task_entry.spec.name!r})")
                continue
            runs += [
                RunSpec(
                    model=entry.spec.name,
                    plugin=entry.plugin.distribution,
                    plugin_version=entry.plugin.version,
                    config=config.model_dump(mode="json"),
                    task=task_entry.spec.name,
                    task_version=task_entry.spec.version,
                    judge=f"{task.judge.name}@{task.judge.sha256[:8]}",
                    metrics=applicable,
                    seed=seed,
                    budget=str(limit),
                    precision_mode=arithmetic,
                    device=kind,
                )
                for seed in range(seeds)
            ]
    return Plan(sorted(dict.fromkeys(runs), key=lambda run: run.seed), left_out)


def _own_columns(metrics: list[Entry[MetricSpec]], left_out: list[str]) -> list[Entry[MetricSpec]]:
    """Leave out the metrics with a column that the harness fills."""
    from zoo_bench.plan.record import RUN

    found = []
    for entry in metrics:
        if taken := [column.name for column in entry.spec.columns if column.name in RUN]:
            left_out.append(
                f"metric {entry.spec.name!r} of {entry.plugin} has a column {taken[0]!r}, which the harness fills: "
                "choose another name"
            )
        else:
            found.append(entry)
    return found


def _load_tasks(patterns: str, registry: Registry, left_out: list[str]) -> Iterator[tuple[Entry[TaskSpec], Task]]:
    """Load one task after another; one that only a pattern means is left out if its data are absent or unusable."""
    named = {name.strip() for name in patterns.split(",")}
    for entry in registry.tasks.select(patterns):
        spec = entry.spec
        must = spec.name in named or spec.argument
        if spec.absent and not must:
            left_out.append(f"task {spec.name!r} needs {spec.state}: try `zoo data {spec.name}`")
            continue
        try:
            task = load_task(entry)
        except ZooError as error:
            if must:
                raise
            left_out.append(str(error))
            continue
        yield entry, task


def resolve_precision(precision: str) -> PrecisionMode:
    """Return the mode; "auto" is fp32 until :mod:`zoo_bench.measure.probe` has found a faster one."""
    modes: dict[str, PrecisionMode] = {"auto": "fp32", **{mode: mode for mode in get_args(PrecisionMode)}}
    if precision not in modes:
        raise UnknownNameError("precision", precision, list(modes))
    return modes[precision]


def resolve_device(device: str) -> str:
    """Return the kind of device; "auto" is CUDA or MPS if there is one, else the CPU."""
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(kind for kind, there in present.items() if there)
    if device not in present:
        raise UnknownNameError("device", device, ["auto", *present])
    if not present[device]:
        raise ZooError(
            f"--device {device}: this machine has no {device.upper()} device that torch can use; try --device auto"
        )
    return device

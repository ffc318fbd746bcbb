"""The plan: the runs that a command asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from zoo.catalogue import Entry
from zoo.errors import PluginError, UnknownNameError, ZooError
from zoo.registry import Registry, installed
from zoo.specs import TaskSpec
from zoo_bench.core.budget import Budget
from zoo_bench.plan.labels import value
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.variants import select

if TYPE_CHECKING:
    from zoo.task import Task
    from zoo_bench.judges.panel import Panel

from zoo_bench.data.loading import check_task, load_task
from zoo_bench.plan.resources import share_this_machine
from zoo_bench.plan.scoring import ScorePlan, score_plan
from zoo_bench.plan.spec import PrecisionMode, RunSpec


@dataclass(frozen=True)
class Plan:
    """What a command asks for.

    Attributes:
        runs: The runs, seed by seed.
        left_out: One sentence about each model or task that was left out.
        scores: By task, how its runs are scored.
    """

    runs: list[RunSpec]
    left_out: list[str]
    scores: dict[str, ScorePlan]

    def with_changes(self, **fields: Any) -> Plan:
        """Return a plan of the same runs with new values in these fields of their specs."""
        return replace(self, runs=[spec.with_changes(**fields) for spec in self.runs])


def parse_settings(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``["dcgan.lr=1e-4", ...]`` into ``{"dcgan": {"lr": 0.0001}}``; values are JSON, or else text.

    Raises:
        ZooError: If one has another form.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for text in settings:
        target, equals, value_text = text.partition("=")
        model, dot, setting = target.strip().partition(".")
        if not (equals and dot and model and setting):
            raise ZooError(f"--set {text!r} must have the form MODEL.SETTING=VALUE, for example dcgan.lr=1e-4")
        parsed.setdefault(model, {})[setting] = value(value_text)
    return parsed


def read_settings(settings: Any) -> dict[str, dict[str, Any]]:
    """Read settings as Python gives them into ``{"dcgan": {"lr": 0.0001}}``.

    Args:
        settings: ``{"dcgan": {"lr": 1e-4}}``, ``{"dcgan.lr": 1e-4}``, both in one, or texts of :func:`parse_settings`.

    Raises:
        ZooError: If it has another form.
    """
    if not isinstance(settings, Mapping):
        texts = [settings] if isinstance(settings, str) else list(settings)
        return parse_settings([str(text) for text in texts])
    parsed: dict[str, dict[str, Any]] = {}
    for key, given in settings.items():
        model, _, setting = str(key).partition(".")
        named = {setting: given} if setting else given
        if not (model and isinstance(named, Mapping)):
            form = 'must have the form {"dcgan.lr": 1e-4} or {"dcgan": {"lr": 1e-4}}'
            raise ZooError(f"settings {{{key!r}: {given!r}}} {form}")
        parsed.setdefault(model, {}).update({str(name): one for name, one in named.items()})
    return parsed


def check_named(settings: Mapping[str, object], models: Collection[str], registry: Registry) -> None:
    """Check that every model with settings of ``--set`` is installed, and is among the models of the plan.

    Raises:
        ZooError: If one is not.
    """
    for name in settings:
        registry.models.get(name)
        if name not in models:
            raise ZooError(f"--set has a setting of {name!r}, which --models does not name")


def plan(
    options: BenchOptions,
    registry: Registry | None = None,
    panel: Panel | None = None,
    log: Callable[[str], None] | None = None,
) -> Plan:
    """Resolve names, settings and data into runs, seed by seed; nothing is written.

    Models are read by :func:`zoo_bench.plan.variants.select`; a variant's settings override ``options.settings``.
    A model that does not apply to a task, or cannot be imported, is left out, unless it was named: then that is an
    error. The same holds for a task whose data are absent or damaged.

    Args:
        options: What is asked for.
        registry: The plugins; None: those that are installed.
        panel: The judges beside the tasks' own.
        log: Called with a sentence before one of these is trained; None: none is.

    Raises:
        ZooError: If any option is unusable, in one sentence.
    """
    registry = registry or installed()
    limit = Budget.parse(options.budget)
    variants = select(options.models, registry.models)
    left_out: list[str] = []
    metric_entries = registry.metrics.select(options.metrics)
    settings = options.settings
    check_named(settings, [variant.entry.spec.name for variant in variants], registry)
    arithmetic = resolve_precision(options.precision)
    device = resolve_device(options.device)

    from zoo.model import check_applies, configure

    runs: list[RunSpec] = []
    scores: dict[str, ScorePlan] = {}
    for task_entry, task in _load_tasks(options.task, registry, left_out):
        before = len(runs)
        for variant in variants:
            entry = variant.entry
            try:
                check_applies(entry.spec, task.shape)
            except ZooError as error:
                if variant.named:
                    raise ZooError(f"{error} (task {task_entry.spec.name!r})") from error
                left_out.append(f"{error} (task {task_entry.spec.name!r})")
                continue
            try:
                chosen = with_classes(
                    {**settings.get(entry.spec.name, {}), **variant.settings}, task_entry.spec.name, task
                )
                _, config = configure(entry, task.shape, chosen)
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
                    seed=seed,
                    budget=str(limit),
                    precision_mode=arithmetic,
                    device=device,
                    threads=None,
                )
                for seed in options.training_seeds
            ]
        train = log if len(runs) > before else None
        scores[task_entry.spec.name] = score_plan(task_entry.spec, task, metric_entries, registry.metrics, panel, train)
    runs = sorted(dict.fromkeys(runs), key=lambda run: run.seed or 0)
    if device == "cpu" and runs:
        threads = options.threads or 1
        if options.executor == "local":
            threads = share_this_machine(runs, options.workers, options.threads)[0].threads
        runs = [spec.with_changes(threads=threads) for spec in runs]
    return Plan(runs, left_out, scores)


def with_classes(settings: dict[str, Any], task_name: str, task: Task) -> dict[str, Any]:
    """Return a model's settings with the number of the task's classes, if they say that it is given labels.

    Raises:
        ZooError: If the task has none.
    """
    if not settings.get("conditional"):
        return settings
    if not task.classes:
        raise ZooError(f"conditional=true needs labels, and task {task_name!r} has none")
    return {**settings, "classes": task.classes}


def _load_tasks(patterns: str, registry: Registry, left_out: list[str]) -> Iterator[tuple[Entry[TaskSpec], Task]]:
    """Load one task after another; one that only a pattern matches is left out if its data are absent or unusable."""
    named = {name.strip() for name in patterns.split(",")}
    for entry in registry.tasks.select(patterns):
        spec = entry.spec
        required = spec.name in named or spec.argument
        if spec.absent and not required:
            left_out.append(f"task {spec.name!r} needs {spec.state}: try `zoo data {spec.name}`")
            continue
        try:
            task = load_task(entry)
            check_task(entry, task)
        except ZooError as error:
            if required:
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
    """Return the type of device; "auto" is CUDA or MPS if there is one, else the CPU."""
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, is_available in available.items() if is_available)
    if device not in available:
        raise UnknownNameError("device", device, ["auto", *available])
    if not available[device]:
        raise ZooError(
            f"--device {device}: this machine has no {device.upper()} device that torch can use; try --device auto"
        )
    return device

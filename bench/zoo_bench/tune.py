"""Tuning with the same number of trials for every model, chosen on validation data, and recorded."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, FiniteFloat

from zoo.config import Range, Space
from zoo.errors import UnknownNameError, ZooError
from zoo.files import read_regular, write_atomically
from zoo.model import check_applies, configure, load_class
from zoo.registry import installed
from zoo_bench.core.budget import Budget
from zoo_bench.core.keyed import parse_json
from zoo_bench.core.names import file_name
from zoo_bench.executors import Event, Finished, Options
from zoo_bench.plan.options import BenchOptions, check_positive
from zoo_bench.plan.planning import check_named, plan
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.read.best_of_n import BestOf, best_of_n
from zoo_bench.store.records import Store

FIRST_SEED = 1000
"""Training seeds of trials start here, so that no bench is scored on a seed that it was tuned on."""

TRIALS_PER_BATCH = 4
"""Trials that are suggested together; the same on every machine, so that studies do not depend on it."""

SAMPLERS = ("tpe", "random")

TPE_RANDOM_DRAWS = 10
"""Suggestions that TPE draws at random before it learns from values."""

FINALIST_COUNT = 3
"""Trials that are run again at the final budget, if there is one."""

OBJECTIVE = "FID against the validation split at the end of the budget, geometric mean over seeds"


class Trial(BaseModel):
    """One choice of settings. The first trial of every study is the defaults."""

    settings: dict[str, Any] = Field(description="What was chosen; the others are fixed or have their defaults")
    value: FiniteFloat | None = Field(description="The objective; None if a run diverged or failed")
    runs: list[str] = Field(description="Identifiers of its runs")


class Study(BaseModel):
    """All trials of one model on one task, and what they cost."""

    model: str
    plugin: str
    plugin_version: str
    task: str
    task_version: str
    shape: tuple[int, ...] = Field(description="Of an item, (C, H, W) or (D,)")
    judge: str
    budget: str = Field(description="Of every run of `trials`")
    seeds: int = Field(description="Runs of every trial")
    seed: int = Field(description="Of the sampler")
    sampler: str = Field(description="What suggested settings")
    objective: str = OBJECTIVE
    fixed: dict[str, Any] = Field({}, description="Settings of every trial, which are not searched")
    search: dict[str, Any] = Field(description="The space: a range on the log scale, or choices")
    trials: list[Trial] = Field(min_length=1, description="The defaults first")
    final_budget: str | None = Field(None, description="Of every run of `finals`")
    finals: list[Trial] = Field([], description="The best trials again, at the final budget, which decides")

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What two studies have in common if their values may be compared."""
        return self.task, self.budget, self.judge, self.seeds, self.task_version

    @property
    def draws(self) -> list[Trial]:
        """The trials whose settings were drawn at random, so that they are independent; TPE's later ones are not."""
        return self.trials[1:] if "RandomSampler" in self.sampler else self.trials[1 : 1 + TPE_RANDOM_DRAWS]

    @property
    def best_of_n(self) -> list[BestOf]:
        """The expected best of n trials: of the defaults and n - 1 random draws."""
        return best_of_n(_order(self.trials[0]), [_order(trial) for trial in self.draws])

    @property
    def best(self) -> Trial:
        """The final, or else the trial, with the lowest value; the first if none has one."""
        return min(self.finals or self.trials, key=_order)


def _order(trial: Trial) -> float:
    return math.inf if trial.value is None else trial.value


@dataclass(frozen=True)
class Effort:
    """The effort that every model is given.

    Attributes:
        task: Name of a task.
        budget: Budget of every run.
        trials: Choices of settings, the defaults among them.
        seeds: Runs of each.
        seed: Seed of the sampler.
        sampler: "random" draws all settings independently, "tpe" (Bergstra et al. 2011) the first ten, and learns then.
        final_budget: Budget with which the three best trials are run again, because what wins short runs need not win
            long ones (successive halving, Jamieson and Talwalkar 2016).
        fixed: By model, settings of every trial, which are not searched.

    Raises:
        ZooError: If a number is below one or too large, or the sampler or the final budget is none.
    """

    task: str
    budget: str
    trials: int
    seeds: int = 1
    seed: int = 0
    sampler: str = "tpe"
    final_budget: str | None = None
    fixed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_positive(trials=self.trials, seeds=self.seeds)
        if not 0 <= self.seed < 2**32:  # what NumPy's generators take
            raise ZooError(f"--seed must be 0 to {2**32 - 1:,}, got {self.seed}")
        if self.sampler not in SAMPLERS:
            raise UnknownNameError("sampler", self.sampler, SAMPLERS)
        if self.final_budget:
            Budget.parse(self.final_budget)


def tunable(
    models: str, task: str, fixed: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[list[str], list[str]]:
    """Return the selected models that apply to a task and have settings to search, and a sentence for each other.

    Raises:
        ZooError: If a name is unknown, or ``fixed`` has a model that is not selected or a setting that its model
            refuses.
    """
    fixed = fixed or {}
    shape = installed().tasks.get(task).spec.shape
    selected = installed().models.select(models)
    check_named(fixed, [entry.spec.name for entry in selected], installed())
    names, left_out = [], []
    for entry in selected:
        name = entry.spec.name
        try:
            check_applies(entry.spec, shape)
            search = load_class(entry).Config.search
        except ZooError as error:
            left_out.append(f"{error} (task {task!r})")
            continue
        if name in fixed:
            configure(entry, shape, dict(fixed[name]))
        if set(search) - set(fixed.get(name, {})):
            names.append(name)
        elif search:
            left_out.append(f"model {name!r} has nothing left to search: --set has all of {', '.join(search)}")
        else:
            left_out.append(f"model {name!r} declares no search space: give its Config a `search`")
    return names, left_out


def tune(
    model: str,
    effort: Effort,
    store: Store,
    options: Options,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Study:
    """Search a model's settings; runs that are stored are not run again. The study is written into the store's folder.

    Args:
        model: Name of a model that declares a search space.
        effort: The effort that every model is given.
        store: Where the records of runs are, without weights.
        options: Options of the executor.
        on_event: Called with every event.

    Raises:
        ZooError: If an argument is unusable, or Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ZooError("`zoo tune` needs Optuna: python -m pip install 'genzoo[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    config = load_class(installed().models.get(model)).Config
    fixed = dict(effort.fixed.get(model, {}))
    space = {name: values for name, values in config.search.items() if name not in fixed}
    sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=effort.seed)
    if effort.sampler == "tpe":
        sampler = optuna.samplers.TPESampler(seed=effort.seed, constant_liar=True, n_startup_trials=TPE_RANDOM_DRAWS)
    search = optuna.create_study(sampler=sampler)

    def run(choices: list[dict[str, Any]], budget: str = effort.budget) -> list[Trial]:
        planned = [_specs(model, effort, options, budget, settings) for settings in choices]
        return _trials(planned, choices, store, options, on_event)

    trials = run([{}])
    while len(trials) < effort.trials:
        suggestions = [search.ask() for _ in range(min(TRIALS_PER_BATCH, effort.trials - len(trials)))]
        choices = [{name: _suggest(trial, name, values) for name, values in space.items()} for trial in suggestions]
        results = run(choices)
        for trial, result in zip(suggestions, results, strict=True):
            search.tell(trial, math.inf if result.value is None else result.value)
        trials += results
    finals = []
    if effort.final_budget:
        finalists = list({trial.runs[0]: trial for trial in sorted(trials, key=_order)}.values())[:FINALIST_COUNT]
        finals = run([trial.settings for trial in finalists], effort.final_budget)
    specs = _specs(model, effort, options, effort.budget, {})
    study = Study(
        **specs[0].model_dump(include={"model", "plugin", "plugin_version", "task", "task_version", "budget"}),
        judge=next((record.curve_judge for spec in specs if (record := store.find(spec))), ""),
        shape=installed().tasks.get(effort.task).spec.shape,
        seeds=effort.seeds,
        seed=effort.seed,
        sampler=f"optuna {optuna.__version__} {type(sampler).__name__}",
        fixed=fixed,
        search={name: _described(values) for name, values in space.items()},
        trials=trials,
        final_budget=effort.final_budget,
        finals=finals,
    )
    path = store.root / file_name(f"{study.task}-{study.model}.json")
    write_atomically(path, study.model_dump_json(indent=1).encode())
    return study


def read_studies(folder: Path, problems: list[str] | None = None) -> list[Study]:
    """Return the studies that are in a folder, those that may be compared together; other files are left alone.

    Args:
        folder: The folder.
        problems: Receives a sentence for every file that is no JSON, or a damaged study.

    Raises:
        ZooError: If there are none.
    """
    studies, problems = [], [] if problems is None else problems
    for path in sorted(folder.glob("*.json")):
        try:
            content = parse_json(read_regular(path))
            if isinstance(content, dict) and "trials" in content:
                studies.append(Study.model_validate(content))
        except ZooError as error:
            problems.append(str(error))
        except ValueError as error:
            problems.append(f"{str(path)!r} is no study: {' '.join(str(error).split())[:200]}")
    if not studies and problems:
        raise ZooError(f"no studies in {str(folder)!r} can be read: {problems[0]}")
    if not studies:
        raise ZooError(f"no studies in {str(folder)!r}: name a folder that `zoo tune --out` wrote")
    return sorted(studies, key=lambda study: (study.key, study.model))


def _suggest(trial: Any, name: str, space: Space) -> Any:
    if isinstance(space, Range):
        return float(f"{trial.suggest_float(name, space.low, space.high, log=True):.3g}")
    return space[trial.suggest_categorical(name, range(len(space)))]


def _described(space: Space) -> Any:
    return {"low": space.low, "high": space.high, "scale": "log"} if isinstance(space, Range) else list(space)


def _specs(model: str, effort: Effort, execution: Options, budget: str, settings: dict[str, Any]) -> list[RunSpec]:
    settings = {**effort.fixed.get(model, {}), **settings}
    options = BenchOptions(
        models=model,
        task=effort.task,
        budget=budget,
        seeds=[FIRST_SEED + seed for seed in range(effort.seeds)],
        settings={model: settings},
        workers=execution.workers,
        threads=execution.threads,
    )
    return plan(options).runs


def _trials(
    planned: list[list[RunSpec]],
    choices: list[dict[str, Any]],
    store: Store,
    options: Options,
    on_event: Callable[[Event], None],
) -> list[Trial]:
    """Run several choices of settings side by side, without the runs that are stored as ok or diverged."""
    final_statuses = ("ok", "diverged")
    missing = [
        spec
        for spec in dict.fromkeys(itertools.chain(*planned))
        if (record := store.find(spec)) is None or record.status not in final_statuses
    ]
    if missing:
        store.create()
        for event in installed().executors.get("local").spec.load()(missing, options):
            if isinstance(event, Finished):
                store.save(Outcome(event.outcome.record))
            on_event(event)
    return [
        Trial(settings=settings, value=_value([store.find(spec) for spec in specs]), runs=[s.run_id for s in specs])
        for settings, specs in zip(choices, planned, strict=True)
    ]


def _value(records: list[RunRecord | None]) -> float | None:
    """Return the geometric mean of the last validation FIDs, or None if any run has none."""
    values = [r.curve[-1]["fid"] for r in records if r is not None and r.status == "ok" and r.curve]
    return statistics.geometric_mean(values) if len(values) == len(records) else None

"""Stored runs that are to be scored again, and those that were trained or scored by code that has changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from zoo.catalogue import Entry
from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.executors import Event, Finished, Options, Rescored
from zoo_bench.plan.code import fingerprint
from zoo_bench.plan.record import RunRecord
from zoo_bench.plan.scoring import ScorePlan
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.text import plural
from zoo_bench.store.records import Store


def outdated_scores(
    records: Iterable[RunRecord], plans: Mapping[str, ScorePlan], store: Store, *, failed: bool = False
) -> tuple[dict[RunSpec, list[str]], list[str]]:
    """Return, by run, the names of the scores that must be computed, and sentences about runs of which none can be.

    Args:
        records: The runs.
        plans: By task, how runs are to be scored.
        store: Where they are stored.
        failed: Whether scores that could not be computed are to be computed again.
    """
    from zoo_bench.run.rescore import is_kept

    outdated = {r.spec: names for r in records if (names := plans[r.spec.task].outdated(r, failed=failed))}
    lost = [spec for spec in outdated if not is_kept(store.path(spec))]
    for spec in lost:
        del outdated[spec]
    if not lost:
        return outdated, []
    count = f"{lost[0]}" if len(lost) == 1 else f"{lost[0]} and {plural(len(lost) - 1, 'more run')}"
    return outdated, [f"{count} cannot be scored again, as neither weights nor samples are there: --force trains again"]


def rescored(store: Store, outdated: Mapping[RunSpec, list[str]], options: Options) -> Iterator[Event]:
    """Compute scores of stored runs on this machine, each in a process of its own, and store them.

    A run whose scores cannot be computed keeps those that it has.
    """
    if not outdated:
        return
    from zoo_bench.executors.local import run_here
    from zoo_bench.run.rescore import rescore

    places = {spec.run_id: (store.path(spec), names) for spec, names in outdated.items()}
    for event in run_here(list(outdated), options, partial(rescore, outdated=places)):
        if isinstance(event, Finished):
            record = event.outcome.record
            if record.status == "ok":
                store.update(record)
            yield Rescored(event.spec, record, tuple(outdated[event.spec]))


def changed_code(records: Iterable[RunRecord], plans: Mapping[str, ScorePlan]) -> list[str]:
    """Return a sentence for every model, task and metric whose code has changed since stored runs, without a version.

    Records of runs before fingerprints were kept have none, and are not mentioned.
    """
    registry = installed()
    changed: Counter[tuple[str, str]] = Counter()

    def count(kind: str, name: str, entry: Callable[[], Entry[Any]], stored: str) -> None:
        if stored and stored != _fingerprint(entry):
            changed[kind, name] += 1

    for record in records:
        spec = record.spec
        count("model", spec.model, partial(registry.models.get, spec.model), record.code)
        count("task", spec.task, partial(registry.tasks.get, spec.task), record.task_code)
        for name, key in plans[spec.task].keys.items():
            if (score := record.scores.get(name)) and score.has_key_of(key) and score.code:
                count("metric", name, partial(registry.metrics.get, name), score.code)
    return [
        f"the code of {kind} {name!r} has changed since {plural(n, 'stored run')}, its version has not: "
        + ("`zoo score --force` scores them again" if kind == "metric" else "--force trains them again")
        for (kind, name), n in sorted(changed.items())
    ]


def _fingerprint(entry: Callable[[], Entry[Any]]) -> str:
    try:
        return fingerprint(entry())
    except ZooError:
        return ""

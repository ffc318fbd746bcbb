"""What of a bench is to be done, at once or, with ``--seeds auto``, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from zoo_bench.executors import Looked
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import RunRecord
from zoo_bench.plan.scoring import ScorePlan
from zoo_bench.plan.seeds import AUTO, format_seeds, looks
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.read.claims import Model
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.summary import Summary, summarise
from zoo_bench.report.text import plural
from zoo_bench.scoring import changed_code, outdated_scores
from zoo_bench.store.records import Store, read_record

if TYPE_CHECKING:
    from zoo_bench.benchmark import Bench
    from zoo_bench.executors import Event

MAX_PAIRS = 6
"""Pairs of models that a sentence names; more are counted."""


def to_do(
    runs: Sequence[RunSpec], scores: Mapping[str, ScorePlan], options: BenchOptions, store: Store
) -> tuple[dict[RunSpec, datetime | None], dict[RunSpec, list[str]], list[str]]:
    """Return what is to be done.

    Returns:
        The runs that are to be trained, with the start of the stored run that each replaces; by stored run the scores
        that are to be computed; and sentences on these.
    """
    stored = {spec: record for spec in runs if (record := store.find(spec))}
    missing = {
        spec: stored[spec].started_at if spec in stored else None
        for spec in runs
        if options.force or _is_missing(stored.get(spec), options.retry_failed)
    }
    done = {spec: record for spec, record in stored.items() if spec not in missing}
    outdated, notes = outdated_scores(done.values(), scores, store, failed=options.retry_failed)
    return missing, outdated, notes + changed_code(done.values(), scores)


def _is_missing(record: RunRecord | None, retry_failed: bool) -> bool:
    return record is None or record.status == "interrupted" or (retry_failed and record.status in ("error", "timeout"))


def seeds_sentence(limit: int) -> str:
    """Return what ``--seeds auto`` does up to a limit."""
    first, last = (looks(limit)[place][0] for place in (0, -1))
    then = f", and up to {last} of those in a pair that is not separable" if last > first else ""
    return f"--seeds auto: {first} seeds of every model{then}"


def stages(bench: Bench, on_event: Callable[[Event], None]) -> Iterator[Bench]:
    """Yield a bench and, with ``--seeds auto``, what each look at the results adds to it, while that is not nothing.

    A stage must be done before the next is asked for. Decisions depend on nothing but the runs of the seeds so far, so
    the same command takes the same ones again. The plan of the bench grows in place.

    Args:
        bench: From :func:`zoo_bench.benchmark.prepare`.
        on_event: Called with every look.
    """
    if not bench.options.seed_limit:
        yield bench
        return
    numbers = [n for n, _ in looks(bench.options.seed_limit)]
    stage = bench
    for made, following in pairwise([*numbers, 0]):
        _mark(stage)
        yield stage
        runs, sentences = further(bench, made, following)
        missing, outdated, notes = to_do(runs, bench.plan.scores, bench.options, bench.store)
        bench.plan.runs.extend(runs)
        on_event(Looked((*sentences, *notes), len(runs), len(missing), len(outdated)))
        if not runs:
            return
        stage = replace(bench, plan=replace(bench.plan, runs=runs), missing=missing, outdated=outdated)


def _mark(stage: Bench) -> None:
    """Write into stored runs of a stage that they take part in its decisions, so that every table allows for these."""
    for spec in stage.plan.runs:
        record = stage.store.find(spec)
        if record and record.seed_plan != AUTO and spec not in stage.missing:
            whole = read_record(stage.store.path(spec))  # with its history
            stage.store.update(whole.model_copy(update={"seed_plan": AUTO}))


def further(bench: Bench, made: int, following: int) -> tuple[list[RunSpec], list[str]]:
    """Look at the results of a bench, and return the runs that it needs next and a sentence on each of its tables.

    A table of which the last stage had no run is as it was, and has neither. Controls are scored when all runs are
    done; decisions must not depend on whether they are there, so marks that compare with them play no part.

    Args:
        bench: Its planned runs are done.
        made: Number of seeds, from 0 on, that the look is at.
        following: That of the next look; 0 if this is the last.
    """
    planned = set(bench.plan.runs)
    runs: list[RunSpec] = []
    sentences = []
    for summary in map(summarise, groups(bench.frame())):
        trained = summary.group.trained
        if trained["seed"].max() + 1 < made:
            continue
        pairs = open_pairs(summary)
        ids = set(trained.loc[trained["_label"].isin({label for pair in pairs for label in pair}), "run_id"])
        models = [spec for spec in bench.plan.runs if spec.seed == 0 and spec.run_id in ids]
        every = [model.with_changes(seed=seed) for seed in range(following) for model in models]
        new = [spec for spec in every if spec not in planned]
        sentences.append(_sentence(summary, pairs, made, new))
        runs += new
    return sorted(runs, key=lambda spec: spec.seed or 0), sentences


def open_pairs(summary: Summary) -> list[tuple[str, str]]:
    """Return the pairs of models that are not separable by the leading metric, but may become so with further seeds."""
    if not summary.leading:
        return []
    claims, models = summary.claims[summary.leading.name], _comparable(summary)
    return [(a.label, b.label) for a, b in combinations(models, 2) if not claims.is_separable(a, b)]


def _comparable(summary: Summary) -> list[Model]:
    """Return the models of which claims are made, without those with finished runs that have no value."""
    metric = summary.leading
    return [model for model in summary.claims[metric.name].ranked if model.has_all(metric)] if metric else []


def _sentence(summary: Summary, pairs: Sequence[tuple[str, str]], made: int, new: Sequence[RunSpec]) -> str:
    where = f"{summary.group.key['task']}, {made} seeds"
    if not pairs:
        n = len(_comparable(summary))
        found = f"every pair of {n} models is separable" if n > 1 else "claims are made of fewer than two models"
        return f"{where}: {found}"
    named = [f"{a} and {b}" for a, b in pairs[:MAX_PAIRS]]
    more = [plural(len(pairs) - MAX_PAIRS, "more pair")] if len(pairs) > MAX_PAIRS else []
    seeds, models = format_seeds(spec.seed or 0 for spec in new), plural(len({spec.label for spec in new}), "model")
    then = f"next, seeds {seeds} of {models}" if new else "this is the limit"
    return f"{where}: not separable: {', '.join([*named, *more])}; {then}"

"""The runs of a bench, some of which another bench in the same folder may do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo_bench.executors import Event, Executor, Finished, Told
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.report.text import listed, plural
from zoo_bench.scoring import outdated_scores

if TYPE_CHECKING:
    from zoo_bench.benchmark import Bench

POLL_SECONDS = 1.0
"""Pause between looks at what other benches do."""


def trained(bench: Bench, execute: Executor, on_event: Callable[[Event], None]) -> Iterator[Event]:
    """Yield the events of the missing runs that this process does, and end when those of others are done too.

    A run is claimed right before it is started. Those that other benches have claimed are waited for; what a bench
    that is gone has left is taken over.

    Args:
        bench: What is missing, and where; scores that runs of others lack are added to its ``outdated``.
        execute: The executor.
        on_event: Called with runs that others have finished, and with sentences on sharing.
    """
    store, locks = bench.store, bench.store.locks
    left, ours, refused = list(bench.missing), set[RunSpec](), set[RunSpec]()

    def done(spec: RunSpec) -> RunRecord | None:
        """Return the record of a run if it was stored since the bench was prepared."""
        record = store.find(spec)
        if record is None or record.status == "interrupted" or record.started_at == bench.missing[spec]:
            return None
        return record

    def claim(spec: RunSpec) -> bool:
        if spec in ours:
            return True
        if not locks.claim(spec.run_id):
            refused.add(spec)
            return False
        if done(spec):
            locks.drop(spec.run_id)
            refused.add(spec)
            return False
        ours.add(spec)
        if before := locks.sign(spec.run_id):
            on_event(Told(f"{spec}: taken over from {before}, which is gone"))
        return True

    is_told = False
    while left:
        refused.clear()
        for event in execute(tuple(left), replace(bench.execution, claim=claim)):
            yield event
            if isinstance(event, Finished):
                left.remove(event.spec)
                locks.drop(event.spec.run_id)
        left = [spec for spec in left if spec in refused]  # an executor that drops the others is not asked again
        for spec, record in [(spec, record) for spec in left if (record := done(spec))]:
            left.remove(spec)
            bench.outdated.update(outdated_scores([record], bench.plan.scores, store)[0])
            on_event(Finished(spec, Outcome(record)))
        if left and not is_told:
            owners = sorted({str(locks.owner(spec.run_id) or "another bench") for spec in left})
            on_event(Told(f"waiting for {plural(len(left), 'run')} of {listed(owners)}"))
            is_told = True
        while left and not any(done(spec) or claim(spec) for spec in left):
            time.sleep(POLL_SECONDS)

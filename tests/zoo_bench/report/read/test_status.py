"""What goes on in a folder, from its records and its events."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from zoo.errors import ZooError
from zoo_bench.core.owner import this_process
from zoo_bench.plan.record import Outcome
from zoo_bench.report.read.status import SILENT_SECONDS, folder_status
from zoo_bench.store.events import NAME
from zoo_bench.store.records import Store

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
HERE = this_process()
GONE = HERE.model_copy(update={"begun": HERE.begun - 60.0})
ELSEWHERE = HERE.model_copy(update={"host": "elsewhere"})


@pytest.fixture
def write(tmp_path):
    """Write an event that is some seconds old."""
    (tmp_path / "bench.toml").touch()

    def written(event, spec, ago, owner=HERE, **fields):
        time = (NOW - timedelta(seconds=ago)).isoformat()
        where = {"run": spec.run_id, "task": spec.task, "model": spec.label, "seed": spec.seed}
        line = {"time": time, "event": event, **where, "owner": owner.model_dump(), **fields}
        with (tmp_path / NAME).open("a") as file:
            file.write(f"{json.dumps(line)}\n")

    return written


def seeds(rows):
    return [row["seed"] for row in rows]


def test_every_run_is_in_one_state(tmp_path, write, make_spec, make_record):
    specs = [make_spec(seed=seed) for seed in range(6)]
    for spec in specs:
        write("planned", spec, 200)
    for spec in specs[:5]:
        write("started", spec, 100)
    write("progress", specs[1], 20, share=0.25, images_per_s=640.0)
    store = Store(tmp_path)
    for seed, status in ((2, "ok"), (3, "error"), (4, "interrupted")):
        write({"ok": "finished", "error": "failed"}.get(status, status), specs[seed], 10)
        store.save(Outcome(make_record({"seed": seed}, status=status, error="" if status == "ok" else "it broke")))
    found = folder_status(tmp_path, NOW)
    assert (seeds(found.running), seeds(found.done), seeds(found.failed), seeds(found.missing)) == (
        [0, 1], [2], [3], [4, 5],
    )  # fmt: skip
    assert (found.failed[0]["status"], found.failed[0]["error"]) == ("error", "it broke")
    starting, training = found.running
    assert (starting["share"], starting["images_per_s"], starting["eta_seconds"]) == (None, None, None)
    assert (training["host"], training["pid"]) == (HERE.host, HERE.pid)
    # A quarter took 80 s, so 240 s were left 20 s ago.
    assert (training["share"], training["images_per_s"], training["eta_seconds"]) == (0.25, 640.0, 220.0)
    assert training["silent_seconds"] == 20.0


def test_runs_of_a_process_that_is_gone_are_missing(tmp_path, write, make_spec):
    write("planned", make_spec(), 20, GONE)
    write("started", make_spec(), 10, GONE)
    found = folder_status(tmp_path, NOW)
    assert (found.running, seeds(found.missing)) == ([], [0])


@pytest.mark.parametrize(("silent", "running"), [(SILENT_SECONDS - 1, 1), (SILENT_SECONDS + 1, 0)])
def test_a_process_on_another_host_counts_as_gone_when_it_was_silent_for_long(
    tmp_path, write, make_spec, silent, running
):
    write("started", make_spec(), silent, ELSEWHERE)
    assert len(folder_status(tmp_path, NOW).running) == running


def test_what_is_missing_is_what_the_last_bench_planned_or_those_at_work(tmp_path, write, make_spec):
    early = HERE.model_copy(update={"begun": HERE.begun - 600.0})
    write("planned", make_spec(seed=1), 300, early)
    write("planned", make_spec(seed=2), 200, GONE)
    assert seeds(folder_status(tmp_path, NOW).missing) == [2]
    write("planned", make_spec(seed=3), 100, HERE)
    write("planned", make_spec(seed=4), 100, ELSEWHERE)
    assert seeds(folder_status(tmp_path, NOW).missing) == [3, 4]


def test_a_run_that_is_trained_again_is_under_way_and_not_done(tmp_path, write, make_spec, make_record):
    Store(tmp_path).save(Outcome(make_record()))
    write("started", make_spec(), 10)
    found = folder_status(tmp_path, NOW)
    assert (seeds(found.running), found.done) == ([0], [])


def test_a_folder_from_before_there_were_events_has_its_runs(finished_bench):
    assert len(folder_status(finished_bench).done) == 4


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_a_folder_without_a_bench_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match="no results in"):
        folder_status(tmp_path / name)

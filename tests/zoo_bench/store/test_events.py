"""The events of a folder, from several processes."""

import json
import subprocess
import sys
from itertools import pairwise

import pytest

from zoo_bench.core.owner import this_process
from zoo_bench.plan.record import Progress
from zoo_bench.store import events
from zoo_bench.store.events import NAME, EventLog, read_events


def kinds(root):
    return [event.event for event in read_events(root)]


def test_a_line_is_an_object_that_says_what_happened_to_which_run_and_where(tmp_path, make_record):
    record, log = make_record({"model": "gan", "config": {"packing": 2}, "seed": 3}), EventLog(tmp_path)
    log.planned([record.spec])
    log.started(record.spec)
    log.ended(record)
    lines = [json.loads(line) for line in (tmp_path / NAME).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["planned", "started", "finished"]
    for line in lines:
        assert (line["run"], line["task"], line["seed"]) == (record.run_id, "digits", 3)
        assert line["model"] == record.spec.label
        assert line["owner"] == this_process().model_dump()
    assert kinds(tmp_path) == ["planned", "started", "finished"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [("ok", "finished"), ("diverged", "failed"), ("error", "failed"), ("timeout", "failed"),
     ("interrupted", "interrupted")],
)  # fmt: skip
def test_every_end_has_its_word(tmp_path, make_record, status, kind):
    EventLog(tmp_path).ended(make_record(status=status))
    assert kinds(tmp_path) == [kind]


def test_progress_is_rare_and_rarer_in_a_long_run(tmp_path, make_spec, monkeypatch):
    now = 0.0
    monkeypatch.setattr(events.time, "monotonic", lambda: now)
    spec, log = make_spec(), EventLog(tmp_path)
    log.started(spec)
    hours = 6
    for second in range(hours * 3600):
        now = float(second)
        log.progressed(spec, Progress(second / (hours * 3600), second, 1.0, {}))
    written = [round(event.share * hours * 3600) for event in read_events(tmp_path) if event.share is not None]
    gaps = [b - a for a, b in pairwise(written)]
    assert min(gaps) >= events.MIN_SECONDS
    assert max(gaps) <= events.MAX_SECONDS + 1
    assert 300 < len(written) < 700


def test_a_torn_line_is_left_out_and_costs_no_other(tmp_path, make_record):
    record, log = make_record(), EventLog(tmp_path)
    log.started(record.spec)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"time": "2026-')
    assert kinds(tmp_path) == ["started"]
    EventLog(tmp_path).planned([record.spec])
    log.ended(record)
    assert kinds(tmp_path) == ["started", "planned", "finished"]


def test_what_is_no_event_is_left_out(tmp_path):
    (tmp_path / NAME).write_bytes(b'null\n{"event": "started"}\n\xff\xfe\n[]\n\n')
    assert kinds(tmp_path) == []
    assert kinds(tmp_path / "absent") == []


def test_no_run_ends_because_events_cannot_be_written(tmp_path, make_spec):
    (tmp_path / NAME).mkdir()
    EventLog(tmp_path).planned([make_spec()])
    assert kinds(tmp_path) == []


WRITING = """
import sys
from pathlib import Path
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.events import EventLog
spec, log = RunSpec.model_validate_json(sys.argv[2]), EventLog(Path(sys.argv[1]))
for _ in range(500):
    log.started(spec)
"""


def test_lines_of_two_processes_do_not_mix(tmp_path, make_spec):
    arguments = [sys.executable, "-c", WRITING, str(tmp_path), make_spec().model_dump_json()]
    writers = [subprocess.Popen(arguments) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert kinds(tmp_path) == ["started"] * 1000
    assert len((tmp_path / NAME).read_bytes().splitlines()) == 1000

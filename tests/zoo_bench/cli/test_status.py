"""``zoo status``."""

import json

import pytest

from zoo.cli import main
from zoo_bench.plan.record import Outcome, Progress
from zoo_bench.store import events
from zoo_bench.store.events import EventLog
from zoo_bench.store.records import Store


@pytest.fixture
def at_work(tmp_path, make_spec, make_record, monkeypatch):
    """A folder where this process trains a run, a run has failed, and one is missing."""
    monkeypatch.setattr(events, "MIN_SECONDS", 0.0)
    running, failed, missing = (make_spec(seed=seed) for seed in range(3))
    log = EventLog(tmp_path)
    log.planned([running, failed, missing])
    log.started(running)
    log.progressed(running, Progress(0.5, 640, 1234.0, {}))
    Store(tmp_path).save(Outcome(make_record({"seed": 1}, status="error", error="it broke\x1b[31m")))
    return tmp_path


def test_it_says_what_runs_and_what_has_failed(at_work, capsys):
    assert main(["status", str(at_work)]) == 0
    printed = capsys.readouterr().out
    assert "50%" in printed
    assert "1,234" in printed
    assert "seed 1: error: it broke" in printed
    assert "\x1b" not in printed
    assert printed.splitlines()[-1] == f"{at_work}: 1 run under way; 0 done, 1 failed, 1 missing"


def test_json_has_every_run(at_work, capsys):
    assert main(["status", str(at_work), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(at_work)
    assert {state: [row["seed"] for row in found[state]] for state in ("running", "done", "failed", "missing")} == {
        "running": [0], "done": [], "failed": [1], "missing": [2],
    }  # fmt: skip
    assert found["running"][0]["share"] == 0.5


def test_where_nothing_runs_it_says_so(finished_bench, capsys):
    assert main(["status", str(finished_bench)]) == 0
    assert capsys.readouterr().out == f"{finished_bench}: nothing runs here; 4 done, 0 failed, 0 missing\n"


def test_an_unknown_folder_is_one_sentence_and_exit_code_2(tmp_path, capsys):
    assert main(["status", str(tmp_path / "nowhere")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no results in" in captured.err


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (99.4, "99 s"), (120, "2 min"), (5940, "99 min"), (12000, "3 h 20 min")]
)
def test_durations_are_short(seconds, text):
    from zoo_bench.cli.status import _duration

    assert _duration(seconds) == text

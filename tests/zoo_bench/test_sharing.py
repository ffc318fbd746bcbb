"""Benches that share a folder."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from drawn_benches import scored
from zoo_bench.benchmark import begin, prepare, run
from zoo_bench.executors import Finished, Started, Told
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.store.events import read_events
from zoo_bench.store.records import Store
from zoo_bench.store.tables import load_results


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("zoo_bench.sharing.POLL_SECONDS", 0.01)
    monkeypatch.setattr("zoo_bench.score.controls.score_controls", lambda root, plans, panel, timeout: None)


def outcome(spec, scoring, **fields):
    scores = scored(spec, scoring)
    scores["fid"].values = {"fid": 10.0 + spec.seed}
    return Outcome(
        RunRecord.begun(spec, Resources(1, False)).model_copy(update={"scores": scores, "train_seconds": 1.0, **fields})
    )


@pytest.fixture
def trained(monkeypatch):
    """Replace the local executor by one that trains nothing; returns the runs, and ``before``, called for each."""

    class Trained(list):
        def before(self, spec):
            pass

    made = Trained()

    def execute(specs, options):
        for spec in specs:
            if options.claim(spec):
                made.append(spec)
                yield Started(spec, Resources(1, False))
                made.before(spec)
                yield Finished(spec, outcome(spec, options.scoring))

    monkeypatch.setattr("zoo_bench.executors.local.run", execute)
    return made


@pytest.fixture
def prepared(tmp_path):
    def make(**options):
        usual = {"models": "vae", "task": "ring8", "budget": "640", "seeds": 3, "precision": "fp32", "threads": 1}
        return prepare(BenchOptions(**{**usual, "metrics": "fid", "out": tmp_path, **options}))

    return make


def told(events):
    return [event.sentence for event in events if isinstance(event, Told)]


@pytest.mark.parametrize("options", [{}, {"force": True}, {"seeds": "auto:4"}])
def test_what_another_bench_has_done_since_is_not_trained_and_is_in_the_table(trained, prepared, options):
    if options.get("force"):
        run(prepared())
        trained.clear()
    first, second = prepared(**options), prepared(**options)
    run(first)
    done, events = list(trained), []
    assert len(done) == len(first.plan.runs)
    frame = run(second, events.append)
    assert trained == done
    assert frame["run_id"].tolist() == [spec.run_id for spec in second.plan.runs]
    assert (frame["status"] == "ok").all()
    if options.get("force"):  # else the second began when the first was done, and nothing is missing
        assert [event.spec for event in events if isinstance(event, Finished)] == done


def test_what_another_bench_does_is_waited_for(trained, prepared, tmp_path):
    bench, other, events = prepared(), Store(tmp_path), []
    first = bench.plan.runs[0]
    assert other.locks.claim(first.run_id)
    other.locks.sign(first.run_id)

    def finish_when_waited_for(event):
        events.append(event)
        if isinstance(event, Told):
            other.save(outcome(first, bench.execution.scoring))
            other.locks.drop(first.run_id)

    frame = run(bench, finish_when_waited_for)
    assert trained == bench.plan.runs[1:]
    assert len(frame) == 3
    [sentence] = told(events)
    assert sentence.startswith("waiting for 1 run of process ")


@pytest.mark.parametrize("end", ["dropped", "interrupted"])
def test_what_another_bench_leaves_undone_is_done(trained, prepared, tmp_path, end):
    bench, other = prepared(), Store(tmp_path)
    last = bench.plan.runs[-1]
    assert other.locks.claim(last.run_id)

    def leave(event):
        if isinstance(event, Told):
            if end == "interrupted":
                other.save(Outcome(RunRecord.failed(last, Resources(1, False), "interrupted", "from the keyboard")))
            other.locks.drop(last.run_id)

    assert (run(bench, leave)["status"] == "ok").all()
    assert trained == bench.plan.runs


def test_a_run_is_claimed_while_it_is_trained_and_then_no_longer(trained, prepared, tmp_path):
    bench, other, owners = prepared(), Store(tmp_path), []

    def look(spec):
        assert not other.locks.claim(spec.run_id)
        owners.append(other.locks.owner(spec.run_id))
        assert other.locks.claim(bench.plan.runs[-1].run_id) == (spec != bench.plan.runs[-1])
        other.locks.drop_all()

    trained.before = look
    run(bench)
    assert len(set(owners)) == 1
    assert all(other.locks.claim(spec.run_id) for spec in bench.plan.runs)


def test_claims_are_dropped_when_a_bench_is_interrupted(trained, prepared, tmp_path):
    def interrupt(spec):
        raise KeyboardInterrupt

    trained.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(prepared())
    assert list((tmp_path / ".locks").iterdir()) == []
    assert [event.event for event in read_events(tmp_path)] == [*["planned"] * 3, "started", "interrupted"]


def test_an_executor_that_drops_runs_is_not_asked_for_ever(prepared, monkeypatch):
    monkeypatch.setattr("zoo_bench.executors.local.run", lambda specs, options: iter(()))
    assert len(run(prepared())) == 0


KILLED = """
import sys, time
from pathlib import Path
from zoo_bench.store.records import Store
store = Store(Path(sys.argv[1]))
print(store.locks.claim(sys.argv[2]), store.locks.sign(sys.argv[2]), flush=True)
time.sleep(600)
"""


def test_the_run_of_a_bench_that_was_killed_is_taken_over_with_a_sentence(trained, prepared, tmp_path):
    bench, events = prepared(), []
    first = bench.plan.runs[0]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), first.run_id], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True None\n"

    def kill(event):
        events.append(event)
        if isinstance(event, Told) and process.poll() is None:
            process.kill()
            process.wait()

    frame = run(bench, kill)
    process.stdout.close()
    assert (frame["status"] == "ok").all()
    assert trained == [*bench.plan.runs[1:], first]
    waiting, taken = told(events)
    assert waiting == f"waiting for 1 run of {taken.partition('taken over from ')[2].removesuffix(', which is gone')}"
    assert taken.startswith(f"{first}: taken over from process {process.pid} on ")


def test_benches_that_begin_at_once_have_one_second_judge(trained, prepared, tmp_path):
    first, second = (prepared(task="digits", metrics="fid,panel") for _ in range(2))
    seeds = [bench.execution.scoring.panel.seed for bench in (first, second)]
    first.execution.scoring.panel.seed, second.execution.scoring.panel.seed = seeds[0], seeds[0] + 1
    assert begin(first).execution.scoring.panel.seed == seeds[0]
    assert begin(second).execution.scoring.panel.seed == seeds[0]
    assert json.loads((tmp_path / "judges" / "panel.json").read_text())["seed"] == seeds[0]
    assert begin(prepared(task="digits", metrics="fid,panel", judge_seed=7)).execution.scoring.panel.seed == 7


BENCH = (
    "bench --models vae --task ring8 --budget 1k --seeds 4 --precision fp32 --metrics fid --workers 1 --threads 1 "
    "--no-throughput --out"
)


@pytest.mark.parametrize("killed", [False, True])
def test_two_real_benches_share_the_runs_and_train_none_twice(tmp_path, killed):
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from zoo.cli import entry; entry()", *BENCH.split(), str(out), "--json"]
    benches = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    if killed:
        stopped = threading.Event()
        while not stopped.wait(0.05):
            begun = [event for event in read_events(out) if event.event == "started"]
            if any(event.owner.pid == benches[0].pid for event in begun):
                benches[0].kill()
                stopped.set()
    printed = [bench.communicate() for bench in benches]
    codes = [bench.returncode for bench in benches]
    assert codes == ([-9, 0] if killed else [0, 0]), printed
    happened = list(read_events(out))
    finished = [event.run for event in happened if event.event == "finished"]
    assert len(finished) == len(set(finished)) == 4
    assert len(load_results(out / "results.csv")) == len(load_results(out)) == 4
    for (rows, _), code in zip(printed, codes, strict=True):
        if code == 0:
            assert {row["run_id"] for row in json.loads(rows)} == set(finished)
    if not killed:
        assert {event.owner.pid for event in happened if event.event == "started"} == {bench.pid for bench in benches}
        assert sum(event.event == "started" for event in happened) == 4
    assert not [path for path in out.rglob(".*") if path.name != ".locks"]
    assert list(Path(out, ".locks").iterdir()) == []

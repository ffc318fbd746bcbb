"""A bench into a folder that has runs: what is read, and which precision and threads it goes on with."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from drawn_benches import scored
from zoo.cli import main
from zoo_bench.benchmark import prepare, run
from zoo_bench.executors import Finished, Started
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.store import records
from zoo_bench.store.records import Store


@pytest.fixture
def read(monkeypatch):
    """Count how often each record is read."""
    counts, real = Counter(), records.read_record

    def counted(path):
        counts[path] += 1
        return real(path)

    monkeypatch.setattr(records, "read_record", counted)
    return counts


def test_a_bench_with_nothing_to_run_reads_each_record_once(bench_copy, read):
    arguments = ["--models", "vae,gan", "--seeds", "2", "--budget", "640", "--threads", "1", "--no-throughput"]
    assert main(["bench", *arguments, "--out", str(bench_copy)]) == 0
    assert read == dict.fromkeys(bench_copy.glob("runs/*/*/*.json"), 1)
    assert len(read) == 4


@pytest.fixture
def probes(monkeypatch):
    """Replace measurements: bf16 and three threads are the fastest. Returns what was measured."""
    measured = []

    def fastest(name, chosen):
        def choose(specs, folder, timeout, log):
            measured.append(name)
            return {"key": {"choices": [], "machine": {}}, "chosen": chosen, "reason": "it is the fastest"}

        return choose

    monkeypatch.setattr("zoo_bench.measure.probe.choose_precision", fastest("precision", "bf16"))
    monkeypatch.setattr("zoo_bench.measure.probe.choose_threads", fastest("threads", 3))
    for module in ("benchmark", "plan.resources"):
        monkeypatch.setattr(f"zoo_bench.{module}.cores", lambda: 4)
    return measured


@pytest.fixture
def prepared(tmp_path):
    """Prepare a bench of one model into the test's folder."""

    def make(budget="640", **options):
        given = {"models": "vae", "task": "digits", "budget": budget, "seeds": 3, "device": "cpu", "out": tmp_path}
        return prepare(BenchOptions(**{**given, **options}))

    return make


def used(bench):
    """Return the precision and the threads that all planned runs have."""
    [found] = {(spec.precision_mode, spec.threads) for spec in bench.plan.runs}
    return found


def store(folder, specs, status="ok"):
    for spec in specs:
        record = RunRecord(
            run_id=spec.run_id, spec=spec, status=status, threads=spec.threads, contended=False,
            started_at=datetime(2025, 1, 2, tzinfo=UTC),
        )  # fmt: skip
        Store(folder).save(Outcome(record))


def test_in_a_new_folder_precision_is_measured_and_threads_only_for_runs_against_the_clock(prepared, probes):
    assert used(prepared()) == ("bf16", 1)
    assert probes == ["precision"]
    assert used(prepared("90s")) == ("bf16", 3)
    assert probes == ["precision", "precision", "threads"]


def test_what_is_given_is_not_measured(prepared, probes):
    assert used(prepared("90s", precision="fp32", threads=2)) == ("fp32", 2)
    assert probes == []


def test_precision_stays_as_finished_runs_have_it_and_none_of_them_is_run_again(prepared, probes, tmp_path):
    store(tmp_path, prepared(precision="fp32").plan.runs[:2])
    bench = prepared()
    assert used(bench) == ("fp32", 1)
    assert [spec.seed for spec in bench.missing] == [2]
    assert bench.probes["precision"]["reason"] == "as in 2 finished runs of this folder"
    assert probes == []


def test_precision_is_that_of_most_finished_runs_of_the_device(prepared, probes, tmp_path):
    runs = prepared(precision="fp32").plan.runs
    others = [spec.with_changes(precision_mode="bf16", device="cuda", threads=None) for spec in runs]
    store(tmp_path, [*runs[:1], *others])
    assert used(prepared())[0] == "fp32"
    store(tmp_path, [spec.with_changes(precision_mode="bf16+compile") for spec in runs[:2]])
    assert used(prepared())[0] == "bf16+compile"


@pytest.mark.parametrize("status", ["diverged", "error", "timeout", "interrupted"])
def test_runs_that_did_not_end_ok_decide_nothing(prepared, probes, tmp_path, status):
    store(tmp_path, prepared("90s", precision="fp32", threads=2).plan.runs, status)
    assert used(prepared("90s")) == ("bf16", 3)


def test_threads_stay_as_finished_runs_of_the_same_budget_have_them(prepared, probes, tmp_path):
    store(tmp_path, prepared(precision="fp32", threads=2).plan.runs)
    bench = prepared(seeds=4)
    assert used(bench) == ("fp32", 2)
    assert [spec.seed for spec in bench.missing] == [3]
    assert used(prepared("1280")) == ("fp32", 1), "another budget is another comparison"
    assert used(prepared(threads=4)) == ("fp32", 4)
    assert probes == []


def test_a_bench_that_is_killed_goes_on_in_its_precision(prepared, probes, tmp_path, monkeypatch):
    """What was measured is a file before the first run begins, and then what finished runs have counts."""

    def killed(specs, options):
        yield Started(specs[0], Resources(1, False))
        written.append(json.loads((tmp_path / "precision.json").read_text())["chosen"])
        scores = scored(specs[0], options.scoring)
        record = RunRecord.begun(specs[0], Resources(1, False)).model_copy(update={"scores": scores})
        yield Finished(specs[0], Outcome(record))
        raise SystemExit(9)

    written = []
    monkeypatch.setattr("zoo_bench.executors.local.run", killed)
    with pytest.raises(SystemExit):
        run(prepared())
    assert written == ["bf16"]
    monkeypatch.setattr("zoo_bench.measure.probe.choose_precision", None)
    bench = prepared()
    assert used(bench) == ("bf16", 1)
    assert [spec.seed for spec in bench.missing] == [1, 2]


def test_what_finished_runs_have_is_no_measurement_to_write(prepared, probes, tmp_path, monkeypatch):
    store(tmp_path, prepared(precision="fp32").plan.runs[:2])

    def started(specs, options):
        yield Started(specs[0], Resources(1, False))
        raise SystemExit(9)

    monkeypatch.setattr("zoo_bench.executors.local.run", started)
    with pytest.raises(SystemExit):
        run(prepared())
    assert not (tmp_path / "precision.json").exists()


def test_threads_that_stay_leave_room_for_as_many_runs_as_there_are_cores(prepared, probes, tmp_path, monkeypatch):
    monkeypatch.setattr("zoo_bench.benchmark.cores", lambda: 4)
    store(tmp_path, prepared(precision="fp32", threads=4).plan.runs[:2])
    bench = prepared(workers=4)
    assert (bench.execution.threads, bench.execution.workers) == (4, 1)
    assert "1 run at once, as each has 4 threads, like finished ones here" in bench.notes
    assert prepared(workers=4, threads=1).execution.workers == 4

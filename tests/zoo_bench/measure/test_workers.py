import json
from types import SimpleNamespace

import pytest

from zoo_bench.benchmark import prepare
from zoo_bench.executors import Finished
from zoo_bench.measure import workers
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import Resources

NAMES = ["gan on ring8", "vae on ring8"]


def options_of(seeds=8, **options):
    usual = {"models": "gan,vae", "task": "ring8", "budget": "640", "metrics": "mixture-modes", "device": "cpu"}
    return BenchOptions(**{**usual, "seeds": seeds, **options})


def specs_of(*, device="cuda", **options):
    """Plan runs of this machine's CPU, as if they were of another device."""
    return [spec.model_copy(update={"device": device}) for spec in plan(options_of(**options)).runs]


@pytest.fixture
def gpus(monkeypatch):
    """Let this machine have so many GPUs, which play these rounds of both models per second by runs at once."""

    def set_rates(number, speeds):
        asked = []

        def rates(specs, at_once, *, timeout):
            asked.append(at_once)
            return dict.fromkeys(NAMES, float(speeds[at_once]))

        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr("torch.cuda.device_count", lambda: number)
        monkeypatch.setattr(workers, "rates", rates)
        return asked

    return set_rates


@pytest.mark.parametrize(
    ("speeds", "chosen", "asked", "reason"),
    [
        ({1: 10, 2: 19, 4: 30, 8: 34}, 8, [1, 2, 4, 8], "8 at once play 1.13 times as many rounds as 4"),
        ({1: 10, 2: 19, 4: 30, 8: 31}, 4, [1, 2, 4, 8], "8 at once play 1.03 times as many rounds as 4"),
        ({1: 10, 2: 10.5}, 1, [1, 2], "2 at once play 1.05 times as many rounds as 1"),
        ({1: 10, 2: 20, 4: 5}, 2, [1, 2, 4], "4 at once play 0.25 times as many rounds as 2"),
    ],
    ids=["all gain", "the last gains little", "none gains", "the third is slower"],
)
def test_the_number_is_doubled_while_that_gains_a_tenth(gpus, tmp_path, speeds, chosen, asked, reason):
    measured, said = gpus(1, speeds), []
    found = workers.choose_workers(specs_of(), tmp_path, None, said.append)
    assert (found["chosen"], measured) == (chosen, asked)
    assert found["reason"].endswith(reason)
    assert said == ["measuring rounds of 2 models: 1, 2, 4, 8 runs at once on 1 GPU"]
    assert found["rounds"]["1"] == dict.fromkeys(NAMES, 10.0)


@pytest.mark.parametrize(("seeds", "numbers"), [(8, [2, 4, 8, 16]), (7, [2, 4, 8]), (2, [2, 4])])
def test_every_gpu_has_as_many_and_there_are_no_more_than_runs(gpus, tmp_path, seeds, numbers):
    measured = gpus(2, {2: 1, 4: 2, 8: 4, 16: 8})
    assert workers.choose_workers(specs_of(seeds=seeds), tmp_path, None, print)["chosen"] == numbers[-1]
    assert measured == numbers


@pytest.mark.parametrize(
    ("number", "fields"),
    [(1, {"device": "cpu"}), (0, {}), (1, {"budget": "90s"}), (2, {"models": "gan", "seeds": 3})],
    ids=["on the CPU", "no GPU", "against the clock", "fewer than two runs for each"],
)
def test_where_runs_do_not_share_a_gpu_nothing_is_measured(gpus, tmp_path, number, fields):
    measured = gpus(number, {})
    assert workers.choose_workers(specs_of(**fields), tmp_path, None, print) is None
    assert not measured


def test_a_model_that_fails_for_more_runs_at_once_speaks_against_them_and_one_that_always_fails_has_no_say():
    found = workers.best([1, 2], {1: {"a": 5.0, "b": 5.0}, 2: {"a": 10.0}}.__getitem__)
    assert (found["chosen"], found["reason"]) == (1, "2 at once play 0.00 times as many rounds as 1")
    assert workers.best([1, 2], {1: {"a": 5.0}, 2: {"a": 10.0}}.__getitem__)["chosen"] == 2
    assert workers.best([1, 2], {1: {}}.__getitem__) == {"chosen": 1, "reason": "no model works", "rounds": {"1": {}}}


def test_a_bench_keeps_the_measurement_and_measures_again_only_for_other_models(gpus, monkeypatch, tmp_path):
    measured = gpus(1, {1: 10, 2: 19, 4: 20})
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)

    def bench_of(**options):
        measured.clear()
        return prepare(options_of(device="cuda", precision="fp32", out=tmp_path, **options))

    bench = bench_of()
    assert (bench.execution.workers, measured) == (2, [1, 2, 4])
    assert "workers 2: 2 at once play 1.90 times as many rounds as 1; 4 at once play 1.05" in " ".join(
        bench.sentences()
    )
    (tmp_path / "workers.json").write_text(json.dumps(bench.probes["workers"]))
    again = bench_of()
    assert (again.probes, again.execution.workers, measured) == (bench.probes, 2, [])
    assert again.plan.runs == bench_of(workers=1).plan.runs, "the number is not part of a run's key"
    assert bench_of(models="vae").execution.workers == 2
    assert measured


def test_nothing_is_measured_if_the_number_is_given_or_only_shown(gpus, monkeypatch, tmp_path):
    measured = gpus(1, {})
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    options = options_of(device="cuda", precision="fp32", out=tmp_path, workers=3)
    assert prepare(options).execution.workers == 3
    assert prepare(options_of(device="cuda", precision="fp32", out=tmp_path), measure=False).execution.workers is None
    assert not measured


def test_processes_play_together():
    specs = specs_of(device="cpu", seeds=1)
    found = workers.rates(specs, 2, timeout=300.0)
    assert found.keys() == set(NAMES)
    assert all(rate > 0 for rate in found.values())


def test_rates_are_summed_and_a_model_that_fails_in_one_process_is_left_out(monkeypatch):
    def run_with(slots, turns, timeout, work):
        for slot, spec, speeds in zip(slots, turns, [{"a": 5.0, "b": 2.0}, {"a": 4.0}], strict=True):
            yield Finished(spec, Outcome(RunRecord.begun(spec, slot).model_copy(update={"throughput": speeds})))

    monkeypatch.setattr(workers, "run_with", run_with)
    assert workers.rates(specs_of(device="cpu", seeds=1), 2, timeout=1.0) == {"a": 9.0}


@pytest.mark.parametrize("round_of_failure", [0, workers.WARM_UP_ROUNDS + 1], ids=["warming up", "timed"])
def test_a_model_that_fails_is_left_out_and_keeps_no_other_process_waiting(monkeypatch, round_of_failure):
    play, waits = workers.Game.play, []

    def play_or_fail(self, *arguments):
        if type(self.model).__name__ == "GAN" and self.meter.rounds == round_of_failure:
            raise RuntimeError("out of memory")
        play(self, *arguments)

    specs, together = specs_of(device="cpu", seeds=1), SimpleNamespace(wait=lambda: waits.append(1))
    monkeypatch.setattr(workers.Game, "play", play_or_fail)
    outcome = workers.play(specs[0], Resources(1, True), print, specs=specs, together=together)
    assert (outcome.record.throughput.keys(), len(waits)) == ({"vae on ring8"}, 2)

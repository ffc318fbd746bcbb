import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from odd_children import take_of_a_gpu
from zoo_bench.executors import Finished, Options, Progressed, Started
from zoo_bench.executors.local import run, run_with, take_gpu
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.record import LEARNING_CURVE
from zoo_bench.plan.resources import Resources, share_this_machine
from zoo_bench.plan.scoring import Scoring
from zoo_bench.store.records import Store

PLUGIN = """
    import zoo

    @zoo.hookimpl
    def zoo_models():
        for name in "steady raises exits quits crashes hangs stalls closes prints forks".split():
            yield zoo.ModelSpec(name=name, target=f"misbehaving_models:{name.title()}", summary=name, data=("images",))

    @zoo.hookimpl
    def zoo_metrics():
        columns = (zoo.Column("sleeps", "lower", "Nothing, 0 to inf"),)
        target = "misbehaving_models:sleep"
        yield zoo.MetricSpec(name="sleeps", target=target, summary="Sleeps", columns=columns, on_request=True)
"""

MODELS = """
    import os
    import signal
    import sys
    import time
    from functools import partial

    import torch

    import zoo


    def sleep(evaluation):
        time.sleep(3600)


    class Steady(zoo.GenerativeModel):
        def __init__(self, shape, config):
            super().__init__(shape, config)
            self.image = torch.nn.Parameter(torch.zeros(shape))

        def players(self):
            return [zoo.Player("image", self, self.loss, partial(torch.optim.SGD, lr=0.1))]

        def loss(self, turn):
            self.misbehave()
            return (turn.real - self.image).square().mean()

        def misbehave(self):
            pass

        def sample(self, n):
            return self.image.expand(n, *self.shape)


    class Raises(Steady):
        def misbehave(self):
            raise ValueError("no loss today")


    class Exits(Steady):
        def misbehave(self):
            os.write(2, b"last words")
            os._exit(3)


    class Quits(Steady):
        def misbehave(self):
            sys.exit("I am out")


    class Crashes(Steady):
        def misbehave(self):
            os.kill(os.getpid(), signal.SIGSEGV)


    class Hangs(Steady):
        def misbehave(self):
            while True:
                time.sleep(1)


    class Stalls(Steady):
        def loss(self, turn):
            if turn.round == 120:
                time.sleep(3600)
            return super().loss(turn)


    class Closes(Steady):
        def misbehave(self):
            os.closerange(3, 256)
            time.sleep(3600)


    class Forks(Steady):
        def misbehave(self):
            if os.fork() == 0:
                time.sleep(15)
            os._exit(3)


    class Prints(Steady):
        def misbehave(self):
            print("PRINTED", flush=True)
            os.write(1, b"WRITTEN")
            os.system("echo ECHOED")
            print("PRINTED", file=sys.stderr)
"""

# No `if __name__ == "__main__"`: a child that imported this again would start a bench of its own.
SCRIPT = """
    import sys

    import zoo_bench
    from zoo_bench.measure import probe

    print("the script runs")
    probe.MIN_MATRIX_GAIN = 0.0  # so that every machine has the models measured in bf16 before they run
    options = {"task": "digits", "budget": "2rounds", "seeds": 1, "metrics": "class-modes", "throughput": False}
    options |= {"threads": 1, "workers": 2}
    names = "raises,exits,quits,crashes,prints,steady"
    zoo_bench.bench(models=names, out=sys.argv[1], timeout=300, **options)
    zoo_bench.bench(models="hangs,forks,closes,steady", out=sys.argv[2], timeout=5, precision="fp32", **options)
    options["budget"] = "500rounds"
    zoo_bench.bench(models="stalls", out=sys.argv[2], timeout=5, precision="fp32", **options)
    options |= {"budget": "2rounds", "metrics": "class-modes,sleeps,fid"}
    zoo_bench.bench(models="steady", out=sys.argv[3], timeout=5, precision="fp32", **options)
"""


@pytest.fixture(scope="module")
def misbehaviour(tmp_path_factory):
    """Benches of misbehaving models of an installed distribution, from a script: its output and the records."""
    folder = tmp_path_factory.mktemp("misbehaviour")
    site, script, first, second, third = (folder / n for n in ("site", "script.py", "first", "second", "third"))
    info = site / "misbehaving-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[zoo]\nmisbehaving = misbehaving\n")
    (site / "misbehaving.py").write_text(textwrap.dedent(PLUGIN))
    (site / "misbehaving_models.py").write_text(textwrap.dedent(MODELS))
    script.write_text(textwrap.dedent(SCRIPT))
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, script, first, second, third],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(
        stdout=done.stdout,
        first={record.spec.model: record for record in Store(first).records().values()},
        second={record.spec.model: record for record in Store(second).records().values()},
        third=Store(third).records(),
    )


def test_every_run_has_a_record_however_it_ended(misbehaviour):
    ends = {model: record.status for model, record in misbehaviour.first.items()}
    assert ends == {
        "raises": "error", "exits": "error", "quits": "error", "crashes": "error", "prints": "ok", "steady": "ok",
    }  # fmt: skip


def test_runs_beside_misbehaving_ones_are_as_good_as_ever(misbehaviour):
    for record in (misbehaviour.first["steady"], misbehaviour.second["steady"]):
        assert (record.status, record.rounds, record.images) == ("ok", 2, 128)
        assert record.metrics["modes_total"] == 10
    assert misbehaviour.first["steady"].metrics == misbehaviour.second["steady"].metrics


def test_an_exception_is_told_with_its_message_and_origin(misbehaviour):
    record = misbehaviour.first["raises"]
    assert record.error == "ValueError: no loss today"
    assert "misbehaving_models.py" in record.traceback
    assert record.spec.plugin == "misbehaving"
    assert record.spec.plugin_version == "0.1"


def test_a_process_that_ends_itself_is_told_with_its_exit_code_and_last_words(misbehaviour):
    record = misbehaviour.first["exits"]
    assert "exit code 3" in record.error
    assert record.traceback.endswith("last words")
    assert record.environment


def test_sys_exit_is_told_like_an_exception(misbehaviour):
    record = misbehaviour.first["quits"]
    assert record.error == "SystemExit: I am out"
    assert "misbehaving_models.py" in record.traceback


def test_a_process_that_ends_is_told_of_at_once_even_if_another_holds_its_pipe(misbehaviour):
    record = misbehaviour.second["forks"]
    assert (record.status, "exit code 3" in record.error) == ("error", True)


def test_a_process_that_is_killed_is_told_with_its_signal(misbehaviour):
    assert "signal SIGSEGV" in misbehaviour.first["crashes"].error


def test_a_hung_run_is_ended_and_told(misbehaviour):
    record = misbehaviour.second["hangs"]
    assert record.status == "timeout"
    assert record.error == (
        "ended as hung: no sign of progress for 5 seconds, since a round of training began; --timeout sets that limit"
    )
    assert record.images is None


def test_a_run_that_hangs_later_keeps_the_figures_that_it_told_last(misbehaviour):
    record = misbehaviour.second["stalls"]
    assert record.status == "timeout"
    assert record.images in (50 * 64, 100 * 64)
    assert record.losses.keys() == {"image"}
    assert record.train_seconds > 0


def test_a_metric_that_hangs_is_named_and_costs_neither_weights_nor_other_scores(misbehaviour):
    ((path, record),) = misbehaviour.third.items()
    assert (record.status, record.images) == ("timeout", 128)
    assert "since metric 'sleeps' began" in record.error
    assert record.metrics["modes_total"] == 10
    assert load_file(path.with_suffix(".safetensors"))["image"].isfinite().all()
    assert path.with_suffix(".png").is_file()


def test_a_run_that_closes_its_connection_and_goes_on_is_ended_and_told(misbehaviour):
    record = misbehaviour.second["closes"]
    assert (record.status, record.error) == (
        "error", "its process closed its connection and went on, so it was ended",
    )  # fmt: skip


def test_a_run_that_is_longer_than_the_timeout_is_not_hung_as_long_as_its_rounds_are_shorter():
    (spec,) = specs_of(budget="5s")
    record = list(run([spec], Options(workers=1, threads=1, timeout=3.0)))[-1].outcome.record
    assert (record.status, record.error) == ("ok", "")
    assert record.train_seconds >= 5.0


def test_what_runs_print_does_not_reach_the_parents_stdout_nor_is_a_script_run_twice(misbehaviour):
    assert misbehaviour.stdout == "the script runs\n"


def specs_of(models="vae", seeds=1, budget="2rounds"):
    return plan(BenchOptions(models=models, task="digits", budget=budget, seeds=seeds, device="cpu")).runs


def test_events_of_a_run_are_its_start_its_progress_and_one_end():
    (spec,) = specs_of(budget="120rounds")
    events = list(run([spec], Options(workers=1, threads=1, timeout=None)))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    between = events[1:-1]
    assert between
    assert all(isinstance(event, Progressed) for event in between)
    assert all(event.spec == spec for event in events)
    shares = [event.progress.share for event in between]
    assert shares == sorted(shares)
    assert all(0 < share <= 1 for share in shares)
    assert between[0].progress.losses.keys() == {"vae"}
    record = events[-1].outcome.record
    assert (record.status, record.threads) == ("ok", 1)
    assert not record.contended or record.cpu_share < 0.8  # other programs may take the machine


def test_runs_beside_each_other_say_so_and_each_ends_once():
    specs = specs_of("vae,gan")
    events = list(run(specs, Options(workers=2, threads=1, timeout=None)))
    ended = [event for event in events if isinstance(event, Finished)]
    assert sorted(str(event.spec) for event in ended) == sorted(map(str, specs))
    assert [type(event) for event in events[:2]] == [Started, Started]
    assert all(event.outcome.record.contended for event in ended)


def test_closing_the_executor_ends_what_still_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    events = run(specs_of(budget="5h"), Options(workers=1, threads=1, timeout=None))
    assert isinstance(next(events), Started)
    children = multiprocessing.active_children()
    assert len(children) == 1
    events.close()
    assert multiprocessing.active_children() == []
    assert list(tmp_path.iterdir()) == []


def test_without_runs_nothing_happens():
    assert list(run([], Options(workers=2, threads=1, timeout=1.0))) == []


def test_runs_are_scored_and_keep_what_the_options_ask_for():
    (spec,) = specs_of()
    scoring = Scoring(("class-modes", "mixture-modes"), keep_samples=True)
    outcome = list(run([spec], Options(1, 1, None, scoring=scoring)))[-1].outcome
    assert outcome.record.scores.keys() == {"class-modes", LEARNING_CURVE}
    assert ".samples.npz" in outcome.files


def test_records_of_local_runs_fit_into_json():
    (spec,) = specs_of()
    record = list(run([spec], Options(1, 1, None)))[-1].outcome.record
    assert json.loads(record.model_dump_json())["run_id"] == spec.run_id


def test_sigterm_ends_a_run_which_goes_on_in_another_process(tmp_path):
    (spec,) = specs_of(budget="800rounds")
    options = Options(1, 1, None, checkpoints=tmp_path / "checkpoints", checkpoint_seconds=300.0)
    events = run([spec], options)
    records, ended = [], None
    while not ended:
        event = next(events)
        if isinstance(event, Progressed) and not records:
            records.append(event)
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGUSR1)
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGTERM)
        ended = event.outcome.record if isinstance(event, Finished) else None
    events.close()
    assert (ended.status, ended.error) == ("interrupted", "ended by SIGTERM before its budget was spent")
    assert 0 < ended.rounds < 800
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [f"{spec.run_id}.safetensors"]
    events = list(run([spec], options))
    shares = [event.progress.share for event in events if isinstance(event, Progressed)]
    assert min(shares) * 800 > ended.rounds - 50, "it did not begin anew"
    assert (events[-1].outcome.record.status, events[-1].outcome.record.rounds) == ("ok", 800)


@pytest.mark.parametrize(
    ("gpu", "share", "expected"),
    [(None, 1.0, []), ("MIG-GPU-89/1/2", 1.0, []), ("GPU-89", 0.25, [("GPU-89", 0.25)])],
)
def test_a_run_sees_its_gpu_alone_and_takes_its_share_of_the_memory(monkeypatch, gpu, share, expected):
    taken = []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-12,GPU-89")
    monkeypatch.setattr(
        torch.cuda,
        "set_per_process_memory_fraction",
        lambda fraction: taken.append((os.environ["CUDA_VISIBLE_DEVICES"], fraction)),
    )
    take_gpu(Resources(1, contended=True, gpu=gpu, gpu_share=share))
    assert os.environ["CUDA_VISIBLE_DEVICES"] == (gpu or "GPU-12,GPU-89")
    assert taken == expected


@pytest.mark.gpu
def test_runs_that_share_a_gpu_have_the_records_of_runs_alone():
    options = BenchOptions(models="gan,vae", task="ring8", budget="100rounds", seeds=2, device="cuda", precision="fp32")
    specs = plan(options).runs

    def records(workers):
        ended = [event for event in run(specs, Options(workers, 1, 300.0)) if isinstance(event, Finished)]
        return {event.spec: event.outcome.record for event in ended}

    alone, shared = records(1), records(len(specs))
    for spec in specs:
        assert (alone[spec].status, shared[spec].status) == ("ok", "ok"), shared[spec].error
        assert (alone[spec].contended, shared[spec].contended) == (False, True)
        for field in ("run_id", "images", "rounds", "updates", "flops", "params"):
            assert getattr(alone[spec], field) == getattr(shared[spec], field)
        assert shared[spec].losses == pytest.approx(alone[spec].losses, rel=1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize(("taken", "status"), [(1 / 32, "ok"), (1 / 8, "error")])
def test_a_run_cannot_take_more_of_a_gpu_than_its_share(taken, status):
    (spec,) = specs_of()
    [slot] = share_this_machine([spec.model_copy(update={"device": "cuda"})], 1, 1)
    slot = Resources(1, contended=True, gpu=slot.gpu, gpu_share=1 / 16)
    record = list(run_with([slot], [spec], 300.0, partial(take_of_a_gpu, taken)))[-1].outcome.record
    assert record.status == status
    assert record.error.startswith("OutOfMemoryError" if status == "error" else "")

import json

import pytest

from zoo.errors import ZooError
from zoo_bench.benchmark import prepare
from zoo_bench.measure import probe
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan


def timed(seconds, cosine=1.0, norm=1.0):
    return {"seconds": seconds, "gradients": {"player": {"cosine": cosine, "norm": norm}}}


FASTER = {"fp32": timed(2.0), "bf16": timed(1.0)}


@pytest.mark.parametrize(
    ("measured", "mode", "reason"),
    [
        ({"a": FASTER, "b": FASTER}, "bf16", "2.00"),
        ({"a": {"fp32": timed(1.0), "bf16": timed(2.0)}, "b": FASTER}, "fp32", "rounds in bf16 run at 1.00 times"),
        ({"a": {"fp32": timed(1.08), "bf16": timed(1.0)}}, "fp32", "rounds in bf16 run at 1.08 times"),
        ({"a": {"fp32": timed(1.12), "bf16": timed(1.0)}}, "bf16", "1.12"),
        ({"a": {"fp32": timed(2.0), "bf16": timed(1.0, cosine=0.91)}, "b": FASTER}, "fp32",
         "bf16 refused: the gradients of the player of a have a cosine of 0.9100 with those of fp32 (at least 0.99)"),
        ({"a": {"fp32": timed(2.0), "bf16": timed(1.0, norm=1.06)}}, "fp32",
         "bf16 refused: the gradients of the player of a have 1.0600 times the norm of those in fp32 (0.95 to 1.05)"),
        ({"a": {"fp32": timed(2.0), "bf16": timed(1.0, cosine=0.9901, norm=0.951)}}, "bf16", "2.00"),
        ({"a": {"fp32": timed(2.0), "bf16": {"error": "no"}}, "b": FASTER}, "fp32", "bf16 refused: a fails: no"),
        ({"a": {"fp32": {"error": "no"}, "bf16": {"error": "no"}}}, "fp32", "no model works"),
        ({"a": FASTER, "b": {"fp32": {"error": "no"}, "bf16": {"error": "no"}}}, "bf16", "2.00"),
    ],
    ids=["faster", "slower for one", "hardly faster", "a little faster", "other directions", "other norms",
         "just alike", "fails once", "nothing works", "one fails"],
)  # fmt: skip
def test_the_fastest_mode_that_works_and_agrees_for_every_model_is_chosen(measured, mode, reason):
    found, why = probe.fastest(measured)
    assert found == mode
    assert reason in why


@pytest.fixture
def rates(monkeypatch):
    """Set the matrix products per second, and run what is measured in this process."""

    def set_rates(**speeds):
        monkeypatch.setattr(probe, "run_in_subprocess", lambda call, *arguments, timeout: call(*arguments))
        monkeypatch.setattr(probe, "matrix_rates", lambda device: speeds)

    return set_rates


def specs_of(models="sngan,gan"):
    return plan(
        BenchOptions(models=models, task="ring8", budget="640", seeds=1, metrics="mixture-modes", device="cpu")
    ).runs


def test_where_bf16_multiplies_slowly_no_model_is_measured(rates, monkeypatch, tmp_path):
    rates(fp32=100.0, bf16=110.0)
    monkeypatch.setattr(probe, "measure", lambda *_: pytest.fail("measured"))
    found = probe.choose_precision(specs_of(), tmp_path, None, print)
    assert found["chosen"] == "fp32"
    assert "1.10 times" in found["reason"]


def test_models_are_measured_where_bf16_multiplies_fast(rates, tmp_path):
    rates(fp32=100.0, bf16=300.0)
    said = []
    found = probe.choose_precision(specs_of(), tmp_path, None, said.append)
    assert said == ["measuring rounds of 2 models: fp32, bf16"]
    assert found["rounds"].keys() == {"sngan on ring8", "gan on ring8"}
    for own in found["rounds"].values():
        assert own.keys() == {"fp32", "bf16"}
        assert own["fp32"]["gradients"] == {name: {"cosine": 1.0, "norm": 1.0} for name in own["bf16"]["gradients"]}
        assert own["bf16"]["gradients"] != own["fp32"]["gradients"]


def test_a_model_that_fails_is_noted_with_its_reason(monkeypatch):
    def play(self, real, progress, labels):
        raise RuntimeError("no kernel\nfor this")

    monkeypatch.setattr(probe.Game, "play", play)
    assert probe.measure(specs_of("sngan")[0], [("bf16", 1)]) == [{"error": "RuntimeError: no kernel for this"}]


def test_a_bench_keeps_what_chose_its_arithmetic_and_does_not_choose_again(rates, monkeypatch, tmp_path):
    rates(fp32=100.0, bf16=300.0)
    monkeypatch.setattr(probe, "measure", lambda spec, ways: list(FASTER.values()))
    options = {"budget": "640", "seeds": 1, "metrics": "mixture-modes", "device": "cpu", "out": tmp_path}
    bench = prepare(BenchOptions(models="sngan,gan", task="ring8", **options))
    assert {spec.precision_mode for spec in bench.plan.runs} == {"bf16"}
    assert bench.plan.runs[0].run_id != specs_of("sngan")[0].run_id
    (tmp_path / "precision.json").write_text(json.dumps(bench.probes["precision"]))
    assert probe.stored_precision(bench.plan.runs, tmp_path) == bench.probes["precision"]
    assert probe.stored_precision(specs_of("vae"), tmp_path) is None, "it would have to be measured"
    rates(fp32=100.0, bf16=50.0)
    assert prepare(BenchOptions(models="sngan,gan", task="ring8", **options)).probes == bench.probes
    assert {
        s.precision_mode
        for s in prepare(BenchOptions(models="sngan,gan", task="ring8", precision="fp32", **options)).plan.runs
    } == {"fp32"}


def test_a_new_model_is_measured_and_what_was_measured_before_it_has_its_say(rates, monkeypatch, tmp_path):
    speeds = {"sngan": FASTER, "gan": {"fp32": timed(1.0), "bf16": timed(1.5)}}
    measured = []

    def measure(spec, ways):
        measured.append(spec.model)
        return list(speeds[spec.model].values())

    rates(fp32=100.0, bf16=300.0)
    monkeypatch.setattr(probe, "measure", measure)
    assert probe.choose_precision(specs_of("gan"), tmp_path, None, print)["chosen"] == "fp32"
    first = probe.choose_precision(specs_of("sngan"), tmp_path, None, print)
    (tmp_path / "precision.json").write_text(json.dumps(first))
    for models in ("sngan,gan", "gan"):
        measured.clear()
        found = probe.choose_precision(specs_of(models), tmp_path, None, print)
        assert (found["chosen"], measured, list(found["rounds"])) == (
            "bf16",
            ["gan"],
            ["sngan on ring8", "gan on ring8"],
        )


def test_a_model_that_cannot_be_built_has_no_say(rates, monkeypatch, tmp_path):
    def build(device, entry, *arguments):
        if entry.spec.name == "gan":
            raise RuntimeError("no such layer")
        return real(device, entry, *arguments)

    real = probe.build_on
    monkeypatch.setattr(probe, "build_on", build)
    rates(fp32=100.0, bf16=300.0)
    found = probe.choose_precision(specs_of(), tmp_path, None, print)
    assert found["rounds"]["gan on ring8"]["fp32"] == {"error": "RuntimeError: no such layer"}
    assert found["chosen"] in ("fp32", "bf16")
    assert "rounds in" in found["reason"]


@pytest.mark.parametrize(("timeout", "limit"), [(None, 300.0), (3600.0, 300.0), (10.0, 10.0)])
def test_a_model_that_ends_its_process_or_hangs_is_noted(monkeypatch, tmp_path, timeout, limit):
    def apart(call, *arguments, timeout):
        assert timeout == (300.0 if call is probe.matrix_rates else limit)
        if call is probe.matrix_rates:
            return {"fp32": 100.0, "bf16": 300.0}
        raise ZooError("its process ended before it had a result")

    monkeypatch.setattr(probe, "run_in_subprocess", apart)
    found = probe.choose_precision(specs_of("sngan"), tmp_path, timeout, print)
    assert (found["chosen"], found["reason"]) == ("fp32", "no model works")


@pytest.fixture
def four_cores(monkeypatch):
    """Let a machine of four cores measure these seconds of a round, by model and number of threads."""

    def set_seconds(**models):
        def measure(spec, ways):
            found = models[spec.model]
            return [{"error": found} if isinstance(found, str) else timed(found[threads]) for _, threads in ways]

        monkeypatch.setattr(probe, "run_in_subprocess", lambda call, *arguments, timeout: call(*arguments))
        monkeypatch.setattr(probe, "matrix_rates", lambda device: {"fp32": 1.0, "bf16": 1.0})
        monkeypatch.setattr(probe, "measure", measure)
        for module in ("measure.probe", "plan.resources"):
            monkeypatch.setattr(f"zoo_bench.{module}.cores", lambda: 4)

    return set_seconds


@pytest.mark.parametrize(
    ("models", "threads", "reason"),
    [
        ({"sngan": {1: 4.0, 2: 2.0, 4: 3.0}, "gan": {1: 4.0, 2: 2.0, 4: 3.0}}, 2, "2.00 times"),
        ({"sngan": {1: 8.0, 2: 4.0, 4: 1.0}, "gan": {1: 1.0, 2: 1.0, 4: 2.0}}, 4, "2.00 times"),
        ({"sngan": {1: 1.0, 2: 1.5, 4: 2.0}, "gan": {1: 1.0, 2: 1.5, 4: 2.0}}, 1, "1.00 times"),
        ({"sngan": "killed", "gan": {1: 2.0, 2: 1.0, 4: 1.5}}, 2, "2.00 times"),
        ({"sngan": "killed", "gan": "killed"}, 1, "no model works"),
    ],
    ids=["same for all", "best on average", "one", "one fails", "all fail"],
)
def test_the_number_of_threads_that_is_fastest_for_all_models_is_chosen(four_cores, tmp_path, models, threads, reason):
    four_cores(**models)
    found = probe.choose_threads(specs_of(), tmp_path, None, print)
    assert found["chosen"] == threads
    assert reason in found["reason"]


def test_threads_are_measured_for_runs_against_the_clock_unless_they_are_given(four_cores, tmp_path):
    def bench_of(budget, **given):
        return prepare(
            BenchOptions(models="sngan", task="ring8", budget=budget, seeds=1, device="cpu", out=tmp_path, **given)
        )

    four_cores(sngan={1: 4.0, 2: 2.0, 4: 3.0})
    bench = bench_of("1s")
    assert (bench.execution.threads, bench.probes["threads"]["chosen"]) == (2, 2)
    assert {spec.threads for spec in bench.plan.runs} == {2}
    for budget, given, threads in [("640", {}, 1), ("1s", {"threads": 3}, 3), ("1s", {"workers": 2}, 2)]:
        bench = bench_of(budget, **given)
        assert (bench.execution.threads, "threads" in bench.probes) == (threads, False)
        assert {spec.threads for spec in bench.plan.runs} == {threads}


def test_rounds_are_measured_with_as_many_threads_as_are_asked_for():
    before = probe.torch.get_num_threads()
    try:
        found = probe.measure(specs_of("sngan")[0], [("fp32", 1), ("fp32", 2)])
        assert probe.torch.get_num_threads() == 2
    finally:
        probe.torch.set_num_threads(before)
    assert all(result["seconds"] > 0 and not result["gradients"] for result in found), "one mode agrees with itself"


def test_a_measurement_of_matrix_products_that_is_killed_does_not_end_the_bench(monkeypatch, tmp_path):
    def killed(*arguments, **options):
        raise ZooError("its process ended before it had a result")

    monkeypatch.setattr(probe, "run_in_subprocess", killed)
    chosen = probe.choose_precision(specs_of(), tmp_path, None, print)
    assert chosen["chosen"] == "fp32"
    assert "matrix products were not measured: its process ended" in chosen["reason"]


def test_on_a_gpu_rounds_are_measured_however_slow_bf16_multiplies(rates, monkeypatch, tmp_path):
    """Compilation may pay without bf16."""
    modes = {"fp32": timed(2.0), "bf16": timed(3.0), "fp32+compile": timed(1.0), "bf16+compile": timed(1.0, norm=2.0)}
    rates(fp32=100.0, bf16=20.0)
    monkeypatch.setattr(probe, "measure", lambda spec, ways: [modes[mode] for mode, _ in ways])
    specs = [spec.with_changes(device="cuda", threads=None) for spec in specs_of()]
    found = probe.choose_precision(specs, tmp_path, None, print)
    assert found["chosen"] == "fp32+compile"
    assert "bf16+compile refused: the gradients of the player of sngan on ring8" in found["reason"]

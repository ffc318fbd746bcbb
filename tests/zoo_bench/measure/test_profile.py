import json
import pstats

import pytest

from zoo.cli import main
from zoo_bench.measure.profile import PHASES, profile
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan


def test_phases_sum_to_the_time_of_the_run_and_training_takes_more_with_more_budget(tmp_path):
    def profiled(budget):
        (spec,) = plan(
            BenchOptions(models="vae", task="digits", budget=budget, seeds=1, metrics="fid", device="cpu")
        ).runs
        found, problem = profile(spec, 1, tmp_path, None)
        assert problem == ""
        return found

    short, long = profiled("640"), profiled("19200")
    assert short.keys() == {*PHASES, "store", "other"}
    for found in (short, long):
        assert all(seconds >= 0 for phase, seconds in found.items() if phase != "other")
        assert abs(found["other"]) < 0.5 * sum(found.values())
    assert long["backward"] > 2 * short["backward"] > 0
    assert long["forward"] > 2 * short["forward"] > 0
    kept = pstats.Stats(*map(str, sorted((tmp_path / "profile").glob("digits-vae-*.prof"))[:1]))
    assert any(name == "execute" for _, _, name in kept.stats)


def test_the_command_stores_no_result(tmp_path, capsys):
    arguments = [
        "bench",
        "--models",
        "vae",
        "--budget",
        "640",
        "--seeds",
        "2",
        "--metrics",
        "fid",
        "--out",
        str(tmp_path),
    ]
    assert main([*arguments, "--profile", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["model"] for row in rows} == {"vae"}
    assert sum(row["seconds"] for row in rows) == pytest.approx(sum(abs(row["seconds"]) for row in rows), rel=0.5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["profile"]


def test_a_run_that_does_not_end_well_is_told_of(tmp_path, capsys, monkeypatch):
    arguments = ["bench", "--models", "vae,gan", "--budget", "640", "--metrics", "fid", "--profile", "--json"]
    ends = {"vae": ({"forward": 1.0}, "diverged: the loss is nan"), "gan": ({}, "error: its process ended")}
    monkeypatch.setattr("zoo_bench.measure.profile.profile", lambda spec, threads, out, timeout: ends[spec.model])
    assert main([*arguments, "--precision", "fp32", "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert [row["model"] for row in json.loads(captured.out)] == ["vae"]
    assert "vae on digits, seed 0: diverged: the loss is nan" in captured.err
    assert "gan on digits, seed 0: error: its process ended" in captured.err

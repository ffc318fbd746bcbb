import json
import pstats
from types import SimpleNamespace

import pytest
from torch import Tensor

from zoo.cli import main
from zoo.model import build
from zoo_bench.data.loading import load_task
from zoo_bench.data.stream import Stream
from zoo_bench.measure.profile import OPTIMIZER_STEP, PHASES, phases, profile
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.scoring import Scoring
from zoo_bench.score.curve import Curve
from zoo_bench.score.drawing import draw
from zoo_bench.score.scoring import score
from zoo_bench.train.game import Game


def key(function):
    code = getattr(function, "__wrapped__", function)
    code = getattr(code, "__code__", code)
    return code.co_filename, code.co_firstlineno, code.co_name


def stats_of(seconds, callers=None):
    """A profile in which functions, or what they are known by, took so many seconds in all."""
    rows = {}
    for function, total in seconds.items():
        name = function if isinstance(function, tuple) else key(function)
        by_caller = {key(caller): (1, 1, 0.0, part) for caller, part in (callers or {}).get(function, {}).items()}
        rows[name] = (1, 1, 0.0, total, by_caller)
    return SimpleNamespace(stats=rows)


def test_phases_part_the_run_without_a_rest_or_an_overlap():
    seconds = {
        load_task: 3.0, build: 1.0, Stream.next_labelled: 2.0, Game.update: 10.0, Tensor.backward: 4.0,
        OPTIMIZER_STEP: 1.5, draw: 5.0, Curve.add: 6.0, score: 7.0,
    }  # fmt: skip
    found = phases(stats_of(seconds, {draw: {Curve.add: 3.5}}), run_seconds=40.0, store_seconds=0.5)
    assert {phase: value for phase, value in found.items() if value} == {
        "load data and judge": 3.0,
        "build model": 1.0,
        "data": 2.0,
        "forward": 10.0 - 4.0 - 1.5,
        "backward": 4.0,
        "optimiser": 1.5,
        "sampling": 5.0,
        "metrics": 6.0 + 7.0 - 3.5,
        "store": 0.5,
        "other": 40.0 - 3.0 - 1.0 - 2.0 - 10.0 - 5.0 - 9.5,
    }
    assert found.keys() == {*PHASES, "store", "other"}
    assert sum(found.values()) == pytest.approx(40.5)


def test_a_namesake_in_a_plugin_s_own_file_is_no_phase():
    file, line, name = key(build)
    assert (file.endswith("model.py"), name) == (True, "build")
    namesakes = {("/plugin/model.py", line, name): 9.0, (file, line + 1, name): 9.0}
    found = phases(stats_of(namesakes), run_seconds=20.0, store_seconds=0.0)
    assert {phase: value for phase, value in found.items() if value} == {"other": 20.0}


def test_a_run_is_profiled_in_a_process_of_its_own_and_its_profile_kept(tmp_path):
    (spec,) = plan(BenchOptions(models="vae", task="digits", budget="640", seeds=1, device="cpu")).runs
    found, problem = profile(spec, 1, Scoring(("fid",)), tmp_path, None)
    assert problem == ""
    assert found.keys() == {*PHASES, "store", "other"}
    assert all(found[phase] > 0 for phase in (*PHASES, "store"))
    (path,) = (tmp_path / "profile").glob("digits-vae-*.prof")
    calls = {function: row[1] for function, row in pstats.Stats(str(path)).stats.items()}
    assert calls[key(Tensor.backward)] == calls[key(Game.update)] == calls[key(Stream.next_labelled)] == 640 / 128
    assert any(name == "execute" for _, _, name in calls)


def test_the_command_stores_no_result(tmp_path, capsys):
    arguments = ["--models", "vae", "--budget", "640", "--seeds", "2", "--metrics", "fid", "--out", str(tmp_path)]
    assert main(["bench", *arguments, "--profile", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["model"] for row in rows} == {"vae"}
    assert {row["phase"] for row in rows} == {*PHASES, "store", "other"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["profile"]


def test_a_run_that_does_not_end_well_is_told_of(tmp_path, capsys, monkeypatch):
    arguments = ["bench", "--models", "vae,gan", "--budget", "640", "--metrics", "fid", "--profile", "--json"]
    ends = {"vae": ({"forward": 1.0}, "diverged: the loss is nan"), "gan": ({}, "error: its process ended")}
    monkeypatch.setattr("zoo_bench.measure.profile.profile", lambda spec, *arguments: ends[spec.model])
    assert main([*arguments, "--precision", "fp32", "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert [row["model"] for row in json.loads(captured.out)] == ["vae"]
    assert "vae on digits, seed 0: diverged: the loss is nan" in captured.err
    assert "gan on digits, seed 0: error: its process ended" in captured.err

import json
import math
from dataclasses import replace

import pytest
import torch

from zoo.errors import ZooError
from zoo_bench.plan.record import Score, stored_scores
from zoo_bench.plan.scoring import ScorePlan
from zoo_bench.report.read.results import load_controls
from zoo_bench.score import controls
from zoo_bench.score.sheets import real_sheet


def made(value=1.0, **fields):
    return Score(**{"plugin": "genzoo", "version": "1", "judge": "any@01234567", "values": {"fid": value}, **fields})


@pytest.fixture
def plan():
    """How digits are scored with two metrics."""
    keys = {name: made(values={}) for name in ("fid", "kid", "vendi")}
    return ScorePlan(task_version="1", judge="any@01234567", wanted=("fid", "kid"), keys=keys)


@pytest.fixture
def counted(monkeypatch):
    """Replace the scoring by something quick; returns the metrics that were computed, call by call."""
    computed = []

    def fake(call, task, names, panel, timeout):
        assert task == "digits"
        computed.append(list(names))
        return controls.Scores({"real": {name: made(len(computed)) for name in names}}, {"real": 197}, b"sheet")

    monkeypatch.setattr(controls, "run_in_subprocess", fake)
    return computed


def stored(root):
    """Return the values of the metrics of real data that are kept."""
    scores = stored_scores(json.loads((root / "controls" / "digits.json").read_text()))
    return {name: score.values["fid"] for name, score in scores["real"].items()}


@pytest.fixture(params=["digits", "ring8"])
def task(request):
    return request.getfixturevalue(f"{request.param}_task")


def test_controls_are_like_a_models_samples(task):
    made = controls.samples(task)
    assert made.keys() == {"real", "copy", "half-modes", "one-mode", "noise"}
    for items in made.values():
        assert items.data.shape[1:] == task.shape
        assert items.data.dtype == task.train.data.dtype
        assert 0 < len(items) <= task.samples


def test_controls_are_the_same_every_time(task):
    torch.manual_seed(1)
    first = controls.samples(task)
    torch.manual_seed(2)
    for name, items in controls.samples(task).items():
        assert torch.equal(items.data, first[name].data), name


def test_controls_have_the_modes_that_they_say(task):
    made = controls.samples(task)
    modes = {name: set(task.judge.modes(items.data).tolist()) for name, items in made.items()}
    assert modes["real"] == modes["copy"] == set(range(task.modes))
    if task.mixture:
        assert modes["half-modes"] == set(range(task.modes // 2))
        assert modes["one-mode"] == {0}


def test_a_bench_keeps_the_sheet_of_real_items(finished_bench, digits_task):
    assert (finished_bench / "controls" / "digits.png").read_bytes() == real_sheet(digits_task)


def test_a_bench_has_scored_its_controls_and_ranked_them_rightly(finished_bench):
    (found,) = load_controls(finished_bench, [])
    scores = found["controls"]
    fids = [scores[name]["fid"] for name in ("real", "half-modes", "one-mode", "noise")]
    assert fids == sorted(fids)
    assert scores["copy"]["fid"] < scores["half-modes"]["fid"]
    assert scores["real"]["modes_captured"] == 10
    assert scores["one-mode"]["modes_captured"] == 1
    assert found["few"]["real"] == 197
    assert "noise" not in found["few"]


def test_controls_are_scored_once_per_folder_and_task(tmp_path, counted, plan):
    for _ in range(3):
        controls.score_controls(tmp_path, {"digits": plan}, None, None)
    assert counted == [["fid", "kid"]]
    assert stored(tmp_path) == {"fid": 1, "kid": 1}


@pytest.mark.parametrize("change", [{"task_version": "2"}, {"judge": "other@00000000"}])
def test_controls_are_scored_again_when_the_task_or_its_judge_changes(tmp_path, counted, plan, change):
    controls.score_controls(tmp_path, {"digits": plan}, None, None)
    controls.score_controls(tmp_path, {"digits": replace(plan, **change)}, None, None)
    assert counted == [["fid", "kid"]] * 2


@pytest.mark.parametrize("change", [{"version": "2"}, {"plugin": "other"}, {"judge": "own@76543210"}])
def test_a_metric_of_another_version_is_computed_again_and_no_other(tmp_path, counted, plan, change):
    controls.score_controls(tmp_path, {"digits": plan}, None, None)
    keys = plan.keys | {"kid": made(values={}, **change)}
    controls.score_controls(tmp_path, {"digits": replace(plan, keys=keys)}, None, None)
    assert counted == [["fid", "kid"], ["kid"]]
    assert stored(tmp_path) == {"fid": 1, "kid": 2}


def test_a_metric_more_is_computed_alone_and_one_less_is_kept(tmp_path, counted, plan):
    for wanted in (("fid",), ("fid", "vendi"), ("kid",)):
        controls.score_controls(tmp_path, {"digits": replace(plan, wanted=wanted)}, None, None)
    assert counted == [["fid"], ["vendi"], ["kid"]]
    assert stored(tmp_path) == {"fid": 1, "vendi": 2, "kid": 3}


@pytest.mark.parametrize("text", ["", "[]", "{}", "half a rec"])
def test_a_damaged_file_of_controls_is_written_again(tmp_path, counted, plan, text):
    path = tmp_path / "controls" / "digits.json"
    path.parent.mkdir()
    path.write_text(text)
    controls.score_controls(tmp_path, {"digits": plan}, None, None)
    assert counted == [["fid", "kid"]]
    assert stored(tmp_path) == {"fid": 1, "kid": 1}


def test_controls_with_damaged_scores_are_written_again(tmp_path, counted, plan):
    controls.score_controls(tmp_path, {"digits": plan}, None, None)
    path = tmp_path / "controls" / "digits.json"
    path.write_text(path.read_text().replace('"values"', '"valeus"'))
    controls.score_controls(tmp_path, {"digits": plan}, None, None)
    assert counted == [["fid", "kid"]] * 2


def test_controls_that_cannot_be_scored_are_named_and_left_out(tmp_path, plan, monkeypatch, capsys):
    def fail(call, task, names, panel, timeout):
        raise ZooError("RuntimeError: no judge today")

    monkeypatch.setattr(controls, "run_in_subprocess", fail)
    controls.score_controls(tmp_path, {"digits": plan}, None, None)
    assert "controls of digits could not be scored: RuntimeError: no judge today" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_infinite_scores_are_kept(tmp_path, plan, monkeypatch):
    infinite = controls.Scores({"real": {name: made(math.inf) for name in ("fid", "kid")}}, {}, b"")
    monkeypatch.setattr(controls, "run_in_subprocess", lambda *arguments, timeout: infinite)
    for _ in range(2):
        controls.score_controls(tmp_path, {"digits": plan}, None, None)
        assert stored(tmp_path) == {"fid": math.inf, "kid": math.inf}
        monkeypatch.setattr(controls, "run_in_subprocess", None)

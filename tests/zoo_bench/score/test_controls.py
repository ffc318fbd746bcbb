import json
import math

import pytest
import torch

from zoo.errors import ZooError
from zoo_bench.score import controls
from zoo_bench.store.records import read_record


@pytest.fixture
def spec(finished_bench):
    return read_record(next(finished_bench.glob("runs/digits/vae/*.json"))).spec


@pytest.fixture
def counted(monkeypatch):
    """Replace the scoring by something quick; returns the tasks that were scored."""
    scored = []

    def fake(call, spec, timeout):
        scored.append(spec.task)
        return {"real": {"fid": 1.0}}

    monkeypatch.setattr(controls, "run_in_subprocess", fake)
    return scored


@pytest.fixture(params=["digits", "ring8"])
def task(request):
    return request.getfixturevalue(f"{request.param}_task")


def test_controls_are_like_a_models_samples(task):
    made = controls.samples(task)
    assert made.keys() == {"real", "copy", "half-modes", "one-mode", "noise"}
    for data in made.values():
        assert data.shape[1:] == task.shape
        assert data.dtype == task.train.data.dtype
        assert 0 < len(data) <= task.samples


def test_controls_are_the_same_every_time(task):
    torch.manual_seed(1)
    first = controls.samples(task)
    torch.manual_seed(2)
    for name, data in controls.samples(task).items():
        assert torch.equal(data, first[name]), name


def test_controls_have_the_modes_that_they_say(task):
    made = controls.samples(task)
    modes = {name: set(task.judge.modes(data).tolist()) for name, data in made.items()}
    assert modes["real"] == modes["copy"] == set(range(task.modes))
    if task.mixture:
        assert modes["half-modes"] == set(range(task.modes // 2))
        assert modes["one-mode"] == {0}


def test_a_bench_has_scored_its_controls_and_ranked_them_rightly(finished_bench):
    scores = json.loads((finished_bench / "controls" / "digits.json").read_text())["controls"]
    fids = [scores[name]["fid"] for name in ("real", "half-modes", "one-mode", "noise")]
    assert fids == sorted(fids)
    assert scores["copy"]["fid"] < scores["half-modes"]["fid"]
    assert scores["real"]["modes_captured"] == 10
    assert scores["one-mode"]["modes_captured"] == 1


def test_controls_are_scored_once_per_folder_and_task(tmp_path, counted, spec):
    for _ in range(3):
        assert controls.score_controls(tmp_path, [spec, spec], None) == {"digits": {"real": {"fid": 1.0}}}
    assert counted == ["digits"]


@pytest.mark.parametrize("change", [{"task_version": "2"}, {"judge": "other@00000000"}, {"metrics": ("fid",)}])
def test_controls_are_scored_again_when_what_they_depend_on_changes(tmp_path, counted, spec, change):
    controls.score_controls(tmp_path, [spec], None)
    controls.score_controls(tmp_path, [spec.model_copy(update=change)], None)
    assert counted == ["digits", "digits"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "half a rec"])
def test_a_damaged_file_of_controls_is_written_again(tmp_path, counted, spec, text):
    path = tmp_path / "controls" / "digits.json"
    path.parent.mkdir()
    path.write_text(text)
    controls.score_controls(tmp_path, [spec], None)
    assert counted == ["digits"]
    assert json.loads(path.read_text())["controls"] == {"real": {"fid": 1.0}}


def test_controls_that_cannot_be_scored_are_named_and_left_out(tmp_path, spec, monkeypatch, capsys):
    def fail(call, spec, timeout):
        raise ZooError("RuntimeError: no judge today")

    monkeypatch.setattr(controls, "run_in_subprocess", fail)
    assert controls.score_controls(tmp_path, [spec], None) == {}
    assert "controls of digits could not be scored: RuntimeError: no judge today" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_infinite_scores_are_kept(tmp_path, spec, monkeypatch):
    monkeypatch.setattr(
        controls, "run_in_subprocess", lambda call, spec, timeout: {"one-mode": {"mode_kl_reverse": math.inf}}
    )
    for _ in range(2):
        assert controls.score_controls(tmp_path, [spec], None) == {
            "digits": {"one-mode": {"mode_kl_reverse": math.inf}}
        }
        monkeypatch.setattr(controls, "run_in_subprocess", None)

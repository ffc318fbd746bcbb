"""The panel of a folder of results."""

import os
from dataclasses import replace

import pytest

from zoo.registry import installed
from zoo.task import Split
from zoo_bench.judges import PANEL
from zoo_bench.judges.named import judge_name
from zoo_bench.judges.panel import Panel


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """Let training be too short for anything but its traces."""
    monkeypatch.setattr("zoo_bench.judges.twin.STEPS", 5)


@pytest.fixture
def digits():
    return installed().tasks.get("digits").spec


@pytest.fixture
def said():
    return []


def test_a_folder_s_seed_is_drawn_once(tmp_path):
    first = Panel.of(tmp_path)
    first.write(tmp_path)
    assert Panel.of(tmp_path).seed == first.seed >= 1
    seeds = {Panel.of(tmp_path / "elsewhere").seed for _ in range(50)}
    assert len(seeds) > 40
    assert 0 not in seeds, "it is that of the judges that are shipped"


def test_a_twin_is_trained_once_and_kept(tmp_path, digits, digits_task, said):
    first = Panel.of(tmp_path)
    first.train(digits, digits_task, said.append)
    first.train(digits, digits_task, said.append)
    first.write(tmp_path)
    again = Panel.of(tmp_path)
    again.train(digits, digits_task, said.append)
    assert said == [f"training twin-{first.seed}, a second judge of digits"]
    names = [judge_name(PANEL, found.seated(digits, digits_task)) for found in (first, again)]
    assert names[0] == names[1]
    assert names[0].count("@") == 3
    assert " and pixels-32@" in names[0]
    assert f" and twin-{first.seed}@" in names[0]


@pytest.mark.parametrize("share", [0, 0.01, 0.5])
def test_a_twin_whose_file_is_damaged_is_trained_again(tmp_path, digits, digits_task, said, share):
    first = Panel.of(tmp_path)
    first.train(digits, digits_task, said.append)
    first.write(tmp_path)
    (file,) = tmp_path.glob("judges/*.safetensors")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    again = Panel.of(tmp_path)
    assert len(again.seated(digits, digits_task).panel) == 1
    again.train(digits, digits_task, said.append)
    assert len(said) == 2
    assert again.twins == {file.name: whole}


def test_another_seed_or_version_of_the_task_has_another_twin(tmp_path, digits, digits_task, said):
    for seed, spec in ((1, digits), (2, digits), (2, replace(digits, version="9"))):
        found = Panel.of(tmp_path, seed)
        found.train(spec, digits_task, said.append)
        found.write(tmp_path)
    assert len(said) == 3
    assert Panel.of(tmp_path).seed == 2
    assert len(list((tmp_path / "judges").glob("*.safetensors"))) == 3


def test_points_have_no_panel_and_a_few_images_have_what_they_allow(tmp_path, digits, digits_task, ring8_task, said):
    found = Panel.of(tmp_path)
    ring8 = installed().tasks.get("ring8").spec
    found.train(ring8, ring8_task, said.append)
    assert found.seated(ring8, ring8_task) is ring8_task
    few = replace(digits_task, train=Split(digits_task.train.data[:24], digits_task.train.modes[:24]))
    found.train(digits, few, said.append)
    assert [judge.name for judge in found.seated(digits, few).panel] == ["pixels-23", f"twin-{found.seed}"]
    one = replace(digits_task, train=Split(digits_task.train.data[:1], digits_task.train.modes[:1]))
    assert found.seated(digits, one).panel == ()
    assert len(said) == 1


def test_where_no_twin_can_be_trained_it_is_said_and_the_pixels_stay(tmp_path, digits, digits_task, said):
    wrong = replace(digits_task, train=Split(digits_task.train.data, digits_task.train.modes - 1))
    found = Panel.of(tmp_path, 7)
    found.train(digits, wrong, said.append)
    assert said[1].startswith("zoo: no second judge of digits could be trained: IndexError")
    assert [judge.name for judge in found.seated(digits, wrong).panel] == ["pixels-32"]


def test_a_damaged_file_of_the_seed_is_as_none(tmp_path):
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "panel.json").write_text('{"seed": "seven"}')
    assert isinstance(Panel.of(tmp_path).seed, int)


@pytest.mark.parametrize("seed", ["-1", "1" + "0" * 400, '"x"', "null", "1.5"])
def test_a_seed_that_is_none_is_drawn_anew(tmp_path, seed):
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "panel.json").write_text(f'{{"seed": {seed}}}')
    assert 1 <= Panel.of(tmp_path).seed <= 10_000


def test_a_twin_that_is_a_pipe_or_a_link_is_not_read(tmp_path):
    folder = tmp_path / "judges"
    folder.mkdir()
    os.mkfifo(folder / "digits-1-twin-7.safetensors")
    (folder / "ring8-1-twin-7.safetensors").symlink_to("/dev/zero")
    assert Panel.of(tmp_path, 7).twins == {}

import json

import pytest

from zoo.cli import main

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize("name", ["digits", "ring8"])
def test_a_task_is_described(name, capsys):
    assert main(["task", name, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["items"]["train"] > 0
    assert facts["judge's accuracy on test"] > 0.98
    real = facts["real against real"]
    assert 0 < real["fid"] < 3 * real["floor"]
    assert sum(facts["classes in train"].values()) == facts["items"]["train"]


def test_a_file_without_a_sheet_is_refused(capsys, tmp_path):
    assert main(["task", "digits", "--out", str(tmp_path / "sheet.png")]) == 2
    assert capsys.readouterr().err == "zoo: --out is for the sheet: add --preview\n"


def test_a_preview_is_a_png(capsys, tmp_path):
    assert main(["task", "digits", "--preview", "--out", str(tmp_path / "sheet.png")]) == 0
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert f"sheet: {tmp_path / 'sheet.png'}" in capsys.readouterr().out


def test_an_impossible_place_is_refused_before_anything_is_loaded(capsys, tmp_path):
    assert main(["task", "svhn", "--preview", "--out", str(tmp_path / "no" / "sheet.png")]) == 2
    assert "must be a file in an existing folder" in capsys.readouterr().err


def test_unusable_files_are_listed(pictures, capsys, tmp_path):
    (pictures / "empty.png").touch()
    assert main(["task", f"folder:{pictures}?size=8"]) == 0
    printed = capsys.readouterr()
    assert "left out: empty.png: the file is empty" in printed.err
    assert "unusable files left out: empty.png the file is empty" in printed.out
    assert main(["task", f"folder:{pictures}?size=8", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["unusable files left out"] == {"empty.png": "the file is empty"}
    assert facts["real against real"]["floor"] > 0


def test_data_of_a_task_without_files(capsys):
    assert main(["data", "digits"]) == 0
    assert "digits: loads, 1,000 training" in capsys.readouterr().out


def test_an_unknown_task(capsys):
    assert main(["data", "cifar"]) == 2
    assert "did you mean 'cifar10'" in capsys.readouterr().err

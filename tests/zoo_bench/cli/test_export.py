import numpy as np
import pytest

import zoo
from zoo.cli import main


def exported(bench, format_, out, *options):
    return main(["export", str(bench), "--format", format_, "--out", str(out), *options])


CHOICE = ("--model", "vae", "--run-seed", "0")


def test_every_format_without_an_extra_is_written_and_named(finished_bench, tmp_path, capsys):
    assert exported(finished_bench, "safetensors", tmp_path / "vae.safetensors", *CHOICE) == 0
    assert exported(finished_bench, "hub", tmp_path / "vae", *CHOICE, "--license", "mit") == 0
    assert exported(finished_bench, "script", tmp_path / "vae.py", *CHOICE) == 0
    files = ["vae.safetensors", "vae/model.safetensors", "vae/config.json", "vae/samples.png", "vae/README.md",
             "vae.py", "vae.npz"]  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / name) for name in files]
    assert zoo.load(tmp_path / "vae").config == zoo.load(tmp_path / "vae.safetensors").config
    assert 'license: "mit"' in (tmp_path / "vae/README.md").read_text()
    assert np.load(tmp_path / "vae.npz")["data"].shape[1:] == (1, 8, 8)


@pytest.mark.parametrize(
    ("format_", "name", "options", "sentence"),
    [
        ("onxx", "vae.onnx", CHOICE, "unknown format 'onxx': did you mean 'onnx'?"),
        ("onnx", "vae.txt", CHOICE, "must end in .onnx"),
        ("script", "absent/vae.py", CHOICE, "must be in an existing folder"),
        ("hub", "full", CHOICE, "is there: name a new folder"),
        ("safetensors", "vae.safetensors", ("--model", "vae"), "has 2 runs: name one by model and seed"),
        ("safetensors", "vae.safetensors", ("--model", "vea"), "did you mean 'vae'?"),
        ("safetensors", "vae.safetensors", (*CHOICE, "--license", "mit"), "--license is for --format hub"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    finished_bench, tmp_path, capsys, format_, name, options, sentence
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    assert exported(finished_bench, format_, tmp_path / name, *options) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "file"]


def test_an_export_is_no_run_to_export_again(finished_bench, tmp_path, capsys):
    assert exported(finished_bench, "safetensors", tmp_path / "vae.safetensors", *CHOICE) == 0
    assert exported(tmp_path / "vae.safetensors", "hub", tmp_path / "vae") == 2
    assert "is not a run record of this version" in capsys.readouterr().err

"""The script that takes a bench's results into ``results/reference/``."""

import importlib.util
import json
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo_bench import load_results

SCRIPT = Path(__file__).parents[3] / "bench" / "reference" / "collect.py"


@pytest.fixture
def take(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("reference", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.take


def test_every_task_has_a_folder_with_tables_environment_controls_and_a_sheet_per_model(bench, make, tmp_path, take):
    make.bench(bench, task="ring8", seeds=2)
    (bench / "environment.json").write_text('{"cores": 2}')
    reference = tmp_path / "reference"
    (reference / "digits").mkdir(parents=True)
    (reference / "digits" / "old.png").write_text("of a model that is no more")
    assert take(bench, reference) == [reference / "digits", reference / "ring8"]
    sheets = {f"{model}.png" for model in ("gan", "dcgan", "wgan-gp", "sngan", "vae", "beta-vae")}
    tables = {"table.txt", "table.md", "results.csv", "environment.json", "modes.png", "curves.png"}
    assert {path.name for path in (reference / "digits").iterdir()} == {*sheets, *tables, "controls.json"}
    assert {path.name for path in (reference / "ring8").iterdir()} == {*sheets, *tables}
    assert len(load_results(reference / "digits" / "results.csv")) == 18
    assert json.loads((reference / "ring8" / "environment.json").read_text()) == {"cores": 2}
    text = (reference / "digits" / "table.txt").read_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "dcgan has the lowest FID" in text
    assert "noise" in text
    assert "ring8" not in text
    (first,) = (path.with_suffix(".png") for path in bench.glob("runs/digits/gan/seed=0-*.json"))
    assert (reference / "digits" / "gan.png").read_bytes() == first.read_bytes()


def test_variants_have_sheets_of_their_own_and_a_suffix_keeps_benches_apart(make, tmp_path, take):
    specs = [make.spec(seed=0, config=config) for config in ({}, {"packing": 2})]
    out = make.write(tmp_path / "bench", [make.drawn(spec, 2.0) for spec in specs], pictures=True)
    folder = tmp_path / "reference" / "digits-packed"
    assert take(out, tmp_path / "reference", "packed") == [folder]
    assert {"gan.png", "gan-packing-2.png"} <= {path.name for path in folder.iterdir()}


def test_a_folder_without_results_is_refused_and_nothing_is_removed(tmp_path, take):
    with pytest.raises(ZooError, match="no results"):
        take(tmp_path / "absent", tmp_path)

"""The scripts that take a bench's results into ``results/reference/``, and from there to the models' cards."""

import csv
import importlib.util
import json
import math
from pathlib import Path

import pytest

from zoo.card import REFERENCE
from zoo.errors import ZooError
from zoo.model import configure
from zoo.registry import installed
from zoo_bench import load_results

SCRIPTS = Path(__file__).parents[3] / "bench" / "reference"


@pytest.fixture
def script(monkeypatch):
    """Import a script by its name."""
    monkeypatch.syspath_prepend(SCRIPTS)

    def load(name):
        spec = importlib.util.spec_from_file_location(f"reference_{name}", SCRIPTS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def take(script):
    return script("collect").take


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


def test_what_cards_show_is_what_the_reference_results_say_of_todays_defaults(script):
    assert REFERENCE.read_text("utf-8") == script("cards").table(), "run `python bench/reference/cards.py`"


def test_cards_show_means_over_the_runs_that_ended_well_with_the_defaults_of_genzoos_models(tmp_path, script):
    def config(**settings):
        return json.dumps(configure(installed().models.get("gan"), (2,), settings)[1].model_dump(mode="json"))

    without_ema = json.loads(config())
    assert without_ema.pop("ema") == 0.0

    columns = ("model", "plugin", "task", "budget", "status", "fid", "modes_captured", "modes_total", "config")
    runs = [
        ("gan", "genzoo", "ring8", "1k", "ok", 2, 7, 8, config()),
        ("gan", "genzoo", "ring8", "1k", "ok", 8, 8, 8, json.dumps(without_ema)),
        ("gan", "genzoo", "ring8", "1k", "diverged", "", "", "", config()),
        ("gan", "genzoo", "ring8", "1k", "ok", 1, 1, 8, config(packing=2)),
        ("gan", "genzoo", "ring8", "1k", "ok", 1, 1, 8, json.dumps({**without_ema, "setting_of_old": 1})),
        ("gan", "zoo-plugin-other", "ring8", "1k", "ok", 1, 1, 8, config()),
        ("gan-of-old", "genzoo", "ring8", "1k", "ok", 1, 1, 8, config()),
        ("gan", "genzoo", "grid25", "2k", "error", "", "", "", config()),
    ]
    (tmp_path / "one").mkdir()
    with (tmp_path / "one" / "results.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *runs])
    first, second = csv.DictReader(script("cards").table(tmp_path).splitlines())
    assert float(first.pop("fid")) == math.sqrt(2 * 8)
    assert first == {
        "model": "gan",
        "task": "ring8",
        "runs": "2/3",
        "modes": "7.5/8",
        "command": "zoo bench --models gan --task ring8 --budget 1k --seeds 3",
    }
    assert (second["task"], second["runs"], second["fid"], second["modes"]) == ("grid25", "0/1", "", "")

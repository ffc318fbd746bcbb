"""Model cards: settings, parameters per task, reference results."""

from __future__ import annotations

import csv
import json
import math

import pytest

import zoo
from zoo.card import parameters, references, settings, tuned
from zoo.catalogue import Catalogue, Entry
from zoo.errors import ZooError
from zoo.model import configure
from zoo.registry import installed
from zoo.specs import TaskSpec

MODEL = """
import zoo
from torch import nn

class Model(zoo.GenerativeModel):
    Config = type("Config", (zoo.ModelConfig,), {"__annotations__": {"depth": int}, "depth": 3})

    def __init__(self, shape, config):
        if len(shape) != 3:
            raise ValueError("points make no image")
        super().__init__(shape, config)
        self.network = nn.Linear(shape[0] * shape[1] * shape[2], 2)
        self.frozen = nn.Linear(5, 5).requires_grad_(False)
"""
PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="bare", target="fake_bare_model:Model", summary="It.")
"""


def tasks(**shapes):
    catalogue = Catalogue[TaskSpec]("task")
    for name, shape in shapes.items():
        data = "images" if len(shape) == 3 else "points"
        spec = TaskSpec(name=name, target="a:b", summary="It.", data=data, shape=shape, modes=0, version="1")
        catalogue.add(Entry(spec, installed().plugins[0]))
    return catalogue


@pytest.fixture
def bare(distributions):
    distributions.add("bare", {"bare": "fake_bare"}, fake_bare=PLUGIN, fake_bare_model=MODEL)
    return distributions.discover().models.get("bare")


def test_a_setting_without_a_description_is_listed_all_the_same(bare):
    depth = next(setting for setting in settings(bare) if setting.name == "depth")
    assert (depth.type, depth.default, depth.description) == ("integer", "3", "")


def test_parameters_are_the_trainable_ones_of_every_task_that_the_model_can_be_built_for(bare):
    assert parameters(bare, tasks(small=(1, 2, 2), large=(3, 4, 4), flat=(2,))) == {"small": 10, "large": 98}


def test_a_model_that_can_be_built_for_no_task_is_one_sentence(bare):
    with pytest.raises(ZooError, match=r"^model 'bare' of bare 1\.0 cannot be built: points make no image"):
        parameters(bare, tasks(flat=(2,)))


def test_a_task_without_a_shape_has_no_parameters_to_count(bare):
    assert parameters(bare, tasks(folder=())) == {}


def test_references_are_means_over_the_runs_that_ended_well(tmp_path):
    entry = installed().models.get("gan")

    def config(**settings):
        return json.dumps(configure(entry, (2,), settings)[1].model_dump(mode="json"))

    without_ema = json.loads(config())
    assert without_ema.pop("ema") == 0.0

    columns = ("model", "task", "budget", "status", "fid", "modes_captured", "modes_total", "config")
    runs = [
        ("gan", "ring8", "1k", "ok", 2, 7, 8, config()),
        ("gan", "ring8", "1k", "ok", 8, 8, 8, json.dumps(without_ema)),
        ("gan", "ring8", "1k", "diverged", "", "", "", config()),
        ("gan", "ring8", "1k", "ok", 1, 1, 8, config(packing=2)),
        ("gan", "ring8", "1k", "ok", 1, 1, 8, json.dumps({**without_ema, "setting_of_old": 1})),
        ("vae", "ring8", "1k", "ok", 1, 1, 8, config()),
        ("gan", "grid25", "2000steps", "error", "", "", "", config()),
    ]
    (tmp_path / "one").mkdir()
    with (tmp_path / "one" / "results.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *runs])
    first, second = references(entry, installed().tasks, tmp_path)
    assert (first.task, first.runs, first.modes) == ("ring8", "2/3", "7.5/8")
    assert first.fid == pytest.approx(math.sqrt(2 * 8))
    assert first.command == "zoo bench --models gan --task ring8 --budget 1k --seeds 3"
    assert (second.runs, second.fid, second.modes) == ("0/1", None, "")
    assert "--budget 2000rounds " in second.command, "an old table's budget, as it is written today"


def test_tuned_settings_are_written_as_they_are_set():
    assert tuned(installed().models.get("sngan"))["points"] == "lr=0.000506 betas=[0.0,0.9] discriminator_steps=5"
    assert tuned(installed().models.get("beta-vae"))["points"] == "as above"


def test_without_reference_results_there_are_none(tmp_path):
    assert references(installed().models.get("gan"), installed().tasks, tmp_path / "absent") == []


@pytest.mark.parametrize("name", [e.spec.name for e in installed().models if e.plugin.distribution == "genzoo"])
def test_the_projects_own_models_have_complete_cards(name):
    entry = installed().models.get(name)
    assert all((entry.spec.paper, entry.spec.url, entry.spec.loss, entry.spec.failure_modes))
    assert all(setting.description for setting in settings(entry))
    model = zoo.create(name, shape=(1, 8, 8))
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert parameters(entry, installed().tasks)["digits"] == count

"""Every column must rank the controls on digits as its definition says."""

import itertools
from dataclasses import replace

import pytest
import torch

from zoo.evaluation import Evaluation
from zoo_bench.data.sets.digits import digits
from zoo_bench.judges.pixels import PixelJudge
from zoo_bench.judges.twin import train_twin, twin_judge
from zoo_bench.score.metrics.specs import METRICS

RANKS = {
    "fid": "real copy > half > one > noise",
    "fid_inf": "real copy > half > one > noise",
    "fid_twin": "real copy > half > one",
    "fid_pixels": "real copy > half > one > noise",
    "panel": "real copy > half > one > noise",
    "kid": "real copy > half > one > noise",
    "mind": "real copy > half > one > noise",
    "precision": "real copy half one > noise",
    "density": "real copy half one > noise",
    "clipped_density": "real copy half one > noise",
    "recall": "real copy > half > one > noise",
    "coverage": "real copy > half > one > noise",
    "clipped_coverage": "real copy > half > one > noise",
    "vendi": "real copy > half > one",
    "modes_captured": "real copy > half > one",
    "mode_kl": "real copy > half > one noise",
    "mode_tv": "real copy > half > one noise",
    "mode_kl_reverse": "real copy > half",
    "mode_js": "real copy > half > one noise",
    "mode_chi2_p": "real copy > half > one noise",
    "ndb": "real copy > half > one noise",
    "ndb_js": "real copy > half > one noise",
    "authentic": "noise > held-out > real copy half one",
    "copies": "noise held-out > real copy half one",
    "ct": "noise > held-out > real copy half one",
    "fid_train": "real copy > half > one > noise",
    "mode_kl_corrected": "real copy > half > one",
    "mode_tv_corrected": "real copy > half > one",
    "junk": "real copy half one > noise",
    "tstr": "real copy > half > one noise",
    "augmentation": "held-out > real copy > one",
    "support_low": "real copy noise > half > one",
}
"""From best to worst; where neither direction is better, as listed in HIGHER or LOWER.

Corrected shares are those of items that are not junk, which all of the noise is; as all of it is called one class, it
neither helps nor harms a classifier beside real items.
"""
HIGHER = {"vendi", "mode_chi2_p", "ct", "support_low", "augmentation"}
LOWER = {"fid_train"}
COMPANIONS = {
    "fid_floor",
    "fid_floor_sd",
    "fid_real",
    "fid_twin_real",
    "fid_pixels_real",
    "kid_se",
    "copies_real",
    "copies_se",
}
NO_RANK = COMPANIONS | {"modes_total", "trtr", "support"}
"""``support`` is missing where nothing is repeated; its lower bound is ranked."""
BY_DEFAULT = [spec for spec in METRICS if not spec.on_request]
COLUMNS = {column.name: column for spec in BY_DEFAULT if "mixture" not in spec.needs for column in spec.columns}


@pytest.fixture(scope="module")
def controls():
    task = digits()
    task = replace(task, panel=(PixelJudge(task.train.data), twin_judge(task, 3, train_twin(task, 3))))
    train = task.train
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(1))
    samples = {
        "real": train.data[order[:600]],
        "copy": train.data,
        "held-out": task.validation.data,
        "half": train.data[train.modes < 5],
        "one": train.data[train.modes == 3],
        "noise": torch.randint(256, (600, *task.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    }
    metrics = [spec.load() for spec in BY_DEFAULT if task.offers.issuperset(spec.needs)]
    found = {}
    for name, data in samples.items():
        evaluation = Evaluation(task, data)
        found[name] = {column: value for metric in metrics for column, value in metric(evaluation).items()}
    return found


def test_every_metric_has_a_version_of_its_own():
    assert all(spec.version for spec in METRICS)


def test_every_column_is_ranked(controls):
    assert controls["one"].keys() | {"support"} == RANKS.keys() | NO_RANK
    assert all(COLUMNS[name].better == "" for name in NO_RANK - {"support"})


@pytest.mark.parametrize("column", RANKS)
def test_controls_are_ranked_rightly(controls, column):
    higher = COLUMNS[column].better == "higher" or column in HIGHER
    assert higher or COLUMNS[column].better == "lower" or column in LOWER
    groups = [[controls[name][column] for name in group.split()] for group in RANKS[column].split(">")]
    for better, worse in itertools.pairwise(groups):
        assert min(better) > max(worse) if higher else max(better) < min(worse)


def test_real_data_are_where_the_columns_say(controls):
    real, held_out = controls["real"], controls["held-out"]
    assert real["fid"] < real["fid_floor"]
    assert abs(real["fid_inf"]) < real["fid_floor"]
    assert abs(held_out["kid"]) < 2 * held_out["kid_se"]
    assert held_out["coverage"] == pytest.approx(0.97, abs=0.03)
    assert held_out["density"] == pytest.approx(1.0, abs=0.1)
    assert held_out["vendi"] == pytest.approx(1.0, abs=0.05)
    assert held_out["ndb"] < 0.15
    assert held_out["mode_chi2_p"] > 0.01
    assert held_out["authentic"] == pytest.approx(0.5, abs=0.15)
    assert held_out["copies"] < 0.02
    assert abs(held_out["ct"]) < 1


def test_copies_are_found(controls):
    for name in ("real", "copy"):
        assert controls[name]["authentic"] == 0
        assert controls[name]["copies"] == 1
        assert controls[name]["ct"] < -3
        assert controls[name]["fid_train"] < controls[name]["fid"]
    assert controls["held-out"]["fid_train"] == pytest.approx(controls["held-out"]["fid"], rel=0.25)

import json
from dataclasses import replace
from importlib.resources import files

import pytest
import torch
from safetensors import safe_open

from zoo.errors import ZooError
from zoo_bench.data import train_judges
from zoo_bench.data.disturbances import DISTURBANCES
from zoo_bench.data.robustness import Held
from zoo_bench.data.sets import digits
from zoo_bench.judges.classifier import ClassifierJudge, JudgeNetwork

TINY = train_judges.Recipe(digits.splits, steps=40, features=6, width=4, reach=6.0)


def test_training_repeats_itself_and_says_how_to_rebuild_the_network():
    judge, again = train_judges.train(TINY, seed=1), train_judges.train(TINY, seed=1)
    assert judge.sha256 == again.sha256 != train_judges.train(TINY, seed=2).sha256
    rebuilt = JudgeNetwork(**json.loads(judge.metadata["network"]))
    rebuilt.load_state_dict(judge.network.state_dict())
    _, _, test = digits.splits()
    assert (judge.modes(test.data) == test.modes).double().mean() > 0.2


def test_examples_say_how_much_each_image_was_disturbed_and_blanks_are_of_no_class():
    torch.manual_seed(0)
    images, gauges, targets = train_judges.examples(torch.zeros(500, 1, 8, 8), torch.full((500,), 3), 10)
    blanks = slice(train_judges.BLANKS)
    noise = list(DISTURBANCES).index("noise")
    assert float(images[blanks].std()) == pytest.approx(3**-0.5, abs=0.05)
    assert (gauges[blanks, noise] == train_judges.BLANK_GAUGE).all()
    assert torch.allclose(targets.sum(dim=1), torch.ones(500))
    assert targets[blanks].argmax(dim=1).tolist() == [0] * train_judges.BLANKS
    assert targets[blanks].max() < 0.3
    assert (targets[train_judges.BLANKS :, 3] == 1).all()
    assert gauges[train_judges.BLANKS :, noise].max() <= train_judges.GAUGES["noise"]


def test_the_candidate_that_sees_most_of_the_ladder_is_chosen(monkeypatch):
    class Candidate:
        def __init__(self, seed):
            self.metadata = {"seed": str(seed)}

    monkeypatch.setattr(train_judges, "train", lambda recipe, seed: Candidate(seed))
    seen = iter([{"noise": 0.8, "blur": 0.9}, {"noise": 1.0, "blur": 0.9}, {"noise": 0.9, "blur": 0.9}])
    monkeypatch.setattr(train_judges, "climb", lambda judge, reference, items: next(seen))
    chosen = train_judges.choose(TINY).metadata
    assert chosen["seed"] == "1"
    assert json.loads(chosen["ladder"]) == {"noise": 1.0, "blur": 0.9}
    assert json.loads(chosen["candidates"]) == {"0": 0.85, "1": 0.95, "2": 0.9}


@pytest.fixture
def held():
    """What a judge of digits that holds everything would hold."""
    return {name: [Held(1.0, 10, 0.0)] * 5 for name in DISTURBANCES}


def test_a_judge_above_its_floors_passes(held):
    train_judges.check_floors("digits", held, 10)


@pytest.mark.parametrize(
    ("place", "found", "sentence"),
    [
        (-1, Held(0.5, 10, 9.0), r"the judge of digits is right on 0\.500 .* under noise, below its floor of 0\.\d+: "),
        (2, Held(0.9, 9, 9.0), "the judge of digits loses classes under noise: it is not written"),
    ],
)
def test_a_judge_below_a_floor_is_refused(held, place, found, sentence):
    held["noise"][place] = found
    with pytest.raises(ZooError, match=sentence):
        train_judges.check_floors("digits", held, 10)


def test_a_judge_below_the_floor_of_undisturbed_items_is_refused(held):
    held = {name: [Held(0.5, 10, 0.0), *row[1:]] for name, row in held.items()}
    with pytest.raises(ZooError, match=r"is right on 0\.500 of the test items, below its floor of"):
        train_judges.check_floors("digits", held, 10)


def test_nothing_is_written_below_a_floor(monkeypatch, tmp_path):
    monkeypatch.setitem(train_judges.RECIPES, "digits", replace(TINY, steps=2))
    monkeypatch.setattr(train_judges, "SEEDS", (0,))
    with pytest.raises(ZooError, match="below its floor"):
        train_judges.main(["digits"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_judge_is_written_with_all_that_it_holds(monkeypatch, tmp_path):
    monkeypatch.setitem(train_judges.RECIPES, "digits", TINY)
    monkeypatch.setattr(train_judges, "SEEDS", (0,))
    monkeypatch.setattr(train_judges, "check_floors", lambda name, held, classes: None)
    train_judges.main(["digits"], tmp_path)
    with safe_open(str(tmp_path / "digits-cnn.safetensors"), "pt") as file:
        metadata = file.metadata()
    robustness = json.loads(metadata["robustness"])
    assert robustness.keys() == set(DISTURBANCES)
    assert {f"{accuracies[0]:.4f}" for accuracies in robustness.values()} == {metadata["test_accuracy"]}
    assert json.loads((tmp_path / "temperatures.json").read_text()).keys() == {"digits-cnn"}
    judge = ClassifierJudge("again", (tmp_path / "digits-cnn.safetensors").read_bytes(), metadata)
    assert judge.features(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).shape == (2, 6)


def test_an_unknown_judge_is_refused_before_any_is_trained(tmp_path):
    with pytest.raises(ZooError, match="unknown judge to train 'digit': did you mean 'digits'"):
        train_judges.main(["mnist", "digit"], tmp_path)


def test_every_recipe_has_floors_for_every_disturbance_and_a_file():
    weights = files("zoo_bench") / "judges" / "weights"
    for name in train_judges.RECIPES:
        assert train_judges.FLOORS[name].keys() == {"", *DISTURBANCES}
        assert (weights / f"{name}-cnn.safetensors").is_file()

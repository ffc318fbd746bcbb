import json

import torch

from zoo_bench.data import train_judges as train_judge
from zoo_bench.data.sets import digits
from zoo_bench.judges.classifier import JudgeNetwork


def test_the_training_script_repeats_itself_and_says_how_to_rebuild_the_network():
    recipe = train_judge.Recipe(digits.splits, shift=1, steps=40, features=5, width=4)
    (network, metadata), (again, _) = train_judge.train(recipe), train_judge.train(recipe)
    for key, weight in network.state_dict().items():
        assert torch.equal(weight, again.state_dict()[key]), key
    rebuilt = JudgeNetwork(**json.loads(metadata["network"]))
    rebuilt.load_state_dict(network.state_dict())
    assert metadata["test_accuracy"] == f"{train_judge.accuracy(rebuilt, digits.splits()[2]):.4f}"
    assert float(metadata["test_accuracy"]) > 0.2


def test_augmentation_moves_images_within_its_bounds():
    image = torch.full((1, 1, 8, 8), -1.0)
    image[0, 0, 4, 4] = 50.0
    torch.manual_seed(0)
    peaks = {int(train_judge.augment(image, shift=2).flatten().argmax()) for _ in range(200)}
    assert peaks == {8 * row + column for row in range(2, 7) for column in range(2, 7)}

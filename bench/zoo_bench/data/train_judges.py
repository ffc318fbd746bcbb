"""Train a shipped judge: ``python -m zoo_bench.data.train_judges digits mnist``.

Fixed seeds, one thread, the task's training split. Images are disturbed at random, so that classes are still recognised
in samples that are grainy, blurred or pale, and features have to say how much each image was disturbed, so that such
samples still lie far from real ones. Of several trainings the one is kept that sees most on the ladder of
:mod:`zoo_bench.data.ladder`, climbed with validation items. A judge below its floors is refused.

What it holds on the test split and everything else needed to rebuild the network is stored in the weights file; the
temperature that calibrates its confidence on the validation split, in ``temperatures.json``.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from zoo.errors import UnknownNameError, ZooError
from zoo.task import Split, to_model
from zoo_bench.data.disturbances import DISTURBANCES, disturbed_at_random
from zoo_bench.data.ladder import climb
from zoo_bench.data.robustness import Held, examine
from zoo_bench.data.sets import digits, mnist
from zoo_bench.data.stream import Stream
from zoo_bench.judges.classifier import ClassifierJudge, JudgeNetwork

SEEDS = (0, 1, 2)
BATCH_SIZE = 128
SHARES = {"shift": 0.6, "blur": 0.25, "contrast": 0.25, "noise": 0.25, "salt": 0.25}
"""Of training images, those that each disturbance hits."""

GAUGES = {"shift": 0.5, "blur": 3.0, "contrast": 2.0, "noise": 2.0, "salt": 2.0}
"""How far features have to move with each disturbance, relative to each other: at full strength FID then minds blur,
loss of contrast and grain about equally, and shifts, which cost a reader nothing, the least."""

BLANKS = 8
"""Images of a batch that are replaced by uniform noise, which is of no class."""

BLANK_GAUGE = 2 * GAUGES["noise"]
BLANK_CONFIDENCE = 0.2
"""Uniform noise is called class 0, with little confidence: so it neither covers classes nor passes for one."""


@dataclass(frozen=True)
class Recipe:
    """How a judge is trained.

    Attributes:
        splits: The task's splits.
        steps: Optimiser steps.
        features: Width of the feature layer, small enough for statistics of the reference set.
        width: Channels of the first convolution.
        reach: How far features move with a disturbance at full strength, times its gauge.
    """

    splits: Callable[[], tuple[Split, Split, Split]]
    steps: int
    features: int
    width: int
    reach: float


RECIPES = {
    "digits": Recipe(digits.splits, steps=2000, features=32, width=32, reach=6.0),
    "mnist": Recipe(mnist.splits, steps=4000, features=64, width=8, reach=3.0),
    "fashion-mnist": Recipe(mnist.fashion_splits, steps=6000, features=64, width=12, reach=3.0),
}

FLOORS = {
    "digits": {"": 0.985, "shift": 0.94, "blur": 0.94, "contrast": 0.93, "noise": 0.77, "salt": 0.66},
    "mnist": {"": 0.99, "shift": 0.94, "blur": 0.94, "contrast": 0.95, "noise": 0.95, "salt": 0.92},
    "fashion-mnist": {"": 0.905, "shift": 0.81, "blur": 0.83, "contrast": 0.84, "noise": 0.8, "salt": 0.8},
}
"""The least accuracy of a judge on test items, undisturbed and at full strength of each disturbance.

All of its classes are captured throughout.
"""


def train(recipe: Recipe, seed: int) -> ClassifierJudge:
    """Train a judge once; its metadata are the sizes of its network and the seed."""
    torch.manual_seed(seed)
    training, _, _ = recipe.splits()
    assert training.modes is not None
    _, channels, side, _ = training.data.shape
    classes = int(training.modes.max()) + 1
    sizes = {
        "channels": channels,
        "side": side,
        "features": recipe.features,
        "classes": classes,
        "width": recipe.width,
    }
    network = JudgeNetwork(**sizes).to(memory_format=torch.channels_last)
    directions = nn.init.orthogonal_(torch.empty(len(DISTURBANCES), recipe.features))
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=recipe.steps)
    stream = Stream(training.data, seed, torch.device("cpu"))
    for _ in range(recipe.steps):
        indices = stream.indices(BATCH_SIZE)
        images, gauges, targets = examples(to_model(training.data[indices]), training.modes[indices], classes)
        features = network.trunk(images.contiguous(memory_format=torch.channels_last))
        recognised = F.cross_entropy(network.head(features), targets, label_smoothing=0.05)
        gauged = F.mse_loss(features @ directions.T / recipe.reach, gauges)
        loss = recognised + 3.0 * gauged
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    weights = save({key: value.contiguous() for key, value in network.state_dict().items()})
    return ClassifierJudge("candidate", weights, {"network": json.dumps(sizes), "seed": str(seed)})


def examples(images: Tensor, modes: Tensor, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return disturbed images, where features have to lie along each disturbance (N, 5), and class shares (N, K)."""
    images, strengths = disturbed_at_random(images, torch.tensor([SHARES[name] for name in DISTURBANCES]))
    gauges = strengths * torch.tensor([GAUGES[name] for name in DISTURBANCES])
    targets = F.one_hot(modes, classes).float()
    images[:BLANKS] = 2.0 * torch.rand_like(images[:BLANKS]) - 1.0
    gauges[:BLANKS] = BLANK_GAUGE * torch.tensor([name == "noise" for name in DISTURBANCES])
    targets[:BLANKS] = (1.0 - BLANK_CONFIDENCE) / classes
    targets[:BLANKS, 0] += BLANK_CONFIDENCE
    return images, gauges, targets


def choose(recipe: Recipe) -> ClassifierJudge:
    """Train with every seed and return the judge that sees most of the ladder; what each saw is in its metadata."""
    training, validation, _ = recipe.splits()
    judges = [train(recipe, seed) for seed in SEEDS]
    seen = [climb(judge, training.data, validation) for judge in judges]
    overall = [statistics.fmean(harms.values()) for harms in seen]
    best = overall.index(max(overall))
    judges[best].metadata |= {
        "ladder": json.dumps({harm: round(share, 4) for harm, share in seen[best].items()}),
        "candidates": json.dumps({seed: round(share, 4) for seed, share in zip(SEEDS, overall, strict=True)}),
    }
    return judges[best]


def check_floors(name: str, held: Mapping[str, list[Held]], classes: int) -> None:
    """Check what a judge holds under each disturbance, undisturbed first and at full strength last.

    Raises:
        ZooError: If it is below a floor.
    """
    for disturbance, floor in FLOORS[name].items():
        found = held[disturbance][-1] if disturbance else next(iter(held.values()))[0]
        if found.accuracy < floor:
            under = f" under {disturbance}" if disturbance else ""
            raise ZooError(
                f"the judge of {name} is right on {found.accuracy:.3f} of the test items{under}, below its floor "
                f"of {floor}: it is not written"
            )
    for disturbance, row in held.items():
        if min(found.modes for found in row) < classes:
            raise ZooError(f"the judge of {name} loses classes under {disturbance}: it is not written")


def temperature(network: JudgeNetwork, split: Split) -> float:
    """Return the temperature of lowest cross-entropy on a split that nothing was trained on (Guo et al. 2017).

    Labels are smoothed by one item in all (as in Platt 1999): a small split on which every class is right would
    otherwise ask for certainty.
    """
    from scipy.optimize import minimize_scalar

    assert split.modes is not None
    labels = split.modes
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(to_model(batch)) for batch in split.data.split(1024)]).double()
    minimum = minimize_scalar(
        lambda t: float(F.cross_entropy(logits / t, labels, label_smoothing=1 / (len(labels) + 2))),
        bounds=(0.05, 20.0),
        method="bounded",
    )
    return round(float(minimum.x), 4)


def main(names: list[str], folder: Path = Path(__file__).parents[1] / "judges" / "weights") -> None:
    """Train the named judges and write them into a folder, by default that of the package.

    Raises:
        ZooError: If a name is unknown, or a judge is below its floors.
    """
    torch.set_num_threads(1)
    for name in names:
        if name not in RECIPES:
            raise UnknownNameError("judge to train", name, RECIPES)
    for name in names:
        _, validation, test = RECIPES[name].splits()
        judge = choose(RECIPES[name])
        held = {disturbance: examine(judge, test, disturbance) for disturbance in DISTURBANCES}
        check_floors(name, held, json.loads(judge.metadata["network"])["classes"])
        accuracies = {disturbance: [round(found.accuracy, 4) for found in row] for disturbance, row in held.items()}
        metadata = judge.metadata | {
            "test_accuracy": f"{next(iter(held.values()))[0].accuracy:.4f}",
            "robustness": json.dumps(accuracies),
        }
        path = folder / f"{name}-cnn.safetensors"
        path.write_bytes(save(judge.network.state_dict(), metadata))
        calibration = folder / "temperatures.json"
        temperatures = json.loads(calibration.read_text()) if calibration.exists() else {}
        temperatures[path.stem] = temperature(judge.network, validation)
        calibration.write_text(json.dumps(temperatures, indent=1, sort_keys=True) + "\n")
        print(f"{path.name}: {json.dumps(metadata, indent=1)}, {path.stat().st_size / 1e3:.0f} kB", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ZooError as error:
        print(error, file=sys.stderr)
        sys.exit(2)

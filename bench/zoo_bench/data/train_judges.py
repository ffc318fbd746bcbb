"""Train a shipped judge: ``python -m zoo_bench.data.train_judges digits mnist``.

Fixed seed, one thread, the task's training split, small shifts and noise as augmentation. The accuracy on the test
split and everything else needed to rebuild the network is stored in the weights file; the temperature that calibrates
its confidence on the validation split, in ``temperatures.json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from zoo.task import Split, to_model
from zoo_bench.data.sets import digits, mnist
from zoo_bench.data.stream import Stream
from zoo_bench.judges.classifier import JudgeNetwork

SEED = 0
BATCH_SIZE = 128


@dataclass(frozen=True)
class Recipe:
    """How a judge is trained.

    Attributes:
        splits: The task's splits.
        shift: Largest shift of an image in pixels, either way.
        steps: Optimiser steps.
        features: Width of the feature layer, small enough for statistics of the reference set.
        width: Channels of the first convolution.
    """

    splits: Callable[[], tuple[Split, Split, Split]]
    shift: int
    steps: int
    features: int
    width: int


RECIPES = {
    "digits": Recipe(digits.splits, shift=1, steps=2000, features=32, width=32),
    "mnist": Recipe(mnist.splits, shift=2, steps=4000, features=64, width=8),
    "fashion-mnist": Recipe(mnist.fashion_splits, shift=1, steps=5000, features=64, width=12),
}


def augment(images: Tensor, shift: int) -> Tensor:
    """Shift each batch by up to ``shift`` pixels and add noise of standard deviation 0.1."""
    dx, dy = (int(torch.randint(-shift, shift + 1, ())) for _ in range(2))
    side = images.shape[-1]
    padded = F.pad(images, [shift] * 4, value=-1.0)
    moved = padded[..., shift + dy : shift + dy + side, shift + dx : shift + dx + side]
    return moved + 0.1 * torch.randn_like(moved)


@torch.no_grad()
def accuracy(network: JudgeNetwork, split: Split) -> float:
    """Return the share of a split that the network classifies correctly."""
    assert split.modes is not None
    network.eval()
    predictions = torch.cat([network(to_model(batch)).argmax(1) for batch in split.data.split(1024)])
    return float((predictions == split.modes).double().mean())


def train(recipe: Recipe) -> tuple[JudgeNetwork, dict[str, str]]:
    """Train a judge and return it with its metadata."""
    torch.manual_seed(SEED)
    training, _, test = recipe.splits()
    assert training.modes is not None
    _, channels, side, _ = training.data.shape
    sizes = {
        "channels": channels,
        "side": side,
        "features": recipe.features,
        "classes": int(training.modes.max()) + 1,
        "width": recipe.width,
    }
    network = JudgeNetwork(**sizes)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=recipe.steps)
    stream = Stream(training.data, SEED, torch.device("cpu"))
    for _ in range(recipe.steps):
        indices = stream.indices(BATCH_SIZE)
        logits = network(augment(to_model(training.data[indices]), recipe.shift))
        loss = F.cross_entropy(logits, training.modes[indices], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    metadata = {"network": json.dumps(sizes), "test_accuracy": f"{accuracy(network, test):.4f}", "seed": str(SEED)}
    return network, metadata


def temperature(network: JudgeNetwork, split: Split) -> float:
    """Return the temperature of lowest cross-entropy on a split that nothing was trained on (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    assert split.modes is not None
    labels = split.modes
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(to_model(batch)) for batch in split.data.split(1024)]).double()
    minimum = minimize_scalar(
        lambda t: float(F.cross_entropy(logits / t, labels)), bounds=(0.05, 20.0), method="bounded"
    )
    return round(float(minimum.x), 4)


def main(names: list[str]) -> None:
    """Train the named judges and write them into the package."""
    torch.set_num_threads(1)
    folder = Path(__file__).parents[1] / "judges" / "weights"
    for name in names:
        network, metadata = train(RECIPES[name])
        path = folder / f"{name}-cnn.safetensors"
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path, metadata)
        calibration = folder / "temperatures.json"
        temperatures = json.loads(calibration.read_text()) if calibration.exists() else {}
        temperatures[path.stem] = temperature(network, RECIPES[name].splits()[1])
        calibration.write_text(json.dumps(temperatures, indent=1, sort_keys=True) + "\n")
        print(f"{path.name}: test accuracy {metadata['test_accuracy']}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

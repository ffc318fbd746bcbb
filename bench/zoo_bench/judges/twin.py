"""The twin of a task's judge: a network of another seed, which is not known before the bench."""

from __future__ import annotations

import json

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor

from zoo.task import Judge, Split, Task, to_model
from zoo_bench.judges.classifier import ClassifierJudge, JudgeNetwork
from zoo_bench.judges.random_conv import RandomJudge
from zoo_bench.judges.stacked import StackedJudge

STEPS = 1000
BATCH_SIZE = 64
MAX_CLASSES = 100
MANY_ITEMS = 10_000
"""From so many training items on, features are as many as those of the shipped judges of large sets."""


def twin_name(seed: int) -> str:
    """Return the name of the twins of a seed."""
    return f"twin-{seed}"


def twin_judge(task: Task, seed: int, weights: bytes | None) -> Judge | None:
    """Return a task's twin; None if it has to be trained, and no weights are given, or damaged ones.

    Where classes are unknown it is ``random-conv`` of that seed, which needs no weights.

    Args:
        task: The task, of images.
        seed: The seed of the twin.
        weights: What :func:`train_twin` returned.
    """
    if _labelled(task) is None:
        return RandomJudge(task.shape[0], seed)
    if weights is None:
        return None
    size = int.from_bytes(weights[:8], "little")
    try:
        metadata = json.loads(weights[8 : 8 + size])["__metadata__"]
        judge = ClassifierJudge(twin_name(seed), weights, metadata)
    except Exception:  # whatever is wrong with the file, it is trained again
        return None
    return StackedJudge(judge) if isinstance(task.judge, StackedJudge) else judge


def train_twin(task: Task, seed: int) -> bytes | None:
    """Train a small classifier on the training split, in seconds on one thread; None if its classes are unknown.

    Nothing disturbs its training images, unlike those of the shipped judges, so that it has weaknesses of its own.

    Returns:
        The weights as safetensors.
    """
    split = _labelled(task)
    if split is None or split.modes is None:
        return None
    _, channels, side, _ = split.data.shape
    sizes = {
        "channels": channels,
        "side": side,
        "features": 64 if len(split) >= MANY_ITEMS else 32,
        "classes": int(split.modes.max()) + 1,
        "width": 16 if side <= 16 else 8,
    }
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that the same seed gives the same weights
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _trained(JudgeNetwork(**sizes), split.data, split.modes)
    finally:
        torch.set_num_threads(threads)
    weights = {name: weight.contiguous() for name, weight in network.state_dict().items()}
    return save(weights, {"network": json.dumps(sizes)})  # of several entries the order would differ every time


def _trained(network: JudgeNetwork, images: Tensor, labels: Tensor) -> JudgeNetwork:
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=STEPS)
    for _ in range(STEPS):
        indices = torch.randint(len(images), (BATCH_SIZE,))
        loss = F.cross_entropy(network(to_model(images[indices])), labels[indices], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network


def _labelled(task: Task) -> Split | None:
    """Return the images and classes that a twin is trained on; None if they are unknown, not square, or too many."""
    split = StackedJudge.grey(task.train) if isinstance(task.judge, StackedJudge) else task.train
    if split.modes is None or not task.modes or split.data.shape[-1] != split.data.shape[-2]:
        return None
    return split if int(split.modes.max()) < MAX_CLASSES else None

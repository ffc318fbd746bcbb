"""What generated items are good for: training a classifier of real ones."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import ZooError
from zoo.evaluation import Evaluation, Reference
from zoo.task import to_model
from zoo_bench.score.metrics.inputs import subsample

RANDOM_FEATURES = 512
BATCH_SIZE = 1024
RIDGE_PENALTY = 1.0
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
MIN_GENERATED = 10


def utility(evaluation: Evaluation) -> dict[str, float]:
    """Return ``tstr``, ``trtr`` and ``augmentation``: the accuracies of a small classifier on real test images.

    ``tstr`` trains on generated images with the judge's labels, ``trtr`` on as many real training images with their
    true ones, or all there are (train on synthetic, test on real: Esteban, Hyland and Rätsch 2017; Ravuri and Vinyals
    2019). Both are 0 to 1; ``tstr`` is better the higher, and about ``trtr`` for real data. ``augmentation`` is what
    generated images beside those real ones add to ``trtr``, -1 to 1; above 0 they help.

    The labels are the judge's, also of models that are given labels, so that all are measured alike; and the judge was
    trained on all of the training split: what is measured is its distillation through generated images. What labelled
    images are worth without a judge is measured by :func:`augmenting`.

    The classifier is :class:`RandomFeatureClassifier` on pixels, the same for all.

    Raises:
        ZooError: If there are fewer than 10 generated images, or the training split has no labels.
    """
    reference, task = evaluation.reference, evaluation.task
    n = len(evaluation.generated)
    if n < MIN_GENERATED:
        raise ZooError(f"{MIN_GENERATED} generated items are needed, there are {n}")
    if task.train.modes is None:
        raise ZooError("the task's training split has no labels")
    real = reference.once(_real, n)
    synthetic = RandomFeatureClassifier(task.modes).add(evaluation.generated, evaluation.modes_generated)
    test, truth = task.test.data, evaluation.modes_real
    real_accuracy = reference.once(_real_accuracy, n)
    return {
        "tstr": synthetic.accuracy(test, truth),
        "trtr": real_accuracy,
        "augmentation": (real + synthetic).accuracy(test, truth) - real_accuracy,
    }


def augmenting(evaluation: Evaluation) -> dict[str, float]:
    """Return how well a classifier does on real test images that was trained on real ones, generated ones, and both.

    Generated images have the class that was asked for, and no judge takes part. Of both, a generated image weighs as
    much as a real one, or less where there are more of them, so that all together they weigh no more than all real
    ones: else ten thousand of them would drown a hundred real images.

    Each of the three has the ridge penalty under which it does best on the validation split. With one penalty for all,
    images of any kind would help beside about as many real ones as there are features, where least squares without
    much of a penalty does worst.

    Returns:
        ``accuracy_real``, of all of the training split, ``accuracy_generated`` and ``accuracy_both``, 0 to 1; nothing
        of a model without labels.

    Raises:
        ZooError: If the training or the validation split has no labels.
    """
    labels, task = evaluation.labels, evaluation.task
    if labels is None:
        return {}
    if task.train.modes is None or task.validation.modes is None:
        raise ZooError("the task's training or validation split has no labels")
    real = RandomFeatureClassifier(task.modes).add(task.train.data, task.train.modes)
    generated = RandomFeatureClassifier(task.modes).add(evaluation.generated, labels)
    both = real + generated.weighted(min(1.0, len(task.train) / len(labels)))
    found = {}
    for name, classifier in {"real": real, "generated": generated, "both": both}.items():
        on_validation = {p: classifier.accuracy(task.validation.data, task.validation.modes, p) for p in PENALTIES}
        best = max(PENALTIES, key=on_validation.__getitem__)
        found[f"accuracy_{name}"] = classifier.accuracy(task.test.data, evaluation.modes_real, best)
    return found


class RandomFeatureClassifier:
    """Ridge regression of class indicators on 512 fixed random ReLU features of the pixels, in closed form.

    Random features: Rahimi and Recht 2007. Deterministic, and about as good as a small network on small grey images.

    Args:
        classes: Number of classes.
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._gram = torch.zeros(RANDOM_FEATURES + 1, RANDOM_FEATURES + 1, dtype=torch.float64)
        self._targets = torch.zeros(RANDOM_FEATURES + 1, classes, dtype=torch.float64)

    def add(self, images: Tensor, labels: Tensor) -> RandomFeatureClassifier:
        """Train on images (N, C, H, W) uint8 with labels (N,) int64 as well, and return this classifier."""
        for features, truth in zip(_random_features(images), labels.split(BATCH_SIZE), strict=True):
            self._gram += features.T @ features
            self._targets += features.T @ F.one_hot(truth, self._classes).double()
        return self

    def __add__(self, other: RandomFeatureClassifier) -> RandomFeatureClassifier:
        """Return the classifier trained on the images of both."""
        both = RandomFeatureClassifier(self._classes)
        both._gram = self._gram + other._gram
        both._targets = self._targets + other._targets
        return both

    def weighted(self, weight: float) -> RandomFeatureClassifier:
        """Return the classifier in whose sums every image has this weight."""
        weighted = RandomFeatureClassifier(self._classes)
        weighted._gram, weighted._targets = weight * self._gram, weight * self._targets
        return weighted

    def accuracy(self, images: Tensor, labels: Tensor, penalty: float = RIDGE_PENALTY) -> float:
        """Return the share of images that it classifies correctly under a ridge penalty."""
        ridge = penalty * torch.eye(RANDOM_FEATURES + 1, dtype=torch.float64)
        weights = torch.linalg.solve(self._gram + ridge, self._targets)
        predictions = torch.cat([(features @ weights).argmax(dim=1) for features in _random_features(images)])
        return float((predictions == labels).double().mean())


def _random_features(images: Tensor) -> Iterator[Tensor]:
    """Yield ReLU features and a constant of batches of images, (N, 513) float64."""
    generator = torch.Generator().manual_seed(0)
    pixels = images[0].numel()
    weights = torch.randn(pixels, RANDOM_FEATURES, generator=generator) / pixels**0.5
    offsets = 0.5 * torch.randn(RANDOM_FEATURES, generator=generator)
    for batch in images.split(BATCH_SIZE):
        features = (to_model(batch).flatten(1) @ weights + offsets).relu()
        yield F.pad(features, (0, 1), value=1.0).double()


def _real(reference: Reference, n: int) -> RandomFeatureClassifier:
    """Return the classifier trained on ``n`` real training images."""
    task = reference.task
    assert task.train.modes is not None
    chosen = subsample(torch.arange(len(task.train)), n)
    return RandomFeatureClassifier(task.modes).add(task.train.data[chosen], task.train.modes[chosen])


def _real_accuracy(reference: Reference, n: int) -> float:
    task = reference.task
    assert task.test.modes is not None
    return reference.once(_real, n).accuracy(task.test.data, task.test.modes)

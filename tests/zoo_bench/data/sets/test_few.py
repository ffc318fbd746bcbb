"""A share of a task's training split: its classes, its draws, and what stays the whole task's."""

import pytest
import torch

from zoo.errors import ZooError
from zoo.registry import installed
from zoo.task import Split
from zoo_bench.data.loading import load_task
from zoo_bench.data.sets.few import chosen
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan

ORDER = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
CLASSES = torch.tensor([0] * 600 + [1] * 300 + [2] * 97 + [3] * 3)[ORDER]
ITEMS = Split(torch.arange(1000.0)[:, None], CLASSES)


@pytest.mark.parametrize(
    ("fraction", "counts"), [(0.1, [60, 30, 10, 1]), (0.001, [1, 1, 1, 1]), (1, [600, 300, 97, 3])]
)
def test_every_class_keeps_its_share_and_has_an_item(fraction, counts):
    assert ITEMS.at(chosen(ITEMS, fraction, 0)).modes.bincount().tolist() == counts


def test_a_draw_is_always_the_same_and_draws_differ():
    first, again, other = (chosen(ITEMS, 0.1, draw) for draw in (3, 3, 4))
    assert torch.equal(first, again)
    assert len(first.unique()) == len(first) == len(other)
    assert len(set(first.tolist()) & set(other.tolist())) < 30, "two independent draws share a tenth"


def test_the_smaller_share_of_a_draw_is_part_of_the_larger():
    assert set(chosen(ITEMS, 0.05, 1).tolist()) < set(chosen(ITEMS, 0.2, 1).tolist())


def test_without_classes_it_is_a_share_of_all():
    assert len(chosen(Split(ITEMS.data), 0.25, 0)) == 250


def test_all_but_the_training_split_is_the_whole_tasks():
    entry = installed().tasks.get("few:digits?fraction=0.050&draw=3")
    few, whole = load_task(entry), load_task(installed().tasks.get("digits"))
    assert entry.spec.name == "few@digits-0.05-3"
    assert installed().tasks.get(entry.spec.name).spec == entry.spec
    assert 45 <= len(few.train) <= 55
    assert torch.equal(few.test.data, whole.test.data)
    assert torch.equal(few.validation.modes, whole.validation.modes)
    assert (few.judge.sha256, few.modes, few.samples) == (whole.judge.sha256, whole.modes, whole.samples)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("few", "task 'few' names no task: write few:TASK"),
        ("few:digits", "does not say how few items of which task"),
        ("few?fraction=0.1", "does not say how few items of which task"),
        ("few@digits", "does not say how few items of which task"),
        ("few:dgits?fraction=0.1", "unknown task 'dgits': did you mean 'digits'"),
        ("few:digits?fraction=0", "a fraction must be a number from 0.000001 to 1, got '0'"),
        ("few:digits?fraction=nan", "a fraction must be a number"),
        ("few:digits?fraction=1.5", "a fraction must be a number"),
        ("few:digits?fraction=0.1&draw=x", "draw=x of task 'few' must be a whole number"),
        ("few:digits?share=0.1", "unknown option of a task 'share'"),
        ("few:folder?fraction=0.1", "must be of a task without parameters"),
        ("few:few@digits-0.1-0?fraction=0.1", "must be of a task without parameters"),
    ],
)
def test_what_is_not_understood_is_refused_in_a_sentence(name, sentence):
    with pytest.raises(ZooError, match=sentence.replace("?", r"\?")):
        plan(BenchOptions(models="vae", task=name, budget="64", seeds=1))

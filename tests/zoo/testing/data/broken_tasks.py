"""One task that keeps the contract, and for every rule one that breaks it, named after the rule."""

import dataclasses
import itertools

import torch

import zoo

CENTRES = torch.tensor([[-2.0, 0.0], [2.0, 0.0]])
COUNTER = itertools.count()


class Judge:
    name, sha256 = "nearest", "0" * 64

    def to(self, device):
        return self

    def features(self, data):
        return torch.cat([data, data**2], dim=1).double()

    def modes(self, data):
        return torch.cdist(data, CENTRES).argmin(1)


def split(seed, n=200):
    modes = torch.arange(2).repeat(n // 2)
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    return zoo.Split(CENTRES[modes] + 0.2 * noise, modes)


def good(**changes):
    task = zoo.Task(split(0), split(1), split(2), Judge(), 2, 200, zoo.Mixture(CENTRES, 0.2))
    return dataclasses.replace(task, **changes)


def judge(**methods):
    return good(judge=type("Broken", (Judge,), methods)())


def as_declared():
    return good(modes=3)


def stored_form():
    return good(test=zoo.Split(split(2).data.double(), split(2).modes))


def enough_items():
    return good(validation=split(1, n=20))


def splits_disjoint():
    return good(test=split(0))


def labels_in_range():
    return good(test=zoo.Split(split(2).data, split(2).modes + 1))


def mixture():
    return good(mixture=zoo.Mixture(CENTRES[:1], 0.2))


def loads_again_the_same():
    return good(train=split(100 + next(COUNTER)))


def changes_no_settings():
    torch.manual_seed(0)
    return good()


def judge_named():
    return judge(sha256="")


def judge_features():
    return judge(features=lambda self, data: data / 0.0)


def judge_deterministic():
    return judge(features=lambda self, data: data - data.mean(0))


def judge_leaves_items_alone():
    return judge(modes=lambda self, data: data.zero_()[:, 0].long())


def judge_modes():
    return judge(modes=lambda self, data: 1 - Judge.modes(self, data))

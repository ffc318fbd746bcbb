"""One metric that keeps the contract, and for every rule one that breaks it, named after the rule."""

import itertools
import math

import torch

import zoo

COUNTER = itertools.count()


def gap(evaluation):
    return float((evaluation.features_generated.mean(0) - evaluation.features_real.mean(0)).abs().max())


def good(evaluation):
    return {"gap": gap(evaluation)}


def columns_as_declared(evaluation):
    return {"another": gap(evaluation)}


def finite_on_real_data(evaluation):
    return {"gap": math.inf}


def same_samples_same_figure(evaluation):
    return {"gap": gap(evaluation) + torch.rand(()).item()}


def changes_nothing(evaluation):
    evaluation.features_generated.sub_(evaluation.features_generated.mean(0))
    return {"gap": gap(evaluation)}


def few_samples(evaluation):
    if len(evaluation.generated) < 100:
        raise ValueError("too few")
    return {"gap": gap(evaluation)}


def direction(evaluation):
    return {"gap": -gap(evaluation)}


def with_sentence(evaluation):
    if len(evaluation.generated) < 100:
        raise zoo.ZooError("the gap takes at least 100 samples")
    return {"gap": gap(evaluation)}

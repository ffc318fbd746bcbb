"""What is claimed of models, and of which of them nothing is."""

import pytest

from zoo.columns import Column
from zoo_bench.report.read.claims import Claims, Model, difference
from zoo_bench.report.read.sequential import sequential_p
from zoo_bench.report.read.statistics import t_interval, welch

FID = Column("fid", "lower", "", scale="log")


@pytest.fixture
def model():
    """Make a model from its values of FID."""

    def made(label, *values, ok=None, **fields):
        estimates = {"fid": t_interval(values, log=True)}
        return Model(label, len(values), ok or len(values), 0, {"fid": list(values)}, estimates, **fields)

    return made


@pytest.mark.parametrize("fields", [{"marks": ("its samples are copies",)}, {"outside": True}])
def test_what_is_marked_or_was_made_elsewhere_is_neither_best_nor_in_the_way_of_the_best(model, fields):
    honest = [model("a", 2.0, 2.1, 2.2), model("b", 4.0, 4.1, 4.2)]
    copier = model("copier", 0.1, 0.1, 0.11, **fields)
    found = Claims.of([copier, *honest], FID)
    assert found == Claims.of(honest, FID)
    assert found.standings == {"a": "best", "b": ""}
    assert not found.is_separable(copier, honest[0])


def test_a_marked_model_is_named_with_its_mark(model):
    assert model("copier", 1.0, marks=("its samples are copies",)).name == "copier !"
    assert model("gan", 1.0).name == "gan"


def test_a_mean_that_leaves_out_a_finished_run_separates_nothing(model):
    a, b = model("a", 1.0, 1.1, 1.2), model("b", 9.0, 9.1, 9.2, ok=4)
    found = Claims.of([a, b], FID)
    assert found.standings == {"a": "best", "b": "tied"}
    assert not found.is_separable(a, b)


def test_an_equal_mean_that_leaves_out_a_finished_run_is_not_best(model):
    found = Claims.of([model("a", 1.0, 1.0), model("b", 1.0, ok=2)], FID)
    assert found.standings == {"a": "best", "b": "tied"}


@pytest.mark.parametrize("added_to", ["a", "b"])
def test_a_difference_from_a_model_to_which_seeds_were_added_allows_for_the_looks(model, added_to):
    values = {"a": [1.0, 1.1, 1.2, 1.3, 1.4], "b": [2.0, 2.1, 2.2, 1.9]}
    a, b = (
        model(label, *runs, seeds={"fid": list(range(len(runs)))}, adaptive=label == added_to)
        for label, runs in values.items()
    )
    found, fixed = difference(a, b, FID), welch(values["a"], values["b"], log=True)
    assert found.estimate == fixed.estimate
    assert found.p == sequential_p(*(dict(enumerate(runs)) for runs in values.values()), log=True) > fixed.p

"""Whose samples are of no class."""

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.junk import of_no_class
from zoo_bench.report.read.summary import summarise
from zoo_bench.store.tables import to_frame


@pytest.fixture
def summary_of(make):
    """Summarise two runs of each model with these shares of junk."""

    def summarised(**shares):
        records = [
            make.record(make.spec(model=model, seed=seed), metrics={"fid": 2.0, "junk": share + 0.01 * (-1) ** seed})
            for model, share in shares.items()
            for seed in range(2)
        ]
        (group,) = groups(to_frame(records))
        return summarise(group)

    return summarised


def test_models_most_of_whose_samples_are_of_no_class_are_named(summary_of):
    models = summary_of(gan=0.98, vae=0.3, sngan=0.6).models
    said = (
        "98 % of gan's and 60 % of sngan's samples are of no class (real data: {} %), so that their modes are guesses."
    )
    assert of_no_class(models, {}) == said.format(1)
    assert of_no_class(models, {"junk": 0.0203}) == said.format(2)


def test_nobody_is_named_for_less(summary_of, make):
    assert of_no_class(summary_of(gan=0.45, vae=0.0).models, {}) == ""
    (group,) = groups(to_frame([make.record(make.spec(), metrics={"fid": 2.0})]))
    assert of_no_class(summarise(group).models, {}) == ""


def test_the_notes_of_a_table_say_it(summary_of):
    assert any("98 % of gan's samples are of no class" in note for note in summary_of(gan=0.98, vae=0.1).notes)
    assert not any("no class" in note for note in summary_of(gan=0.1, vae=0.1).notes)

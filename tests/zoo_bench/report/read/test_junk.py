"""Whose samples are mostly junk."""

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.junk import mostly_junk
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


def test_models_most_of_whose_samples_are_junk_are_named(summary_of):
    models = summary_of(gan=0.98, vae=0.3, sngan=0.6).models
    assert "are 98 % of gan's and 60 % of sngan's samples: what is counted of their modes" in mostly_junk(models)


def test_nobody_is_named_for_less(summary_of, make):
    assert mostly_junk(summary_of(gan=0.45, vae=0.0).models) == ""
    (group,) = groups(to_frame([make.record(make.spec(), metrics={"fid": 2.0})]))
    assert mostly_junk(summarise(group).models) == ""


def test_the_notes_of_a_table_say_it(summary_of):
    assert any("98 % of gan's samples" in note for note in summary_of(gan=0.98, vae=0.1).notes)
    assert not any(note.startswith("Junk") for note in summary_of(gan=0.1, vae=0.1).notes)

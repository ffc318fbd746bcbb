"""What figures say against a model."""

import pytest

from zoo_bench.report.read.claims import Model
from zoo_bench.report.read.marks import marked
from zoo_bench.report.read.statistics import t_interval

REAL = {"fid_real": 0.2, "fid_twin_real": 0.3, "fid_pixels_real": 0.7}
HONEST = {"gan": (2.0, 3.0, 4.0), "vae": (3.4, 5.0, 6.0), "dcgan": (1.2, 1.5, 2.0)}
"""FIDs under the task's judge, its twin, and principal components."""


def table(**models):
    """Make models with these FIDs."""
    made = []
    for label, fids in models.items():
        values = {**dict(zip(("fid", "fid_twin", "fid_pixels"), fids, strict=False)), **REAL}
        estimates = {column: t_interval([value]) for column, value in values.items()}
        made.append(Model(label, 1, 1, 0, {column: [value] for column, value in values.items()}, estimates))
    return made


def marks_of(**models):
    """Return the marks of the models that have any."""
    return {model.label: model.marks for model in marked(table(**models)) if model.marks}


def test_honest_models_carry_no_mark():
    assert marks_of(**HONEST) == {}


def test_a_model_that_was_trained_on_the_judge_is_marked():
    ((label, (mark,)),) = marks_of(**HONEST, fooling=(0.86, 23.7, 116)).items()
    assert label == "fooling"
    assert mark == (
        "its FID is 0.43 of the others' under the task's judge, 7.9 under the twin and 29 under the pixels: it fits "
        "that judge"
    )


def test_judges_that_weigh_a_fault_differently_mark_nobody():
    """Figures of 180,000 images of MNIST: a plain network sees the VAE's blur far more sharply than the other two."""
    mnist = {
        "dcgan": (6.6, 3.2, 1.0), "wgan-gp": (6.6, 4.1, 1.0), "vae": (11.7, 77, 3.1), "sngan": (13.3, 20, 2.0),
        "gan": (13.9, 38, 3.1), "perceptrons": (132, 108, 32),
    }  # fmt: skip
    assert marks_of(**mnist) == {}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.69])
def test_items_of_the_test_split_are_marked(share):
    found = marks_of(**HONEST, reader=tuple(share * real + 1e-9 for real in REAL.values()))
    assert found.keys() == {"reader"}
    assert "so it has seen the test split" in found["reader"][0]


def test_a_perfect_model_is_not():
    assert marks_of(**HONEST, perfect=(0.17, 0.26, 0.8)) == {}


def test_one_judge_alone_marks_nobody():
    assert marks_of(gan=(2.0,), reader=(0.0,), vae=(3.0,)) == {}

"""What figures say against a model."""

import pandas as pd
import pytest

from zoo_bench.report.read.marks import marks_of

REAL = {"fid_real": 0.2, "fid_twin_real": 0.3, "fid_pixels_real": 0.7}
HONEST = {"gan": (2.0, 3.0, 4.0), "vae": (3.4, 5.0, 6.0), "dcgan": (1.2, 1.5, 2.0)}
"""FIDs under the task's judge, its twin, and principal components."""


def found(**models):
    """Return the marks of the models that have any, of two runs each with these FIDs."""
    columns = ("fid", "fid_twin", "fid_pixels")
    runs = {
        label: pd.DataFrame([{**REAL, **dict(zip(columns, fids, strict=False))}] * 2) for label, fids in models.items()
    }
    return {label: marks for label, marks in marks_of(runs, {}).items() if marks}


def test_honest_models_carry_no_mark():
    assert found(**HONEST) == {}


def test_a_model_that_was_trained_on_the_judge_is_marked():
    ((label, (mark,)),) = found(**HONEST, fooling=(0.86, 23.7, 116)).items()
    assert label == "fooling"
    assert mark == (
        "its FID is 0.43 times the other models' median under the task's judge, but 7.9 times under the twin and 29 "
        "times under the pixels: it fits one judge"
    )


def test_models_are_set_beside_those_that_every_judge_has_seen():
    """As where the runs of two folders, each with a twin of its own, are in one table."""
    assert found(good=(1.0, 9.0, 9.0), better=(0.9, 8.0, 8.0), poor=(50.0,), poorer=(60.0,), poorest=(70.0,)) == {}


def test_judges_that_weigh_a_fault_differently_mark_nobody():
    """Figures of 180,000 images of MNIST: a plain network sees the VAE's blur far more sharply than the other two."""
    mnist = {
        "dcgan": (6.6, 3.2, 1.0), "wgan-gp": (6.6, 4.1, 1.0), "vae": (11.7, 77, 3.1), "sngan": (13.3, 20, 2.0),
        "gan": (13.9, 38, 3.1), "perceptrons": (132, 108, 32),
    }  # fmt: skip
    assert found(**mnist) == {}


def test_beside_a_model_that_only_the_first_judge_finds_poor_nobody_is_marked():
    """Grain, for example: one judge has real items with much noise at 360, another at 15."""
    assert found(dcgan=(1.0, 3.0, 4.0), grainy=(360, 15, 55)) == {}


def test_a_poor_model_that_other_judges_find_poorer_still_is_not_marked():
    assert found(**HONEST, grainy=(6.0, 90.0, 120.0)) == {}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.69])
def test_items_of_the_test_split_are_marked(share):
    marks = found(**HONEST, reader=tuple(share * real + 1e-9 for real in REAL.values()))
    assert marks.keys() == {"reader"}
    assert "as if it had seen the test split" in marks["reader"][0]


def test_a_perfect_model_is_not():
    assert found(**HONEST, perfect=(0.17, 0.26, 0.8)) == {}


def test_one_judge_alone_knows_who_has_seen_the_test_split_and_not_who_fits_it():
    assert found(gan=(2.0,), vae=(3.0,), fooling=(0.2,)) == {}
    assert found(gan=(2.0,), vae=(3.0,), reader=(0.0,)).keys() == {"reader"}


def test_copies_are_marked_and_what_was_not_computed_speaks_against_nobody():
    copier = pd.DataFrame([{"copies": 0.99, "copies_real": 0.01, "copies_se": 0.01}])
    marks = marks_of({"copier": copier, "gan": pd.DataFrame([{"fid": 2.0}])}, {})
    assert marks == {
        "copier": [
            "99 % of its samples are training items up to noise, a shift or a mirror image (held-out data: 1 %)"
        ],
        "gan": [],
    }

"""The sanity suite: a sample of its verdicts, and its table in the documentation."""

from pathlib import Path

import pytest
import torch

from zoo_bench.score import sanity

ROOT = Path(__file__).parents[3]


def verdicts(name):
    return sanity.examine(next(failing for failing in sanity.FAILINGS if failing.name == name))


def test_a_shift_is_seen_by_all():
    assert set(verdicts("mean shifted by 0.5").values()) == {"yes"}


def test_dropped_modes_are_seen_by_diversity_and_not_by_fidelity():
    found = verdicts("5 of 10 modes dropped")
    assert all(found[name] == "yes" for name in ("fid", "kid", "mind", "ndb", "recall", "coverage", "vendi"))
    assert all(found[name] == "quiet" for name in ("precision", "density", "clipped_density"))


def test_equal_moments_hide_from_fid_and_kid_and_not_from_mind():
    found = verdicts("normal for a sphere, equal covariance")
    assert [found[name] for name in ("fid", "fid_inf", "kid", "mind")] == ["no", "no", "no", "yes"]


def test_no_failing_is_no_failing(monkeypatch):
    monkeypatch.setattr(sanity, "ITEMS", 400)
    sound = sanity.Failing("none", "both", sanity.gaussian(), sanity.gaussian())
    assert set(sanity.examine(sound).values()) == {"no"}


def test_what_improves_a_metric_is_wrong_and_what_only_harms_the_other_aspect_is_blame():
    narrow = sanity.Failing("narrow", "fidelity", sanity.gaussian(), sanity.gaussian(std=0.5))
    found = sanity.examine(narrow)
    assert found["density"] == "wrong"
    assert found["recall"] == "blames"


def test_distributions_are_what_they_are_called():
    generator = torch.Generator().manual_seed(0)
    assert sanity.sphere(0.8)(100, generator).norm(dim=1).tolist() == pytest.approx([0.8] * 100)
    assert sanity.cube(2.0)(5000, generator).abs().max() == pytest.approx(1.0, abs=0.01)
    ring = sanity.torus(0.4)(1000, generator)
    from_circle = ((ring[:, :2].norm(dim=1) - 1) ** 2 + ring[:, 2] ** 2).sqrt()
    assert from_circle.mean() == pytest.approx(0.4, abs=0.01)
    outliers = sanity.mixed(sanity.gaussian(), sanity.gaussian(50.0), 0.05)(1000, generator)
    assert int((outliers.mean(dim=1) > 25).sum()) == 50


@pytest.mark.slow
def test_the_documented_table_is_the_suites():
    text = (ROOT / "docs" / "metrics.md").read_text()
    documented = text.partition("<!-- sanity -->\n")[2].partition("\n<!-- /sanity -->")[0]
    assert documented.splitlines() == list(sanity.table())

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from zoo.errors import ZooError
from zoo_bench.report.read.statistics import Estimate

SCRIPT = Path(__file__).parents[3] / "bench" / "reference" / "parity.py"


@pytest.fixture
def parity(monkeypatch):
    """The script, which reads these FIDs by folder and model."""
    folders = {}

    def load(paths):
        mode, models = folders[paths[0].name]
        rows = [("mnist", model, mode, "ok", fid) for model, fids in models.items() for fid in fids]
        rows.append(("mnist", "gan", "fp32+compile", "diverged", 1e6))
        return SimpleNamespace(frame=pd.DataFrame(rows, columns=["task", "model", "precision_mode", "status", "fid"]))

    monkeypatch.setattr("zoo_bench.report.read.results.load", load)
    return SimpleNamespace(folders=folders, **runpy.run_path(str(SCRIPT)))


def test_the_interval_is_welch_s_on_logarithms(parity):
    generator = np.random.default_rng(0)
    a, b = np.exp(generator.normal(3, 0.1, 5)), np.exp(generator.normal(3.1, 0.3, 7))
    parity.folders.update(a=("fp32", {"gan": a, "vae": a}), b=("bf16", {"gan": b, "dcgan": b}))
    [(name, ratio)] = parity.ratios(Path("a"), Path("b"))
    expected = ttest_ind(np.log(b), np.log(a), equal_var=False).confidence_interval(0.9)
    assert name == "gan on mnist"
    assert (ratio.mean, ratio.low, ratio.high, ratio.n) == pytest.approx(
        (np.exp(np.log(b).mean() - np.log(a).mean()), *np.exp(expected), 5)
    )


def test_two_seeds_a_side_have_the_interval_in_closed_form(parity):
    """With equal spread Welch has 2 degrees of freedom, and t(2) has quantile (2p - 1) / sqrt(2p (1 - p))."""
    parity.folders.update(a=("fp32", {"gan": [10 / 1.02, 10 * 1.02]}), b=("bf16", {"gan": [10.5 / 1.02, 10.5 * 1.02]}))
    [(_, ratio)] = parity.ratios(Path("a"), Path("b"))
    t = 0.9 / np.sqrt(2 * 0.95 * 0.05)
    half = t * np.log(1.02) * np.sqrt(2)  # the spread of a side is log(1.02) sqrt(2), the error of its mean log(1.02)
    assert (ratio.low, ratio.high) == pytest.approx((1.05 * np.exp(-half), 1.05 * np.exp(half)))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.9, 1.1, "same within 10%"), (0.95, 1.02, "same within 10%"), (0.95, 1.11, "undecided"),
        (0.5, 2.0, "undecided"), (1.11, 1.5, "differs"), (0.5, 0.89, "differs"), (np.nan, np.nan, "undecided"),
    ],
)  # fmt: skip
def test_the_verdict_is_that_of_the_whole_interval(parity, low, high, verdict):
    assert parity.verdict(Estimate(1.0, low, high, 5)) == verdict


def test_folders_that_cannot_be_compared_are_refused(parity):
    parity.folders.update(a=("fp32", {"gan": [1.0]}), b=("bf16", {"vae": [1.0]}), c=("bf16", {}))
    with pytest.raises(ZooError, match="a and b have no model with an FID in common"):
        list(parity.ratios(Path("a"), Path("b")))
    with pytest.raises(ZooError, match="c must have finished runs of one precision, and has none"):
        list(parity.ratios(Path("a"), Path("c")))

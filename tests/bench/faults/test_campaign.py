"""A short campaign of faults, and what it finds in folders that were tampered with."""

import importlib.util
import random
import shutil
import sys
from pathlib import Path

import pytest

from drawn_benches import usual_bench

SCRIPT = Path(__file__).parents[3] / "bench" / "faults" / "campaign.py"


@pytest.fixture(scope="module")
def faults():
    spec = importlib.util.spec_from_file_location("faults_campaign", SCRIPT)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
def test_a_bench_that_is_killed_loses_nothing(faults, tmp_path):
    options = ("--models", "vae", "--task", "ring8", *faults.BENCH[4:])
    campaign = faults.Campaign(tmp_path, random.Random(0), options)
    campaign.run(kills=4)
    assert campaign.kills.total() == 4
    assert campaign.violations == []


class Ended:
    """A bench of which no process is left."""

    def __init__(self, out):
        self.out = out

    def processes_left(self, patience):
        return 0.0, []


@pytest.fixture
def found(faults, tmp_path):
    """Return what a campaign says of a folder that was tampered with after it was checked once."""

    def find(tamper):
        out = tmp_path / "bench-0"
        reference = usual_bench(tmp_path / "undisturbed", seeds=1)
        shutil.copytree(reference, out)
        campaign, finished = faults.Campaign(tmp_path, random.Random(0)), {}
        campaign._check(Ended(out), 0, finished, reference)
        campaign._check_complete(out, reference)
        assert campaign.violations == []
        tamper(out)
        campaign._check(Ended(out), 0, finished, reference)
        campaign._check_complete(out, reference)
        return "\n".join(campaign.violations)

    return find


def first(out, pattern):
    return sorted(out.glob(pattern))[0]


def retrain(out):
    path = first(out, "runs/digits/gan/*.json")
    path.write_text(path.read_text().replace("2025-01-02", "2026-01-02"))


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (lambda out: first(out, "runs/*/*/*.json").unlink(), "is lost"),
        (lambda out: first(out, "runs/*/*/*.json").write_text("{"), "is not a run record"),
        (lambda out: first(out, "runs/*/*/seed*.png").write_bytes(b"half"), "is damaged"),
        (lambda out: first(out, "runs/*/*/seed*.png").unlink(), "is missing"),
        (lambda out: (out / "runs" / ".seed=0.json.x8f").touch(), "runs/.seed=0.json.x8f is left over"),
        (lambda out: usual_bench(out, seeds=1, factor=1.1), "its table is not the undisturbed one"),
        (retrain, "was finished, and trained again"),
    ],
)
def test_a_campaign_sees_what_is_lost(found, tamper, sentence):
    assert sentence in found(tamper)

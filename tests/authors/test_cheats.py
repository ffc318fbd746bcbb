"""Twelve models that cheat are marked, or docs/trust.md says that they are not seen; honest models are never marked."""

import re
import sys
from pathlib import Path

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "fixtures" / "zoo-plugin-cheats"

SEEN = {
    "judge-trained": "opened",
    "best-of-k": "opened",
    "test-reader": "seen the test split",
    "copier": "training items",
    "noisy-copier": "training items",
    "shifted-copier": "training items",
    "mirrored-copier": "training items",
    "extra-steps": "optimiser steps",
    "uncharged-data": "opened",
    "slow-clock": "were replaced",
    "metric-patcher": "were replaced",
}
"""By cheat, a part of its mark."""

UNSEEN = {"late-worker"}
"""Cheats that docs/trust.md says are charged, or not seen."""

HONEST = ["vae", "gan", "dcgan", "lazy-penalty", "logging", "replayed-fakes"]
OPTIONS = ["--task", "digits", "--seeds", "2", "--threads", "1", "--precision", "fp32", "--no-throughput"]


@pytest.fixture(scope="module")
def runs(installed_packages, zoo_command, tmp_path_factory):
    """All models after 20,000 images; the clock only shows in what takes seconds."""
    environment, folder = installed_packages(PACKAGE), tmp_path_factory.mktemp("cheats")
    models = ",".join([*HONEST, *SEEN, *UNSEEN])
    benched = zoo_command("bench", "--models", models, "--budget", "20k", "--out", folder, *OPTIONS, env=environment)
    assert benched.returncode == 0, benched.stderr
    return load([folder])


@pytest.fixture(scope="module")
def marks(runs):
    """Return the marks of a cheat in a table of its own beside the honest models, and theirs."""

    def of(*cheats):
        (group,) = groups(runs.frame[runs.frame["model"].isin([*HONEST, *cheats])])
        return {model.label: "; ".join(model.marks) for model in summarise(group, runs.controls).models}

    return of


def test_all_cheats_are_tried(runs):
    sys.path.insert(0, str(PACKAGE))
    try:
        from zoo_plugin_cheats import CHEATS, SLIPS
    finally:
        sys.path.remove(str(PACKAGE))
    assert {*CHEATS} == {*SEEN, *UNSEEN}
    assert {*SLIPS} <= {*HONEST}
    assert set(runs.frame["status"]) == {"ok"}


@pytest.mark.parametrize("cheat", SEEN)
def test_a_cheat_is_marked(cheat, marks):
    assert SEEN[cheat] in marks(cheat)[cheat]


@pytest.mark.parametrize("cheat", UNSEEN)
def test_what_is_not_seen_is_not_marked(cheat, marks):
    assert marks(cheat)[cheat] == ""


@pytest.mark.parametrize("cheats", [[], *[[cheat] for cheat in SEEN], [*SEEN, *UNSEEN]], ids=str)
def test_no_honest_model_is_marked(cheats, marks):
    assert not {name: mark for name, mark in marks(*cheats).items() if name in HONEST and mark}


def test_the_page_says_what_happens_to_each_cheat():
    lines = re.findall(r"^\| `([\w-]+)`.*\|(.*?)\|$", (ROOT / "docs" / "trust.md").read_text("utf-8"), re.MULTILINE)
    assert {name for name, _ in lines} == {*SEEN, *UNSEEN}
    for name, happens in lines:
        assert ("marked" in happens) == (name in SEEN), name

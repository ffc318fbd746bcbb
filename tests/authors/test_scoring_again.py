"""Metrics and models of packages that are installed, upgraded and edited after runs have been stored."""

from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "zoo-mean"
version = "{version}"
[project.entry-points.zoo]
mean = "zoo_mean"
[tool.hatch.build.targets.wheel]
packages = ["zoo_mean"]
"""
PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_metrics():
    yield zoo.MetricSpec(name="mean", target="zoo_mean:mean", summary="Brightness.", needs=("images",),
                         columns=(zoo.Column("brightness", "", "Mean of all pixels"),))

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="grey", target="zoo_mean.grey:Grey", summary="One grey.", data=("images",))

def mean(evaluation):
    return {{"brightness": {factor} * float(evaluation.generated.double().mean())}}
"""
MODEL = """
import functools, torch, zoo
from torch import nn

class Grey(zoo.GenerativeModel):
    def __init__(self, shape, config):
        super().__init__(shape, config)
        self.level = nn.Parameter(torch.zeros(shape))

    def players(self):
        return [zoo.Player("level", self, self.loss, functools.partial(torch.optim.SGD, lr=0.1))]

    def loss(self, turn):
        return (turn.real - self.level).square().mean()

    def sample(self, n):
        return self.level.expand(n, *self.shape)
"""


@pytest.fixture(scope="module")
def packages(installed_packages, tmp_path_factory):
    """Environments with versions 0.1 and 0.2 of a package, in which a metric is a hundred times the other."""

    def package(version, factor):
        folder = tmp_path_factory.mktemp("source")
        (folder / "zoo_mean").mkdir()
        (folder / "pyproject.toml").write_text(PROJECT.format(version=version))
        (folder / "zoo_mean" / "__init__.py").write_text(PLUGIN.format(factor=factor))
        (folder / "zoo_mean" / "grey.py").write_text(MODEL)
        return installed_packages(folder)

    return {"0.1": package("0.1", 1), "0.2": package("0.2", 100)}


@pytest.fixture
def bench(zoo_command, tmp_path):
    """Run the same bench into one folder; return what it said and its table."""

    def run(environment=None, models="vae"):
        result = zoo_command(
            "bench", "--models", models, "--budget", "640", "--seeds", "2", "--precision", "fp32", "--no-throughput",
            "--out", tmp_path / "out", env=environment,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stderr, pd.read_csv(tmp_path / "out" / "results.csv").set_index("run_id").sort_index()

    return run


def test_a_metric_is_installed_and_upgraded_and_nothing_is_trained_again(packages, bench):
    _, before = bench()
    said, installed = bench(packages["0.1"])
    assert "0 runs to do, 2 stored already, 2 of them to score" in said
    assert (installed["brightness"] > 0).all()
    others = [column for column in before if column != "metric_versions"]
    pd.testing.assert_frame_equal(installed[others], before[others], check_exact=True)

    said, upgraded = bench(packages["0.2"])
    assert "vae on digits, seed 1: scored mean" in said
    assert upgraded["brightness"].tolist() == (100 * installed["brightness"]).tolist()
    pd.testing.assert_frame_equal(upgraded[others], before[others], check_exact=True)
    assert all("zoo-mean 0.2" in text and "zoo-mean 0.1" not in text for text in upgraded["metric_versions"])

    said, again = bench(packages["0.2"])
    assert "to score" not in said
    pd.testing.assert_frame_equal(again, upgraded, check_exact=True)


def test_a_model_whose_code_was_edited_is_named(packages, bench, zoo_command, tmp_path):
    environment = packages["0.1"]
    said, _ = bench(environment, "grey")
    assert "has changed" not in said
    (file,) = Path(environment["PYTHONPATH"]).glob("zoo_mean/grey.py")
    file.write_text(MODEL.replace("zeros(shape)", "ones(shape)"))
    said, _ = bench(environment, "grey")
    sentence = "the code of model 'grey' has changed since"
    assert f"{sentence} 2 stored runs, its version has not: --force trains them again" in said
    (run,) = tmp_path.glob("out/runs/digits/grey/seed=0-*.json")
    sampled = zoo_command("sample", run, "--out", tmp_path / "sheet.png", env=environment)
    assert sampled.returncode == 0
    assert f"{sentence} this run was trained" in sampled.stderr

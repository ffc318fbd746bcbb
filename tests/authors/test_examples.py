"""The example distributions install, pass their own tests, and meet in one row of the table."""

import json
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins" / "examples"
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("ddpm", "iwae", "sagan", "vq-vae")]
EXAMPLES = sorted(PLUGINS.glob("zoo-plugin-*"))


@pytest.fixture(scope="module")
def environment(installed_packages):
    return installed_packages(*EXAMPLES)


def test_there_is_a_model_a_task_and_a_metric(environment, zoo_command):
    found = json.loads(zoo_command("plugins", "--json", env=environment).stdout)
    third = {p["distribution"]: p["provides"] for p in found if p["distribution"] != "genzoo"}
    assert third == {
        "zoo-plugin-ddpm": ["model ddpm"],
        "zoo-plugin-iwae": ["model iwae"],
        "zoo-plugin-mean-shift": ["metric mean-shift"],
        "zoo-plugin-moons": ["task moons"],
        "zoo-plugin-privacy": ["metric membership"],
        "zoo-plugin-sagan": ["model sagan"],
        "zoo-plugin-vq-vae": ["model vq-vae"],
    }


@pytest.mark.parametrize("name", [*SLOW, "mean-shift", "moons", "privacy"])
def test_it_passes_its_own_tests(name, environment, run_tests):
    assert run_tests(PLUGINS / f"zoo-plugin-{name}", environment) == 0


def test_they_make_a_row_together(environment, run_models):
    (row,) = run_models(environment, models="ddpm", task="moons", budget="2k").values()
    assert (row["status"], row["modes_total"]) == ("ok", 2)
    assert row["mean_shift"] > 0
    assert row["membership_low"] <= row["membership_advantage"] <= row["membership_high"]


def test_a_model_in_two_stages_reports_figures_of_its_own(environment, run_models):
    rows = run_models(environment, models="vq-vae,iwae", task="digits", budget="2k", metrics="fid")
    assert rows["vq-vae"]["rounds"] == rows["vq-vae"]["updates"] == 32, "one player moves in each round"
    assert rows["vq-vae"]["prior_nats"] > 0
    assert rows["iwae"]["iwae_bound"] >= rows["iwae"]["elbo"]
    assert "prior_nats" not in rows["iwae"]


def test_files_stay_small():
    for model in PLUGINS.glob("zoo-plugin-*/*/model.py"):
        assert len(model.read_text().splitlines()) < 100
    for folder in EXAMPLES:
        assert {"README.md", "pyproject.toml", "tests"} <= {path.name for path in folder.iterdir()}

"""The tuned settings of the models are those that the recorded studies found."""

from pathlib import Path

import pytest

import zoo
from zoo.config import kind_of
from zoo_bench.tune import Study

FILES = sorted(Path(__file__).parents[2].glob("results/reference/tune/*.json"))
STUDIES = [Study.model_validate_json(file.read_text()) for file in FILES]


def config_of(model):
    return zoo.installed().models.get(model).spec.load().Config


@pytest.mark.parametrize("study", STUDIES, ids=[file.stem for file in FILES])
def test_defaults_are_the_best_trial(study):
    config = config_of(study.model)
    assert config.resolve(study.shape, study.best.settings) == config.resolve(study.shape, {})


@pytest.mark.parametrize("study", STUDIES, ids=[file.stem for file in FILES])
def test_where_the_settings_before_were_best_they_are_still_the_defaults(study):
    if not study.best.settings:
        assert not config_of(study.model).tuned[kind_of(study.shape)]


def test_every_kind_that_is_tuned_has_a_study_and_all_models_had_the_same_effort():
    recorded: dict[str, set[str]] = {}
    efforts: dict[str, set[tuple[str, int, int, int, str | None]]] = {}
    for study in STUDIES:
        recorded.setdefault(study.model, set()).add(kind_of(study.shape))
        effort = (study.budget, len(study.trials), study.seeds, study.seed, study.final_budget)
        efforts.setdefault(study.task, set()).add(effort)
        assert set(study.search) <= set(config_of(study.model).search), "more is searched today: see results/README.md"
    for model in ("gan", "dcgan", "wgan-gp", "sngan", "vae", "beta-vae"):
        assert set(config_of(model).tuned) == recorded[model]
    assert all(len(effort) == 1 for effort in efforts.values())

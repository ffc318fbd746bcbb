"""The project's own models, tasks and metrics keep the contract that it asks of others."""

import pytest
import torch

import zoo
from zoo.registry import installed
from zoo.testing import CheckFailed, checks_for
from zoo.testing.subject import imported

OWN = [plugin for plugin in installed().plugins if plugin.distribution == "genzoo"]
MODELS = [entry.spec.name for entry in installed().models if entry.plugin in OWN]


def provided(plugin):
    """Return the names of a plugin's models, and of its metrics and tasks that need no parameters and no files."""
    registry = installed()
    tasks = [task for task in registry.tasks if not task.spec.needs]
    metrics = [metric for metric in registry.metrics if not metric.spec.on_request]
    return [entry.spec.name for entry in (*registry.models, *metrics, *tasks) if entry.plugin == plugin]


def failure(check):
    try:
        check()
    except CheckFailed as error:
        return f"{check}: {error}"
    return ""


@pytest.mark.parametrize("plugin", OWN, ids=lambda plugin: plugin.name)
def test_all_that_a_plugin_provides_conforms(plugin):
    checks = [check for name in provided(plugin) for check in checks_for(name)]
    assert checks
    assert list(filter(None, map(failure, checks))) == []


def test_one_interpreter_shows_what_importing_all_models_of_a_distribution_does():
    assert len({id(imported(entry)) for entry in installed().models if entry.plugin in OWN}) == 1


def test_all_six_are_there():
    assert {"beta-vae", "dcgan", "gan", "sngan", "vae", "wgan-gp"} <= set(MODELS)


@pytest.mark.parametrize("shape", [(c, side, side) for c in (1, 3) for side in (8, 16, 28, 32)], ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_own_models_refuse_no_usual_side(name, shape):
    model = zoo.create(name, shape=shape).eval()
    with torch.inference_mode():
        assert model.sample(1).shape == (1, *shape)

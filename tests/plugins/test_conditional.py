"""Models that are given labels: what they learn, what their losses are, and that nothing changes for the others."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import zoo
from zoo_bench.data.loading import load_task
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.scoring import Scoring
from zoo_bench.run.execute import execute
from zoo_bench.score.stored import unpacked

MODELS = ["gan", "dcgan", "wgan-gp", "sngan", "vae", "beta-vae"]
IMAGE = (1, 8, 8)


def conditional(name, shape=IMAGE, classes=10, **settings):
    torch.manual_seed(0)
    return zoo.create(name, shape=shape, conditional=True, classes=classes, **settings)


def turn_of(model, n=8):
    labels = torch.arange(n) % model.config.classes
    return zoo.Turn(
        torch.randn(n, *model.shape).clamp(-1, 1), 0, 0.0, model.players(), lambda player: None, labels=labels
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_model_without_labels_is_known_by_the_same_settings_as_before(name):
    """Settings are part of a run's key: a field more would train every stored run again."""
    assert not {"conditional", "classes"} & zoo.create(name, shape=IMAGE).config.model_dump().keys()
    assert conditional(name).config.model_dump()["classes"] == 10


@pytest.mark.parametrize("name", MODELS)
def test_the_number_of_classes_is_needed_and_belongs_to_labels(name):
    with pytest.raises(zoo.ZooError, match="needs the number of classes"):
        zoo.create(name, shape=IMAGE, conditional=True)
    with pytest.raises(zoo.ZooError, match="with conditional=true only"):
        zoo.create(name, shape=IMAGE, classes=10)


@pytest.mark.parametrize("name", MODELS)
def test_samples_need_labels_and_say_so(name):
    with pytest.raises(zoo.ZooError, match="int64 of 0 to 9"):
        conditional(name).sample(2)


def test_the_losses_of_dcgan_are_those_of_a_projection_discriminator():
    model = conditional("dcgan").eval()
    turn = turn_of(model)
    torch.manual_seed(1)
    loss = model.generator_loss(turn)
    outputs = model.discriminator(turn.kept["fake"])
    logits = torch.stack([row[0] + row[1 + label] for row, label in zip(outputs, turn.labels, strict=True)])
    torch.testing.assert_close(loss, F.softplus(-logits).mean())


def test_the_perceptron_sees_labels_beside_pixels_in_every_pack():
    model = conditional("gan", packing=2)
    turn = turn_of(model)
    packs = model.packs(turn.real, turn.labels)
    assert packs.shape == (4, 2 * (64 + 10))
    halves = packs.unflatten(1, (2, 74)).flatten(0, 1)
    assert torch.equal(halves[:, 64:].argmax(1), turn.labels)
    assert torch.equal(halves[:, :64], turn.real.flatten(1))


def test_the_elbo_of_a_conditional_vae_depends_on_the_labels():
    model = conditional("vae").eval()
    x, labels = torch.rand(64, *IMAGE), torch.arange(64) % 10
    values = []
    for given in (labels, labels, (labels + 1) % 10):
        torch.manual_seed(0)
        with torch.no_grad():
            values.append(model.diagnostics(x, given)["elbo"])
    assert values[0] == values[1] != values[2]


@pytest.fixture(scope="module")
def outcome():
    """One run of a conditional VAE on eight Gaussians."""
    made = plan(BenchOptions(models="vae[conditional=true]", task="ring8", budget="60k"))
    return execute(
        made.runs[0], Resources(threads=1, contended=False), scoring=Scoring(("by-class",), keep_samples=True)
    )


def test_samples_are_of_the_classes_that_were_asked_for(outcome):
    """All eight classes are learnt: by chance one of eight samples would be of its class."""
    assert outcome.record.status == "ok", outcome.record.error
    assert outcome.record.metrics["label_accuracy"] > 0.95
    assert "elbo" in outcome.record.diagnostics


def test_the_labels_of_samples_are_stored_beside_them(outcome, tmp_path):
    (tmp_path / "samples.npz").write_bytes(outcome.files[".samples.npz"])
    labels = torch.from_numpy(np.load(tmp_path / "samples.npz")["labels"])
    seen = load_task(zoo.installed().tasks.get("ring8")).judge.modes(unpacked(tmp_path / "samples.npz"))
    assert float((labels == seen).double().mean()) == pytest.approx(outcome.record.metrics["label_accuracy"])
    assert torch.bincount(labels).min() > 0

import sys

import pytest
import torch

import zoo
from zoo.errors import ZooError
from zoo_bench.export.onnx import onnx_file

CONFIG = zoo.LatentConfig(z_dim=3)


class Linear(zoo.GenerativeModel):
    """A small decoder, for what can go wrong."""

    def __init__(self, shape=(2,), config=CONFIG):
        super().__init__(shape, config)
        self.network = torch.nn.Linear(3, 2)

    def sample(self, n):
        return self.network(self.latent(n))


class Random(Linear):
    def decode(self, z, labels=None):
        return self.network(z) + torch.rand_like(z[:, :2])


class OfOneBatch(Linear):
    def decode(self, z, labels=None):
        return self.network(z) * torch.ones(2, 1)


def needs_packages():
    pytest.importorskip("onnxscript", reason="needs the extra onnx")
    return pytest.importorskip("onnxruntime", reason="needs the extra onnx")


@pytest.mark.extra
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("name", ["vae", "beta-vae", "gan", "dcgan", "sngan", "wgan-gp"])
def test_onnx_runtime_makes_the_items_of_the_model(name, conditional):
    runtime = needs_packages()
    torch.manual_seed(0)
    labelled = {"conditional": True, "classes": 10} if conditional else {}
    model = zoo.create(name, shape=(1, 8, 8), **labelled)
    model.sample(
        8, *[torch.arange(8)] * conditional
    )  # in train mode: averages of batches are no longer those at the start
    model.eval()
    session = runtime.InferenceSession(onnx_file(model, name, '{"run_id": "01"}'))
    assert session.get_modelmeta().custom_metadata_map["genzoo"] == '{"run_id": "01"}'
    assert [i.name for i in session.get_inputs()] == ["z", "labels"][: 1 + conditional]
    for n in (1, 5, 64):
        inputs = {"z": model.latent(n)} | ({"labels": torch.arange(n) % 10} if conditional else {})
        with torch.no_grad():
            expected = model.decode(*inputs.values())
        (items,) = session.run(["items"], {key: value.numpy() for key, value in inputs.items()})
        assert items.shape == (n, 1, 8, 8)
        torch.testing.assert_close(torch.from_numpy(items), expected, atol=1e-4, rtol=0)


@pytest.mark.extra
def test_a_file_that_differs_from_the_model_is_refused():
    needs_packages()
    with pytest.raises(ZooError, match=r"other items than model 'noisy', by up to .* in a batch of 1 where 0.0001 is"):
        onnx_file(Random().eval(), "noisy", "{}")


@pytest.mark.extra
def test_a_decoder_of_one_batch_size_cannot_be_exported():
    needs_packages()
    with pytest.raises(ZooError, match="model 'fixed' cannot be exported to ONNX: "):
        onnx_file(OfOneBatch().eval(), "fixed", "{}")


@pytest.mark.extra
def test_a_model_without_a_decoder_is_refused():
    needs_packages()
    with pytest.raises(ZooError, match=r"^model 'linear' defines no decode\(z, labels=None\)"):
        onnx_file(Linear(), "linear", "{}")


def test_absent_packages_are_named_with_the_command_that_installs_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ZooError, match=r"pip install 'genzoo\[onnx\]'"):
        onnx_file(Linear(), "linear", "{}")

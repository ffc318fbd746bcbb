"""A model's decoder as an ONNX file, which runs without torch."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from zoo.errors import FAILURES, ZooError, error_sentence
from zoo.loading import METADATA
from zoo.model import GenerativeModel

TOLERANCE = 1e-4
"""Largest difference between an item of the model and the same one in ONNX Runtime."""

BATCHES = (1, 7)
"""Batch sizes that are compared; the export itself sees another."""


class _Decoder(nn.Module):
    """``decode`` as the forward pass, which is what is exported."""

    def __init__(self, model: GenerativeModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Any:
        return getattr(self.model, "decode")(z, labels)  # noqa: B009 - a model may define it


def onnx_file(model: GenerativeModel, name: str, description: str) -> bytes:
    """Return the content of an ``.onnx`` file with ``decode(z, labels)`` for any batch, compared with the model.

    Args:
        model: A model that defines ``decode(z, labels=None)``, in eval mode on the CPU.
        name: What sentences call it.
        description: JSON that becomes the file's metadata.

    Returns:
        A network from ``z``, (N, z_dim) float32, and of a conditional model ``labels``, (N,) int64, to ``items``:
        (N, C, H, W) in [-1, 1], or (N, D).

    Raises:
        ZooError: If packages are absent, the model has no ``decode``, cannot be exported, or ONNX Runtime makes other
            items than the model.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise ZooError("--format onnx needs its packages: pip install 'genzoo[onnx]'") from error
    if not hasattr(model, "decode"):
        raise ZooError(f"model {name!r} defines no decode(z, labels=None), which is what ONNX files hold")
    decoder = _Decoder(model).eval()
    inputs = _inputs(model, 2)
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on names of dimensions, and from within the exporter
        try:
            program = torch.onnx.export(
                decoder,
                tuple(inputs.values()),
                input_names=list(inputs),
                output_names=["items"],
                dynamic_shapes={key: {0: batch} for key in inputs},
                dynamo=True,
                external_data=False,
                verbose=False,
            )
            assert program is not None
            program.model.metadata_props[METADATA] = description
            content: bytes = program.model_proto.SerializeToString()
            session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
            items = {n: session.run(None, {k: v.numpy() for k, v in _inputs(model, n).items()})[0] for n in BATCHES}
        except FAILURES as error:
            raise ZooError(f"model {name!r} cannot be exported to ONNX: {error_sentence(error)}") from error
    for n in BATCHES:
        with torch.no_grad():
            expected = decoder(**_inputs(model, n))
        difference = float((torch.from_numpy(items[n]) - expected).abs().max())
        if not difference <= TOLERANCE:
            raise ZooError(
                f"ONNX Runtime makes other items than model {name!r}, by up to {difference:.1g} in a batch of {n} "
                f"where {TOLERANCE:g} is allowed: nothing was written"
            )
    return content


def _inputs(model: GenerativeModel, n: int) -> dict[str, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(n)
        inputs = {"z": model.latent(n)}
    if model.conditional:
        inputs["labels"] = torch.arange(n) % model.config.classes
    return inputs

"""The Inception v3 that FID was defined on, as a judge; its classes are not a task's modes."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from zoo.data import data_root
from zoo.errors import ZooError

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"


class InceptionJudge:
    """The Inception v3 that FID was defined on, through torch-fidelity. Implements :class:`zoo.Judge`.

    Features are the 2,048 of its last pooling layer (Heusel et al. 2017). Where it is a task's judge, they are
    standardised by those of real images, as those of every judge are, so that distances differ from published ones;
    :mod:`zoo_bench.score.metrics.inception` computes those. With 2,048 features and a few thousand images, the floor is
    high.

    Weights are the file that ``$ZOO_INCEPTION`` names, or that of torch-fidelity's name in the data folder, or are
    downloaded there.

    Raises:
        ZooError: If the weights are absent and cannot be downloaded, or do not belong to this network.
    """

    NAME = "inception-v3-compat"
    BATCH_SIZE = 64
    """torch-fidelity's own: on some devices the last digits depend on it."""

    def __init__(self) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        path = _inception_weights()
        try:
            torch.load(path, weights_only=True, map_location="meta")  # torch-fidelity itself would execute pickled code
            with torch.random.fork_rng(devices=[]):  # it draws weights before it reads them
                self._network = FeatureExtractorInceptionV3(
                    self.NAME, ["2048"], feature_extractor_weights_path=str(path)
                )
        except (RuntimeError, TypeError, AttributeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise ZooError(f"{str(path)!r} does not hold the weights of {self.NAME!r}: get {INCEPTION_FILE}") from error
        self.sha256 = _sha256(path)
        self.name = self.NAME

    def to(self, device: torch.device) -> Self:
        """Move the network to a device."""
        self._network.to(device)
        return self

    @torch.inference_mode()
    def features(self, data: Tensor) -> Tensor:
        """Map uint8 images (N, 1 or 3, H, W) to (N, 2048)."""
        colour = data.to(self._network.fc.weight.device).expand(-1, 3, -1, -1)
        return torch.cat([self._network(part)[0] for part in colour.split(self.BATCH_SIZE)])

    def modes(self, data: Tensor) -> None:
        """Return None: its classes are ImageNet's, not a task's modes."""


def inception_sha256() -> str:
    """Return the SHA-256 of the weights without building the network, or "" if they are not on this machine."""
    path = _weights_path()
    return _sha256(path) if path.is_file() else ""


def _sha256(path: Path) -> str:
    facts = path.stat()
    return _sha256_of(path, facts.st_mtime_ns, facts.st_size)


@functools.cache
def _sha256_of(path: Path, modified: int, size: int) -> str:
    """Return the SHA-256 of a file; it is read again if its modification time or its size has changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _weights_path() -> Path:
    configured_path = os.environ.get("ZOO_INCEPTION")
    return Path(os.path.expanduser(configured_path)) if configured_path else data_root() / INCEPTION_FILE


def _inception_weights() -> Path:
    """Return the weights file, downloaded if need be."""
    path = _weights_path()
    if not path.is_file():
        if configured_path := os.environ.get("ZOO_INCEPTION"):
            raise ZooError(f"$ZOO_INCEPTION names {configured_path!r}, which is no file: let it name {INCEPTION_FILE}")
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(URL_INCEPTION_V3, str(path), hash_prefix="6726825d", progress=False)
        except (OSError, RuntimeError) as error:
            raise ZooError(
                f"judge {InceptionJudge.NAME!r} needs {INCEPTION_FILE}, which could not be downloaded ({error}): get "
                f"it from {URL_INCEPTION_V3} and put it into {str(data_root())!r}, or let $ZOO_INCEPTION name it"
            ) from error
    return path

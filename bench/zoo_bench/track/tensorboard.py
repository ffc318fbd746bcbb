"""TensorBoard: a folder of event files per run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import zoo
from zoo_bench.core.names import file_name
from zoo_bench.plan.record import Progress, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.track import figures, parameters

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError as error:
    raise zoo.ZooError("tracker 'tensorboard' needs TensorBoard: pip install 'genzoo[tensorboard]'") from error


class TensorBoard:
    """Writes ``tensorboard/<task>/<model>/seed=<n>-<hash8>`` in a bench's folder; steps are training images.

    ``loss/PLAYER`` and ``images_per_s`` along the run, ``curve/fid``, ``final/COLUMN``, the sample sheet, and the
    settings as hyperparameters. A run that is run again starts afresh.

    Args:
        folder: The bench's output folder.
    """

    def __init__(self, folder: Path) -> None:
        self._root = folder / "tensorboard"
        self._writers: dict[str, SummaryWriter] = {}
        self._reached: dict[str, int] = {}

    @zoo.hookimpl
    def zoo_run_started(self, spec: RunSpec) -> None:
        """Open the run's event file."""
        folder = self._root / file_name(spec.task) / file_name(spec.model) / f"seed={spec.seed}-{spec.run_id[:8]}"
        shutil.rmtree(folder, ignore_errors=True)
        self._writers[spec.run_id] = SummaryWriter(str(folder))
        self._reached[spec.run_id] = 0

    @zoo.hookimpl
    def zoo_run_progress(self, spec: RunSpec, progress: Progress) -> None:
        """Add the losses and the speed so far."""
        writer = self._writers[spec.run_id]
        self._add(writer, "loss/", progress.losses, progress.images)
        writer.add_scalar("images_per_s", progress.images_per_s, progress.images)
        self._reached[spec.run_id] = progress.images

    @zoo.hookimpl
    def zoo_run_finished(self, spec: RunSpec, record: RunRecord, files: Mapping[str, Path]) -> None:
        """Add the losses that were not reported along the way, the learning curve, the figures and the sheet."""
        import numpy as np
        from PIL import Image

        writer, reached = self._writers.pop(spec.run_id), self._reached.pop(spec.run_id)
        with writer:
            for point in record.history:
                if point["images"] > reached:
                    self._add(writer, "loss/", point["losses"], int(point["images"]))
            for mark in record.curve:
                writer.add_scalar("curve/fid", mark["fid"], int(mark["images"]))
            final = figures(record)
            self._add(writer, "final/", final, record.images or 0)
            writer.add_text("status", f"{record.status} {record.error}".strip())
            if ".png" in files:
                sheet = np.asarray(Image.open(files[".png"]).convert("RGB"))
                writer.add_image("samples", sheet, record.images or 0, dataformats="HWC")
            settings = parameters(spec)
            writer.add_hparams(settings, {f"hparam/{name}": value for name, value in final.items()}, run_name=".")

    @staticmethod
    def _add(writer: SummaryWriter, prefix: str, values: Mapping[str, float], images: int) -> None:
        for name, value in values.items():
            writer.add_scalar(prefix + name, value, images)

"""Weights & Biases: a run per run, in the bench's folder or, if ``$WANDB_MODE`` is "online", in your account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast, get_args

import zoo
from zoo_bench.plan.record import Progress, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.track import figures, parameters

try:
    import wandb
except ImportError as error:
    raise zoo.ZooError("tracker 'wandb' needs Weights & Biases: pip install 'genzoo[wandb]'") from error

Mode = Literal["online", "offline", "disabled"]


class WandB:
    """Makes a run per run in the project "genzoo" or ``$WANDB_PROJECT``, grouped by task; the axis is training images.

    ``loss/PLAYER`` and ``images_per_s`` along the run, ``curve/fid``, every final figure under its column's name in the
    summary, the settings as configuration, and the sheets. Nothing leaves the machine unless ``$WANDB_MODE`` is
    "online": all is in ``wandb/`` in the bench's folder, and ``wandb sync FOLDER/wandb/offline-run-*`` uploads it.

    Args:
        folder: The bench's output folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        mode = os.environ.get("WANDB_MODE", "offline")
        if mode not in get_args(Mode):
            raise zoo.UnknownNameError("mode in $WANDB_MODE", mode, get_args(Mode))
        self._mode = cast(Mode, mode)
        if self._mode == "online":
            wandb.login()  # an account that is missing or refused is seen before anything is trained
        self._runs: dict[str, wandb.Run] = {}
        self._reached: dict[str, int] = {}

    @zoo.hookimpl
    def zoo_run_started(self, spec: RunSpec) -> None:
        """Open a run with its settings."""
        run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "genzoo"),
            group=spec.task,
            job_type=spec.model,
            name=f"{spec.model}, seed {spec.seed}",
            config=parameters(spec),
            dir=str(self._folder),
            mode=self._mode,  # whatever the environment says
            reinit="create_new",  # several runs are open at a time
            settings=wandb.Settings(console="off", silent=True),
        )
        run.define_metric("*", step_metric="images")
        self._runs[spec.run_id] = run
        self._reached[spec.run_id] = 0

    @zoo.hookimpl
    def zoo_run_progress(self, spec: RunSpec, progress: Progress) -> None:
        """Add the losses and the speed so far."""
        losses = {f"loss/{name}": value for name, value in progress.losses.items()}
        values = {**losses, "images_per_s": progress.images_per_s, "images": progress.images}
        self._runs[spec.run_id].log(values)
        self._reached[spec.run_id] = progress.images

    @zoo.hookimpl
    def zoo_run_finished(self, spec: RunSpec, record: RunRecord, files: Mapping[str, Path]) -> None:
        """Add the losses that were not reported along the way, the learning curve, the figures and the sheets."""
        run, reached = self._runs.pop(spec.run_id), self._reached.pop(spec.run_id)
        for point in record.history:
            if point["images"] > reached:
                losses = {f"loss/{name}": value for name, value in point["losses"].items()}
                run.log({**losses, "images": point["images"]})
        for mark in record.curve:
            run.log({"curve/fid": mark["fid"], "images": mark["images"]})
        for name, suffix in (("samples", ".png"), ("neighbours", ".neighbours.png")):
            if suffix in files:
                run.log({name: wandb.Image(str(files[suffix])), "images": record.images or 0})
        run.summary.update({**figures(record), "status": f"{record.status} {record.error}".strip()})
        run.finish(exit_code=0 if record.status == "ok" else 1)

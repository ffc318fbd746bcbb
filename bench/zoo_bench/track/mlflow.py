"""MLflow: a run per run, in the server that ``$MLFLOW_TRACKING_URI`` names or in a file of the bench's folder."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import zoo
from zoo_bench.plan.record import Progress, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.track import figures, parameters

try:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param
except ImportError as error:
    raise zoo.ZooError("tracker 'mlflow' needs MLflow: pip install 'genzoo[mlflow]'") from error

TERMINAL_STATUSES = {"ok": "FINISHED", "interrupted": "KILLED"}
MAX_PARAMETER_CHARACTERS = 6000  # the limit of MLflow for the value of a parameter


class MLflow:
    """Makes an experiment per task and a run per run; steps are training images.

    ``loss.PLAYER`` and ``images_per_s`` along the run, ``curve.fid``, every final figure under its column's name, the
    settings as parameters, and the record and sheets as artifacts. Without ``$MLFLOW_TRACKING_URI`` all is in
    ``mlflow.db`` and ``mlflow/`` in the bench's folder: ``mlflow ui --backend-store-uri sqlite:///FOLDER/mlflow.db``.

    Args:
        folder: The bench's output folder.
    """

    def __init__(self, folder: Path) -> None:
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        folder = folder.resolve()
        self._artifacts = None if uri else (folder / "mlflow").as_uri()
        if not uri:
            folder.mkdir(parents=True, exist_ok=True)
        self._client = MlflowClient(uri or f"sqlite:///{folder / 'mlflow.db'}")
        self._runs: dict[str, str] = {}
        self._reached: dict[str, int] = {}

    @zoo.hookimpl
    def zoo_run_started(self, spec: RunSpec) -> None:
        """Open a run with its parameters."""
        run = self._client.create_run(self._experiment(spec.task), run_name=f"{spec.model}, seed {spec.seed}")
        self._runs[spec.run_id] = run.info.run_id
        self._reached[spec.run_id] = 0
        params = [Param(k, str(v)[:MAX_PARAMETER_CHARACTERS]) for k, v in parameters(spec).items()]
        self._client.log_batch(run.info.run_id, params=params)

    @zoo.hookimpl
    def zoo_run_progress(self, spec: RunSpec, progress: Progress) -> None:
        """Add the losses and the speed so far."""
        named = {f"loss.{name}": value for name, value in progress.losses.items()}
        self._log(spec, {**named, "images_per_s": progress.images_per_s}, progress.images)
        self._reached[spec.run_id] = progress.images

    @zoo.hookimpl
    def zoo_run_finished(self, spec: RunSpec, record: RunRecord, files: Mapping[str, Path]) -> None:
        """Add the losses that were not reported along the way, the learning curve, the figures and the files."""
        reached = self._reached.pop(spec.run_id)
        for point in record.history:
            if point["images"] > reached:
                self._log(spec, {f"loss.{n}": v for n, v in point["losses"].items()}, int(point["images"]))
        for mark in record.curve:
            self._log(spec, {"curve.fid": mark["fid"]}, int(mark["images"]))
        self._log(spec, figures(record), record.images or 0)
        run = self._runs.pop(spec.run_id)
        self._client.set_tag(run, "status", f"{record.status} {record.error}".strip())
        for suffix in (".json", ".png", ".neighbours.png"):
            if suffix in files:
                self._client.log_artifact(run, str(files[suffix]))
        self._client.set_terminated(run, TERMINAL_STATUSES.get(record.status, "FAILED"))

    def _experiment(self, task: str) -> str:
        experiment = self._client.get_experiment_by_name(task)
        return experiment.experiment_id if experiment else self._client.create_experiment(task, self._artifacts)

    def _log(self, spec: RunSpec, values: Mapping[str, float], images: int) -> None:
        timestamp_ms = int(1000 * time.time())
        metrics = [Metric(name, value, timestamp_ms, images) for name, value in values.items()]
        self._client.log_batch(self._runs[spec.run_id], metrics=metrics)

"""What the trackers leave, read back with the tools that people look at it with."""

import json
import math
import shutil
import struct

import pytest
from PIL import Image

from zoo_bench.plan.record import Progress
from zoo_bench.track import figures, parameters

HISTORY = [{"images": 64 * i, "seconds": float(i), "losses": {"left": 1.0 / i, "right": 2.0 / i}} for i in range(1, 11)]
CURVE = [{"share": 0.5, "images": 320, "fid": 9.0}, {"share": 1.0, "images": 640, "fid": 5.0}]


@pytest.fixture
def record(make_record):
    return make_record(
        {"config": {"lr": 0.1, "widths": [1, 2], "norm": "batch"}}, images=640, params=99, history=HISTORY, curve=CURVE,
        metrics={"fid": 4.5, "kid": math.nan}, throughput={"train_images_per_s": 1e3},
    )  # fmt: skip


@pytest.fixture
def files(tmp_path):
    for name in ("a.png", "a.neighbours.png"):
        Image.new("RGB", (8, 4), "red").save(tmp_path / name)
    (tmp_path / "a.json").write_text("{}")
    return {suffix: tmp_path / f"a{suffix}" for suffix in (".json", ".png", ".neighbours.png")}


def play(tracker, record, files, reports=3):
    """Tell of a run that reported the first points of its history while it ran."""
    tracker.zoo_run_started(record.spec)
    for point in HISTORY[:reports]:
        progress = Progress(point["images"] / 640, point["images"], 500.0, point["losses"])
        tracker.zoo_run_progress(record.spec, progress)
    tracker.zoo_run_finished(record.spec, record, files)


def test_parameters_are_flat_and_say_what_the_run_is(record):
    found = parameters(record.spec)
    assert found["config.lr"] == 0.1
    assert found["config.widths"] == "[1, 2]"
    assert (found["model"], found["seed"], found["run_id"]) == ("tiny", 0, record.run_id)


def test_figures_are_those_of_the_table_that_are_finite(record):
    found = figures(record)
    assert found == {"fid": 4.5, "train_images_per_s": 1e3, "images": 640.0, "params": 99.0}


@pytest.mark.extra
class TestTensorBoard:
    """Event files, read with TensorBoard's own reader."""

    @pytest.fixture
    def make(self):
        pytest.importorskip("tensorboard")
        from zoo_bench.track.tensorboard import TensorBoard

        return TensorBoard

    @staticmethod
    def read(folder, record):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        spec = record.spec
        events = EventAccumulator(
            str(folder / "tensorboard" / spec.task / spec.model / f"seed={spec.seed}-{record.run_id[:8]}")
        )
        return events.Reload()

    @staticmethod
    def scalars(events, tag):
        return [(e.step, pytest.approx(e.value, rel=1e-6)) for e in events.Scalars(tag)]

    @pytest.mark.parametrize("reports", [0, 3, 10])
    def test_every_point_of_the_losses_is_there_once(self, make, tmp_path, record, files, reports):
        play(make(tmp_path), record, files, reports)
        events = self.read(tmp_path, record)
        for name in ("left", "right"):
            assert self.scalars(events, f"loss/{name}") == [(p["images"], p["losses"][name]) for p in HISTORY]

    def test_curve_figures_settings_status_and_sheet_are_there(self, make, tmp_path, record, files):
        play(make(tmp_path), record, files)
        events = self.read(tmp_path, record)
        assert self.scalars(events, "curve/fid") == [(320, 9.0), (640, 5.0)]
        assert self.scalars(events, "final/fid") == [(640, 4.5)]
        assert self.scalars(events, "images_per_s") == [(p["images"], 500.0) for p in HISTORY[:3]]
        (sheet,) = events.Images("samples")
        assert (sheet.width, sheet.height) == (8, 4)
        tags = events.Tags()
        assert "status/text_summary" in tags["tensors"]
        assert "final/kid" not in tags["scalars"]
        settings = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        assert b"config.lr" in settings
        assert b"run_id" in settings

    def test_a_failed_run_without_files_is_reported(self, make, tmp_path, make_record):
        record = make_record(status="error", error="it broke")
        play(make(tmp_path), record, {}, 0)
        (status,) = self.read(tmp_path, record).Tensors("status/text_summary")
        assert status.tensor_proto.string_val == [b"error it broke"]

    def test_a_run_that_is_run_again_starts_afresh(self, make, tmp_path, record, files):
        for _ in range(2):
            play(make(tmp_path), record, files)
        assert len(self.read(tmp_path, record).Scalars("final/fid")) == 1


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """MLflow's database without runs, which takes it longest to make."""
    mlflow = pytest.importorskip("mlflow")
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.mark.extra
class TestMLflow:
    """Runs in a temporary store, read with MLflow's client."""

    @pytest.fixture
    def make(self, empty_store, tmp_path, monkeypatch):
        shutil.copy(empty_store, tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        from zoo_bench.track.mlflow import MLflow

        return MLflow

    @staticmethod
    def read(folder, task="digits"):
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
        return client, client.search_runs([client.get_experiment_by_name(task).experiment_id])

    def test_every_run_is_there_with_parameters_figures_and_files(self, make, tmp_path, record, files):
        play(make(tmp_path), record, files)
        client, (run,) = self.read(tmp_path)
        assert run.info.status == "FINISHED"
        assert run.data.params == {name: str(value) for name, value in parameters(record.spec).items()}
        assert {name: run.data.metrics[name] for name in figures(record)} == figures(record)
        assert run.data.tags["status"] == "ok"
        names = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert names == {"a.json", "a.png", "a.neighbours.png"}

    @pytest.mark.parametrize("reports", [0, 3])
    def test_every_point_of_losses_and_curve_is_there_once(self, make, tmp_path, record, files, reports):
        play(make(tmp_path), record, files, reports)
        client, (run,) = self.read(tmp_path)

        def points(name):
            return sorted((m.step, m.value) for m in client.get_metric_history(run.info.run_id, name))

        for name in ("left", "right"):
            assert points(f"loss.{name}") == [(p["images"], p["losses"][name]) for p in HISTORY]
        assert points("curve.fid") == [(320, 9.0), (640, 5.0)]

    @pytest.mark.parametrize(
        ("status", "end"), [("error", "FAILED"), ("diverged", "FAILED"), ("interrupted", "KILLED")]
    )
    def test_a_run_that_did_not_end_ok_is_not_finished(self, make, tmp_path, make_record, status, end):
        history = [{"images": 64, "seconds": 1.0, "losses": {"left": math.nan}}]
        play(make(tmp_path), make_record(status=status, error="it broke", history=history), {}, 0)
        _, (run,) = self.read(tmp_path)
        assert run.info.status == end
        assert run.data.tags["status"] == f"{status} it broke"

    def test_long_settings_are_cut_to_what_mlflow_takes(self, make, tmp_path, make_record):
        play(make(tmp_path), make_record({"config": {"long": "x" * 10_000}}), {}, 0)
        _, (run,) = self.read(tmp_path)
        assert run.data.params["config.long"] == "x" * 6000

    def test_the_server_that_the_environment_names_is_used(self, make, tmp_path, record, files, monkeypatch):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{elsewhere / 'mlflow.db'}")
        monkeypatch.chdir(elsewhere)
        play(make(tmp_path / "out"), record, files)
        assert not (tmp_path / "out").exists()
        assert len(self.read(elsewhere)[1]) == 1


@pytest.mark.extra
class TestWandB:
    """What Weights & Biases stores of runs while it is offline."""

    @pytest.fixture
    def make(self, monkeypatch):
        pytest.importorskip("wandb")
        for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        from zoo_bench.track.wandb import WandB

        return WandB

    @staticmethod
    def stored(path):
        """Yield the records of a file in LevelDB's log format: blocks of 32 KiB, parts with a header of 7 bytes."""
        import wandb
        from wandb.proto.wandb_internal_pb2 import Record

        wandb.teardown()  # it writes in a process of its own
        content, position, record = path.read_bytes(), 7, b""
        while position < len(content):
            left = 32768 - position % 32768
            if left < 7:
                position += left
                continue
            _, length, kind = struct.unpack_from("<IHB", content, position)
            record += content[position + 7 : position + 7 + length]
            position += 7 + length
            if kind in (1, 4):  # whole, or the last part
                yield Record.FromString(record)
                record = b""

    def read(self, folder):
        """Return the start of the only run, what was logged, its summary and its exit code."""
        (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
        start, logged, summary, code = None, [], {}, None
        for record in self.stored(path):
            match record.WhichOneof("record_type"):
                case "run":
                    start = record.run
                case "history":
                    logged.append(self.plain(record.history.item))
                case "summary":
                    summary |= self.plain(record.summary.update)
                case "exit":
                    code = record.exit.exit_code
        return start, logged, summary, code

    @staticmethod
    def plain(items):
        return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}

    @pytest.mark.parametrize("reports", [0, 3])
    def test_every_point_of_losses_and_curve_is_there_once(self, make, tmp_path, record, files, reports):
        play(make(tmp_path), record, files, reports)
        _, logged, _, _ = self.read(tmp_path)

        def points(name):
            return [(line["images"], line[name]) for line in logged if name in line]

        for name in ("left", "right"):
            assert points(f"loss/{name}") == [(p["images"], p["losses"][name]) for p in HISTORY]
        assert points("curve/fid") == [(320, 9.0), (640, 5.0)]
        assert points("images_per_s") == [(p["images"], 500.0) for p in HISTORY[:reports]]

    def test_settings_figures_status_and_sheets_are_there(self, make, tmp_path, record, files):
        play(make(tmp_path), record, files)
        run, logged, summary, code = self.read(tmp_path)
        assert (run.project, run.run_group, run.job_type) == ("genzoo", "digits", "tiny")
        settings = self.plain(run.config.update)
        assert {name: settings[name] for name in parameters(record.spec)} == parameters(record.spec)
        assert {name: summary[name] for name in figures(record)} == figures(record)
        assert (summary["status"], code) == ("ok", 0)
        for name in ("samples", "neighbours"):
            assert [line[f"{name}/width"] for line in logged if f"{name}/width" in line] == [8]

    def test_a_failed_run_without_files_is_reported(self, make, tmp_path, make_record):
        play(make(tmp_path), make_record(status="error", error="it broke"), {}, 0)
        _, _, summary, code = self.read(tmp_path)
        assert (summary["status"], code) == ("error it broke", 1)

    def test_runs_at_the_same_time_are_kept_apart(self, make, tmp_path, make_record):
        tracker, records = make(tmp_path), [make_record({"seed": seed}) for seed in (0, 1)]
        for record in records:
            tracker.zoo_run_started(record.spec)
        for record in records:
            progress = Progress(0.5, 320, 500.0, {"left": float(record.spec.seed)})
            tracker.zoo_run_progress(record.spec, progress)
        for record in records:
            tracker.zoo_run_finished(record.spec, record, {})
        found = {}
        for path in tmp_path.glob("wandb/offline-run-*/run-*.wandb"):
            stored = list(self.stored(path))
            (name,) = {record.run.display_name for record in stored if record.HasField("run")}
            lines = [self.plain(record.history.item) for record in stored if record.HasField("history")]
            found[name] = [line["loss/left"] for line in lines]
        assert found == {"tiny, seed 0": [0.0], "tiny, seed 1": [1.0]}

    def test_online_without_an_account_is_refused_before_anything_is_trained(self, make, tmp_path, monkeypatch):
        import wandb

        monkeypatch.setenv("WANDB_MODE", "online")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        with pytest.raises(wandb.errors.UsageError, match=r"(?i)api.key"):
            make(tmp_path)

"""Fixtures of the harness's tests: a small finished bench, tasks loaded once, and makers of specs and fake plugins."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import zoo
from drawn_benches import JUDGE, scores
from zoo.catalogue import Entry, Plugin
from zoo.cli import main
from zoo.registry import Registry
from zoo.task import Task
from zoo_bench.plan.record import RunRecord
from zoo_bench.plan.spec import RunSpec

FAKE = Plugin("fake", "fake-distribution", "1.2", "fake_plugin")


@pytest.fixture(scope="session", autouse=True)
def _quick_speeds() -> Iterator[None]:
    """Do not measure speeds for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo_bench.run.speed.MEASURED_SECONDS", 0.0)
        patch.setattr("zoo_bench.run.speed.LATENCY_REPEATS", 2)
        yield


@pytest.fixture(autouse=True)
def _quick_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not train second judges for long; those of fixtures of a module are trained whole."""
    monkeypatch.setattr("zoo_bench.judges.twin.STEPS", 20)


@pytest.fixture(scope="session")
def digits_task() -> Task:
    from zoo_bench.data.sets.digits import digits

    return digits()


@pytest.fixture(scope="session")
def ring8_task() -> Task:
    from zoo_bench.data.sets.mixtures import ring8

    return ring8()


@pytest.fixture(scope="session")
def grid25_task() -> Task:
    from zoo_bench.data.sets.mixtures import grid25

    return grid25()


@pytest.fixture(scope="session")
def mnist_task() -> Task:
    """Real MNIST, from ``$ZOO_DATA`` only: nothing is downloaded."""
    from zoo_bench.data.sets.mnist import mnist

    _need_files("MNIST")
    return mnist()


@pytest.fixture(scope="session")
def fashion_mnist_task() -> Task:
    """Real Fashion-MNIST, from ``$ZOO_DATA`` only."""
    from zoo_bench.data.sets.mnist import fashion

    _need_files("FashionMNIST")
    return fashion()


def _need_files(folder: str) -> None:
    root = os.environ.get("ZOO_DATA")
    if not root or not (Path(root) / folder / "raw" / "t10k-images-idx3-ubyte").exists():
        pytest.skip(f"the real {folder} is not under $ZOO_DATA")


@pytest.fixture(scope="session")
def finished_bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished bench: two models, two seeds, 640 digits, one thread each. Do not change it."""
    out = tmp_path_factory.mktemp("bench") / "out"
    arguments = ["--models", "vae,gan", "--seeds", "2", "--budget", "640", "--threads", "1", "--out", str(out)]
    assert main(["bench", *arguments, "--no-throughput"]) == 0
    return out


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights in the form of Inception's, whose features are neither tiny nor huge."""
    import torch
    from torch_fidelity import feature_extractor_inceptionv3 as module

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(module, "load_state_dict_from_url", lambda *args, **kwargs: {})
        patch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        network = module.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def bench_copy(finished_bench: Path, tmp_path: Path) -> Path:
    """A copy of the finished bench, with the same modification times, to be changed at will."""
    return Path(shutil.copytree(finished_bench, tmp_path / "copy"))


@pytest.fixture
def make_spec() -> Callable[..., RunSpec]:
    """Make a run's spec; keywords replace its fields."""

    def make(**fields: Any) -> RunSpec:
        usual = {
            "model": "tiny", "plugin": FAKE.distribution, "plugin_version": FAKE.version, "config": {"batch_size": 4},
            "task": "digits", "task_version": "1", "seed": 0, "budget": "640", "precision_mode": "fp32",
            "device": "cpu", "threads": 1,
        }  # fmt: skip
        return RunSpec(**{**usual, **fields})

    return make


@pytest.fixture
def make_record(make_spec: Callable[..., RunSpec]) -> Callable[..., RunRecord]:
    """Make a record; ``spec`` holds fields of its spec, other keywords replace its own fields.

    ``metrics`` are the values of a metric.
    """

    def make(
        spec: dict[str, Any] | None = None, metrics: dict[str, float] | None = None, judge: str = JUDGE, **fields: Any
    ) -> RunRecord:
        made = make_spec(**(spec or {}))
        usual = {
            "run_id": made.run_id, "spec": made, "status": "ok", "threads": 1, "contended": False,
            "started_at": datetime(2025, 1, 2, 3, 4, 5, 678, UTC), "judge": judge,
            "scores": scores(metrics or {}, judge),
        }  # fmt: skip
        return RunRecord(**{**usual, **fields})

    return make


@pytest.fixture
def fake_entry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Entry[Any]]:
    """Make an entry of the fake distribution whose target is any object."""
    module = ModuleType(FAKE.module)
    monkeypatch.setitem(sys.modules, FAKE.module, module)

    def make(kind: type[Any], name: str, target: object, **fields: Any) -> Entry[Any]:
        attribute = f"target_{name.replace('-', '_')}"
        setattr(module, attribute, target)
        spec = kind(name=name, target=f"{FAKE.module}:{attribute}", summary="A fake.", **fields)
        return Entry(spec, FAKE)

    return make


@pytest.fixture
def fake_registry(fake_entry: Callable[..., Entry[Any]]) -> Callable[..., Registry]:
    """Make a registry of the installed tasks and metrics with models given as ``name=class``."""

    def make(**models: type[zoo.GenerativeModel]) -> Registry:
        registry, real = Registry(), zoo.installed()
        registry.columns = real.columns
        for entry in real.tasks:
            registry.tasks.add(entry)
        for metric in real.metrics:
            registry.metrics.add(metric)
        for name, cls in models.items():
            registry.models.add(fake_entry(zoo.ModelSpec, name, cls))
        return registry

    return make

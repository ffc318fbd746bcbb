"""Makers of benches' folders whose figures are drawn, not trained."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.records import Store
from zoo_bench.store.tables import write_tables

START = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
QUALITY = {"dcgan": 1.2, "gan": 2.2, "sngan": 7.0, "vae": 3.4, "wgan-gp": 8.0, "beta-vae": 13.0}
SPEED = {"dcgan": 7e3, "gan": 9e3, "sngan": 7.2e3, "vae": 16e3, "wgan-gp": 7.1e3, "beta-vae": 17e3}
ENVIRONMENT = {"python": "3.11.7", "platform": "Linux", "processor": "A processor", "cores": 2, "torch": "2.6"}


def png(red: int = 200, side: int = 16) -> bytes:
    """Return a square PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([red, 90, 120]) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_spec(**fields: Any) -> RunSpec:
    """Make a run's spec; keywords replace its fields."""
    usual = {
        "model": "gan", "plugin": "genzoo", "plugin_version": "0.1.0", "config": {"lr": 0.0002}, "task": "digits",
        "task_version": "1", "judge": "digits-cnn@01234567", "metrics": ("class-modes", "fid"), "seed": 0,
        "budget": "200k", "precision_mode": "fp32", "device": "cpu",
    }  # fmt: skip
    return RunSpec(**{**usual, **fields})


def make_record(spec: RunSpec, **fields: Any) -> RunRecord:
    """Make a record of a run that ended ok; keywords replace its fields."""
    usual = {
        "run_id": spec.run_id, "spec": spec, "status": "ok", "threads": 1, "contended": False, "started_at": START,
        "environment": ENVIRONMENT, "images": 200_000, "steps": 3125, "updates": 6250, "flops": 10**12,
        "params": 90_000,
    }  # fmt: skip
    return RunRecord(**{**usual, **fields})


def drawn_record(spec: RunSpec, quality: float, speed: float = 8e3, spread: float = 0.1, **fields: Any) -> RunRecord:
    """Make a record whose figures are drawn around a quality and a speed, reproducibly for the spec."""
    generator = np.random.default_rng(int(spec.run_id[:8], 16))
    fid = float(quality * np.exp(generator.normal(0, spread)))
    seconds = float(2e5 / speed * np.exp(generator.normal(0, 0.05)))
    metrics = {
        "fid": fid, "fid_floor": 0.25, "modes_total": 10.0, "modes_captured": float(max(1, 10 - int(fid / 5))),
        "mode_kl": fid / 40, "mode_tv": fid / 30,
    }  # fmt: skip
    throughput = {
        "train_images_per_s": 2e5 / seconds, "sample_images_per_s": 9 * speed, "sample_latency_ms": 1.5e3 / speed,
        "peak_memory_mb": 600 + 4 * fid,
    }  # fmt: skip
    shares = [2.0**-k for k in range(5, -1, -1)]
    curve = [
        {"share": s, "images": 2e5 * s, "seconds": seconds * s, "flops": 1e12 * s, "fid": fid * s**-0.6} for s in shares
    ]
    usual = {"metrics": metrics, "throughput": throughput, "curve": curve, "train_seconds": seconds}
    return make_record(spec, **{**usual, **fields})


def write(root: Path, records: Iterable[RunRecord], *, pictures: bool = True) -> Path:
    """Write a bench's folder, with sheets and neighbours beside the runs that ended ok."""
    store = Store(root)
    for i, record in enumerate(records):
        files = {".png": png(40 * i % 256), ".neighbours.png": png(255 - 40 * i % 256)}
        store.save(Outcome(record, files if pictures and record.status == "ok" else {}))
    write_tables(store.root)
    return root


def usual_bench(root: Path, seeds: int = 3, task: str = "digits", factor: float = 1.0, **spec: Any) -> Path:
    """Write a bench of six models."""
    records = [
        drawn_record(
            make_spec(model=model, seed=seed, task=task, **spec), factor * QUALITY[model], SPEED[model],
            started_at=START + timedelta(minutes=seed),
        )
        for model in QUALITY
        for seed in range(seeds)
    ]  # fmt: skip
    return write(root, records)


def write_controls(root: Path, task: str = "digits", judge: str = "digits-cnn@01234567") -> None:
    """Write controls of a task beside its runs."""
    rows = {"real": {"fid": 0.26, "modes_captured": 10.0}, "copy": {"fid": 0.2}, "noise": {"fid": 60.0}}
    (root / "controls").mkdir(parents=True, exist_ok=True)
    content = {"task": task, "task_version": "1", "judge": judge, "controls": rows}
    (root / "controls" / f"{task}.json").write_text(json.dumps(content))


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """The folder of a bench of six models with three seeds, with controls."""
    root = usual_bench(tmp_path / "bench")
    write_controls(root)
    return root


@pytest.fixture
def make() -> SimpleNamespace:
    """The makers above."""
    return SimpleNamespace(
        spec=make_spec, record=make_record, drawn=drawn_record, write=write, bench=usual_bench, controls=write_controls,
        png=png, start=START,
    )  # fmt: skip

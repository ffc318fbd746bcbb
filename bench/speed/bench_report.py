"""Reading many results: ``python bench/speed/bench_report.py --records 100000``.

Writes a folder of records, about 12 kB each, then measures in a process of its own: loading ``results.parquet`` and the
records, and ``zoo report`` on the folder. Prints seconds and peak memory, and exits with 1 beyond what is promised for
100,000 records: 3 s from Parquet, 60 s from JSON, 2 GB for ``zoo report``.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from zoo_bench.plan.record import LEARNING_CURVE, RunRecord, Score
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.records import Store
from zoo_bench.store.tables import write_tables

TASKS = [f"task-{i}" for i in range(5)]
MODELS = [f"model-{i:02d}" for i in range(20)]
JUDGE = "a-judge@01234567"
COLUMNS = {
    "fid": ("fid", "fid_floor"),
    "kid": ("kid", "kid_se"),
    "neighbours": ("precision", "recall", "density", "coverage"),
    "class-modes": ("mode_kl", "mode_tv"),
    LEARNING_CURVE: ("fid_best", "fid_auc"),
}
LOAD_SCRIPT = "from pathlib import Path; from zoo_bench import load_results; print(len(load_results({path!r})))"
KILOBYTES_PER_GIGABYTE = 2**20  # the kernel counts memory in units of 1,024 bytes


def record(number: int) -> RunRecord:
    """Return a record like that of a GAN with the default budget."""
    draw = random.Random(number)
    fid = math.exp(draw.gauss(1.0, 1.0))
    spec = RunSpec(
        model=MODELS[number % len(MODELS)], plugin="genzoo", plugin_version="0.1.0",
        config={"lr": 2e-4, "betas": [0.5, 0.999], "batch_size": 64, "z_dim": 64},
        task=TASKS[number // len(MODELS) % len(TASKS)], task_version="1", seed=number // (len(MODELS) * len(TASKS)),
        budget="200k", precision_mode="fp32", device="cpu", threads=1,
    )  # fmt: skip
    return RunRecord(
        run_id=spec.run_id, spec=spec, status="ok", threads=1, contended=False, judge=JUDGE, curve_judge=JUDGE,
        images=200_000, rounds=3125, updates=6250, train_seconds=draw.gauss(60, 5), flops=10**12, params=90_000,
        scores={metric: Score(plugin="genzoo", version="1", judge=JUDGE,
                              values={column: fid * draw.random() for column in columns})
                for metric, columns in COLUMNS.items()},
        throughput={name: draw.gauss(1e3, 50) for name in ("train_images_per_s", "sample_images_per_s",
                                                           "sample_latency_ms", "peak_memory_mb")},
        history=[{"images": 2000 * i, "seconds": 0.6 * i,
                  "losses": {"generator": draw.random(), "discriminator": draw.random()}} for i in range(100)],
        curve=[{"share": 2.0**-k, "images": 200_000 * 2.0**-k, "seconds": 60 * 2.0**-k, "flops": 1e12 * 2.0**-k,
                "fid": fid * 2 ** (0.6 * k)} for k in range(5, -1, -1)],
        started_at=datetime(2025, 1, 2, tzinfo=UTC), environment={"python": "3.11", "processor": "A CPU", "cores": 2},
    )  # fmt: skip


def write(root: Path, n: int) -> None:
    """Write a bench's folder; without the flushing to disk that ``zoo bench`` does for each record."""
    store = Store(root)
    for number in range(n):
        content = record(number)
        path = store.path(content.spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.model_dump_json())
    write_tables(store)


def measured(*command: str) -> tuple[float, float]:
    """Run a command and return its seconds and its peak memory in GB; the largest so far, as the kernel counts it."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / KILOBYTES_PER_GIGABYTE


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    n = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bench"
        write(root, n)
        zoo = [sys.executable, "-c", "import sys, zoo.cli; sys.exit(zoo.cli.main(sys.argv[1:]))"]
        rows = {
            "start of Python and its libraries": (
                *measured(sys.executable, "-c", "import zoo_bench.store.records, pandas"),
                None,
            ),
            "load results.parquet": (
                *measured(sys.executable, "-c", LOAD_SCRIPT.format(path=f"{root}/results.parquet")),
                3.0,
            ),
            "load the records": (*measured(sys.executable, "-c", LOAD_SCRIPT.format(path=str(root))), 60.0),
            "zoo report --format table": (*measured(*zoo, "report", str(root), "--format", "table"), None),
            "zoo report, with report.html": (*measured(*zoo, "report", str(root)), None),
        }
    broken = []
    for name, (seconds, memory, promised) in rows.items():
        late, large = bool(promised and seconds > promised), memory > 2.0
        broken += [name] if late or large else []
        print(f"{name:36} {seconds:7.2f} s   up to {memory:.2f} GB{'   TOO MUCH' if late or large else ''}")
    return 1 if broken and n <= 100_000 else 0


if __name__ == "__main__":
    sys.exit(main())

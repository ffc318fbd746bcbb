"""Memory of training, and of a whole run with its learning curve, samples and metrics, beside a bare training loop.

    pytest bench/speed/bench_memory.py -s

Each is a process of its own on MNIST, which must be under ``$ZOO_DATA``. What is printed is its peak above the memory
that it had with the data and the libraries of a run's process loaded. Linux only.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

IMAGES = 3200


def resident(field: str) -> int:
    """Return VmRSS or VmHWM, the present or the highest resident memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def peak(loop: str, name: str) -> int:
    """Train in this process and return how much its memory grew at most, in bytes."""
    import torch
    from bench_training import STEPS

    import zoo_bench.run.preload  # noqa: F401
    from zoo.model import build
    from zoo.registry import installed
    from zoo_bench.core.budget import Budget
    from zoo_bench.core.processes import keep_freed_memory
    from zoo_bench.data.loading import load_task
    from zoo_bench.data.stream import Stream
    from zoo_bench.judges.panel import Panel
    from zoo_bench.plan.options import BenchOptions
    from zoo_bench.plan.planning import plan
    from zoo_bench.plan.resources import Resources
    from zoo_bench.plan.scoring import Scoring
    from zoo_bench.run.execute import execute
    from zoo_bench.train.loop import train

    torch.set_num_threads(1)
    panel = Panel(seed=7)
    planned = plan(
        BenchOptions(models=name, task="mnist", budget=str(IMAGES), seeds=1, precision="fp32", device="cpu", threads=1),
        panel=panel,
        log=lambda sentence: None,
    )
    (spec,), scoring = planned.runs, Scoring(planned.scores["mnist"].wanted, panel=panel)
    task = load_task(installed().tasks.get("mnist"))
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    if loop == "whole run":
        assert execute(spec, Resources(1, contended=False), scoring=scoring).record.status == "ok"
        return resident("VmHWM") - before
    keep_freed_memory()
    model = build(installed().models.get(name), task.shape, spec.config).to(memory_format=torch.channels_last)
    if loop == "ours":
        train(model, Stream(task.train.data, 0, torch.device("cpu")), Budget(images=IMAGES))
    else:
        step = STEPS[name](model)
        for real in task.train.data[:IMAGES].split(model.config.batch_size):
            step((real.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last))
    return resident("VmHWM") - before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["dcgan", "vae"])
@pytest.mark.parametrize("loop", ["bare", "ours", "whole run"])
def test_memory(benchmark, name, loop):
    benchmark.group = f"memory of {name}, 28 pixels"
    command = [sys.executable, __file__, loop, name]
    completed = benchmark.pedantic(
        subprocess.run, args=(command,), kwargs={"check": True, "capture_output": True, "text": True}, rounds=1
    )
    benchmark.extra_info |= {"loop": loop, "items": 1, "bytes": int(completed.stdout)}
    print(f"\n{name}, {loop}: {int(completed.stdout) / 1e6:.0f} MB")


if __name__ == "__main__":
    print(peak(*sys.argv[1:]))

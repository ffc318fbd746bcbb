"""Ratios hold on a machine that is busy with other things."""

import json
import os
import runpy
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RATIOS = runpy.run_path(str(ROOT / "bench" / "speed" / "ratios.py"))
BUSY = [sys.executable, "-c", "while True: pass"]


def control(folder: Path, pairs: int) -> dict:
    """Measure matrix products beside twice as many in a process of pytest, and return what it stores."""
    stored = folder / "control.json"
    command = ["-m", "pytest", "-q", "bench/speed/bench_control.py"]
    subprocess.run(
        [sys.executable, *command, f"--pairs={pairs}", f"--benchmark-json={stored}"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},  # nor is it a worker
    )
    [entry] = json.loads(stored.read_text())["benchmarks"]
    return entry["extra_info"]


def test_a_pair_is_stored_with_both_clocks_and_without_its_warm_up(tmp_path):
    pair = control(tmp_path, pairs=2)
    assert pair["against"] == "twice as many"
    for side in ("ours", "theirs"):
        assert all(0 < cpu < 2 * wall for cpu, wall in zip(pair[side]["cpu"], pair[side]["wall"], strict=True))
        assert len(pair[side]["cpu"]) == 2


@pytest.mark.slow
def test_the_ratio_of_a_known_pair_is_the_same_under_eight_busy_processes(tmp_path):
    def cpu_ratio() -> float:
        pair = control(tmp_path, pairs=9)
        return RATIOS["ratio"](pair["ours"]["cpu"], pair["theirs"]["cpu"])[0]

    alone = cpu_ratio()
    with ExitStack() as stack:
        for _ in range(8):
            stack.callback(stack.enter_context(subprocess.Popen(BUSY)).kill)
        busy = cpu_ratio()
    assert alone == pytest.approx(2, rel=0.05)
    assert busy == pytest.approx(alone, rel=0.05)

"""``bench/speed/gpu.sh`` with commands that only note how they were called: no GPU is needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = str(Path(__file__).parents[3] / "bench" / "speed" / "gpu.sh")

ZOO = """
import json, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path

words = [word for word in sys.argv[2:] if word != "--no-throughput"]
options = dict(zip(words[::2], words[1::2]))
out, workers, start = Path(options["--out"]), int(options.get("--workers", 4)), datetime(2025, 1, 1, tzinfo=UTC)
out.mkdir()
events = [("planned", 0), *[("started", 60)] * 2, *[(END, 60 + 3600 / workers)] * 2]
lines = [json.dumps({"event": name, "time": (start + timedelta(seconds=s)).isoformat()}) for name, s in events]
(out / "events.jsonl").write_text("\\n".join(lines) + "\\n")
if "--workers" not in options:
    (out / "workers.json").write_text('{"chosen": 4, "reason": "8 at once play 1.03 times as many rounds as 4"}')
print("a table of zoo")
"""

TABLE = """\
| runs at once | runs per hour | / one at a time |
|--:|--:|--:|
| 1 | 2 | 1.00 |
| 2 | 4 | 2.00 |
| 4 | 8 | 4.00 |
| 8 | 16 | 8.00 |

Without `--workers` 4 at once were chosen: 8 at once play 1.03 times as many rounds as 4.
"""


@pytest.fixture
def call(tmp_path):
    """Call the script where pytest ends so and there are such GPUs; return what it says and the log of calls."""

    def run(*arguments, tests=0, card="echo 'NVIDIA Fast'", visible=None, end="finished"):
        log = tmp_path / "log"
        commands = {
            "pytest": f"exit {tests}",
            "nvidia-smi": card,
            "zoo": f'exec {sys.executable} {tmp_path}/zoo.py "$@"',
        }
        (tmp_path / "zoo.py").write_text(ZOO.replace("END", repr(end)))
        (tmp_path / "bin").mkdir()
        for name, command in commands.items():
            path = tmp_path / "bin" / name
            path.write_text(f'#!/bin/sh\necho "{name} on $CUDA_VISIBLE_DEVICES: $*" >> {log}\n{command}\n')
            path.chmod(0o755)
        environment = {**os.environ, "PATH": f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        environment.pop("CUDA_VISIBLE_DEVICES", None)
        environment |= {"CUDA_VISIBLE_DEVICES": visible} if visible else {}
        done = subprocess.run([SCRIPT, *map(str, arguments)], env=environment, capture_output=True, text=True)
        return done, log.read_text().splitlines()

    return run


def test_the_table_has_runs_per_hour_and_the_card(call):
    done, log = call()
    assert done.returncode == 0, done.stderr
    first, _, rest = done.stdout.partition("\n\n")
    assert first.startswith("Runs of 30,000 digits on one NVIDIA Fast, ")
    assert rest == TABLE
    assert [line.partition(":")[0] for line in log] == ["nvidia-smi on 0", "pytest on 0", *["zoo on 0"] * 5]
    assert [line.rpartition("--workers ")[2] for line in log[2:6]] == ["1", "2", "4", "8"]


def test_the_first_visible_gpu_is_used_and_the_table_goes_into_a_file(call, tmp_path):
    done, log = call(tmp_path / "table.md", visible="GPU-89,GPU-12")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "table.md").read_text().endswith(TABLE)
    assert {line.partition(":")[0].rpartition(" ")[2] for line in log} == {"GPU-89"}


def test_runs_that_fail_are_no_runs_per_hour(call):
    done, _ = call(end="failed")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("1: only 0 of 2 runs were finished\n")


@pytest.mark.parametrize(("fault", "calls"), [({"tests": 1}, 2), ({"card": "exit 9"}, 1)], ids=["a test", "no GPU"])
def test_what_fails_ends_it_without_a_table(call, tmp_path, fault, calls):
    done, log = call(tmp_path / "table.md", **fault)
    assert done.returncode != 0
    assert len(log) == calls
    assert not (tmp_path / "table.md").exists()

#!/usr/bin/env bash
# On a machine with a GPU: the tests that need one, then runs per hour by the number of runs at once on one GPU.
#
#     bench/speed/gpu.sh [TABLE]
#
# The table is Markdown, and goes to stdout or into the file TABLE. All else goes to stderr. It is made for less than ten
# minutes, needs no network, and uses the first of the GPUs in CUDA_VISIBLE_DEVICES, or GPU 0.
set -euo pipefail

table=${1:-/dev/stdout}
export CUDA_DEVICE_ORDER=PCI_BUS_ID  # as nvidia-smi counts
export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-0}
CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES%%,*}
card=$(nvidia-smi --query-gpu=name --format=csv,noheader --id="$CUDA_VISIBLE_DEVICES")
top=$(cd "$(dirname "$0")/../.." && pwd)
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

(cd "$top" && pytest -n0 -m 'gpu and not slow' tests/plugins tests/zoo_bench/train tests/zoo_bench/executors) >&2

bench() {
  zoo bench --models gan,dcgan,sngan,vae --task digits --budget 30k --seeds 4 --metrics fid --judge-seed 1 \
    --device cuda --precision fp32 --no-throughput --out "$results/$1" "${@:2}" >&2
}
for workers in 1 2 4 8; do
  bench "$workers" --workers "$workers"
done
bench chosen

python - "$results" "$card" > "$table" <<'PYTHON'
import json
import sys
from datetime import date, datetime
from pathlib import Path

results, card = Path(sys.argv[1]), sys.argv[2]


def runs_per_hour(folder: Path) -> float:
    """Return finished runs by the time from the start of the first to the end of the last."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    started, finished = (
        [datetime.fromisoformat(event["time"]) for event in events if event["event"] == name]
        for name in ("started", "finished")
    )
    if len(finished) < len(started):
        sys.exit(f"{folder}: only {len(finished)} of {len(started)} runs were finished")
    return len(finished) * 3600 / (max(finished) - min(started)).total_seconds()


rates = {workers: runs_per_hour(results / workers) for workers in ("1", "2", "4", "8")}
print(f"Runs of 30,000 digits on one {card}, {date.today()}; scoring is part of a run.\n")
print("| runs at once | runs per hour | / one at a time |\n|--:|--:|--:|")
for workers, rate in rates.items():
    print(f"| {workers} | {rate:.0f} | {rate / rates['1']:.2f} |")
chosen = json.loads((results / "chosen" / "workers.json").read_text())
print(f"\nWithout `--workers` {chosen['chosen']} at once were chosen: {chosen['reason']}.")
PYTHON

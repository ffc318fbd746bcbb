"""Kills a small bench at random instants, again and again, and checks that nothing is lost: docs/scaling.md.

``python bench/faults/campaign.py --kills 200`` starts a bench as a process group and sends SIGKILL to its parent, to
one of its other processes or to the whole group, half of the times while it saves. After every kill that ends it, what
is stored is compared with an undisturbed bench; then the same command goes on, until it is complete, and a new folder
begins. It prints what was killed and what was violated, and exits with 1 if anything was.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
import psutil
from PIL import Image

from zoo.registry import installed
from zoo_bench.store.records import Store
from zoo_bench.store.tables import load_results

TARGETS = ("parent", "worker", "group")
PATIENCE_SECONDS = 60.0
"""After which no process of a bench that was killed may be left."""
MARKER = "ZOO_FAULT_CAMPAIGN"
"""The environment variable by which the processes of a bench are found."""
BENCH = (
    "--models", "gan,vae", "--task", "ring8,digits", "--seeds", "2", "--budget", "1k", "--metrics", "fid",
    "--precision", "fp32", "--device", "cpu", "--workers", "2", "--threads", "1", "--judge-seed", "1",
    "--no-throughput", "--retry-failed",
)  # fmt: skip
OF_THE_MOMENT = ("contended", "cpu_share", "started_at", "notes", "marks")
"""Columns beside speeds that depend on when and beside what a run was."""


@dataclass
class Campaign:
    """What was done, and what was found.

    Attributes:
        folder: Where benches write.
        generator: Of targets and instants.
        options: Of ``zoo bench``.
        patience: Seconds after which no process may be left.
        kills: Kills by target.
        starts: How often a bench was started, the undisturbed one aside.
        complete: Folders that were completed.
        slowest: Seconds until the last process was gone, at most.
        violations: What was violated, in sentences.
    """

    folder: Path
    generator: random.Random
    options: tuple[str, ...] = BENCH
    patience: float = PATIENCE_SECONDS
    kills: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    complete: int = 0
    slowest: float = 0.0
    violations: list[str] = field(default_factory=list)

    @cached_property
    def undisturbed(self) -> tuple[Path, float]:
        """The folder of a bench that nothing disturbed, and the seconds that it took."""
        before = time.monotonic()
        bench = self._start(self.folder / "undisturbed")
        if bench.process.wait():
            raise SystemExit(f"the undisturbed bench failed: {bench.log.read_text()}")
        return bench.out, time.monotonic() - before

    def run(self, kills: int) -> None:
        """Kill benches so many times, then let the last one end; every folder is completed."""
        reference = self.undisturbed[0]
        while self.kills.total() < kills or not self.complete:
            out, finished = self.folder / f"bench-{self.complete}", dict[str, str]()
            while True:
                bench = self._start(out)
                self.starts += 1
                code = self._disturb(bench, kills)
                self._check(bench, code, finished, reference)
                if code == 0:
                    break
            self._start(out).process.wait()  # it makes the controls again if their process was killed
            self._check_complete(out, reference)
            self.complete += 1

    def _start(self, out: Path) -> _Bench:
        log, mark = out.with_suffix(".log"), uuid.uuid4().hex
        command = [sys.executable, "-m", "zoo", "bench", *self.options, "--out", str(out)]
        with log.open("ab") as file:
            environment = {**os.environ, MARKER: mark}
            process = subprocess.Popen(
                command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
            )
        return _Bench(process, out, log, mark)

    def _disturb(self, bench: _Bench, kills: int) -> int:
        """Kill processes of a bench until it has ended; return its exit code."""
        seconds = self.undisturbed[1]
        while self.kills.total() < kills:
            with suppress(subprocess.TimeoutExpired):
                return bench.process.wait(self.generator.uniform(0, seconds))
            if self.generator.random() < 0.5:
                bench.await_write(seconds)
            target = self.generator.choice(TARGETS)
            if bench.kill(target, self.generator):
                self.kills[target] += 1
        try:
            return bench.process.wait(10 * seconds + PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.violations.append(f"{bench.out.name}: the bench hangs")
            bench.kill("group", self.generator)
            return bench.process.wait()

    def _check(self, bench: _Bench, code: int, finished: dict[str, str], reference: Path) -> None:
        """Check processes, and every record against the undisturbed bench and against what was finished before."""
        where = f"{bench.out.name}, start {self.starts}"
        if code not in (0, 1, -signal.SIGKILL):
            self.violations.append(f"{where}: exit code {code}")
        seconds, left = bench.processes_left(self.patience)
        self.slowest = max(self.slowest, seconds)
        if left:
            self.violations.append(f"{where}: {len(left)} processes left after {self.patience:g} s: {', '.join(left)}")
        store = Store(bench.out)
        records = {record.run_id: (path, record) for path, record in store.records().items() if record.status == "ok"}
        self.violations += [f"{where}: {problem}" for problem in store.problems]
        for run_id, (path, record) in records.items():
            relative = path.relative_to(bench.out)
            self.violations += [f"{where}: {relative}: {what}" for what in _damage(path, reference / relative)]
            if (before := finished.setdefault(run_id, str(record.started_at))) != str(record.started_at):
                self.violations.append(f"{where}: {relative} was finished, and trained again: {before}")
        self.violations += [f"{where}: finished run {run_id} is lost" for run_id in finished.keys() - records.keys()]

    def _check_complete(self, out: Path, reference: Path) -> None:
        """Check that a complete folder has the files and the table of the undisturbed one."""
        found, expected = _files(out), _files(reference)
        self.violations += [f"{out.name}: {name} is left over" for name in sorted(found - expected)]
        self.violations += [f"{out.name}: {name} is missing" for name in sorted(expected - found)]
        if found >= expected and not _table(out).equals(_table(reference)):
            self.violations.append(f"{out.name}: its table is not the undisturbed one")

    def lines(self) -> Iterator[str]:
        """Yield the table and the violations."""
        yield "| killed | times |\n|---|--:|"
        yield from (f"| {target} | {self.kills[target]} |" for target in TARGETS)
        yield f"\n{self.starts} starts completed {self.complete} folders"
        yield f"processes were gone after {self.slowest:.1f} s at most, {len(self.violations)} violations"
        yield from (f"- {sentence}" for sentence in dict.fromkeys(self.violations))


@dataclass
class _Bench:
    """A bench that runs as a process group of its own."""

    process: subprocess.Popen[bytes]
    out: Path
    log: Path
    mark: str

    def kill(self, target: str, generator: random.Random) -> bool:
        """Send SIGKILL; return whether there was anything to kill."""
        try:
            if target == "group":
                os.killpg(self.process.pid, signal.SIGKILL)
            elif target == "parent":
                self.process.kill()
            else:
                generator.choice(psutil.Process(self.process.pid).children(recursive=True)).kill()
        except (IndexError, ProcessLookupError, psutil.NoSuchProcess):
            return False
        return True

    def await_write(self, seconds: float) -> None:
        """Wait until its files change, for so long at most: few random instants hit the milliseconds of saving."""
        before, end = _files(self.out), time.monotonic() + seconds
        while self.process.poll() is None and _files(self.out) == before and time.monotonic() < end:
            time.sleep(0.001)

    def processes_left(self, patience: float) -> tuple[float, list[str]]:
        """Wait until no process is left; return for how long, and the names of those left, which are killed."""
        begun = time.monotonic()
        while left := list(self._processes()):
            if (waited := time.monotonic() - begun) > patience:
                names = [" ".join(process.cmdline()[:4]) for process in left]
                for process in left:
                    process.kill()
                return waited, names
            time.sleep(0.1)
        return time.monotonic() - begun, []

    def _processes(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARKER) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def _damage(record: Path, reference: Path) -> Iterator[str]:
    """Yield what is wrong with the files of a finished run."""
    for expected in reference.parent.glob(f"{reference.stem}.*"):
        file = record.parent / expected.name
        if not file.is_file():
            yield f"{file.name} is missing"
        elif file.suffix == ".png":
            try:
                Image.open(file).load()
            except OSError as error:
                yield f"{file.name} is damaged: {error}"
        elif file.suffix == ".safetensors" and file.read_bytes() != expected.read_bytes():
            yield f"{file.name} has other weights than undisturbed"


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _table(folder: Path) -> pd.DataFrame:
    """Return what a folder's table says, speeds and circumstances aside."""
    frame = load_results(folder / "results.csv").sort_values("run_id", ignore_index=True)
    columns = installed().columns
    of_speed = [name for name in frame if (column := columns.get(name)) and column.group == "speed"]
    return frame.drop(columns=[*of_speed, *OF_THE_MOMENT], errors="ignore")


def main() -> int:
    """Run a campaign and print what it found; return 1 if anything was violated."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, help="seconds until no process may be left")
    parser.add_argument("--folder", type=Path, help="where benches write; default: a temporary one, removed at the end")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoo-faults-") as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        campaign = Campaign(folder, random.Random(arguments.seed), patience=arguments.patience)
        campaign.run(arguments.kills)
    print("\n".join(campaign.lines()))
    return 1 if campaign.violations else 0


if __name__ == "__main__":
    sys.exit(main())

"""The panel: two judges beside a task's own, so that no claim rests on one network."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoo.errors import FAILURES, error_sentence
from zoo.files import is_regular, write_atomically
from zoo.specs import TaskSpec
from zoo.task import Judge, Task
from zoo_bench.core.keyed import read_json
from zoo_bench.core.names import file_name
from zoo_bench.judges.pixels import PixelJudge
from zoo_bench.judges.twin import train_twin, twin_judge, twin_name

MAX_SEED = 10_000
"""Seeds are drawn from 1 to this; 0 is that of the judges that are shipped."""

MIN_ITEMS = 2


@dataclass
class Panel:
    """The judges beside the tasks' own in a folder of results.

    Its twins have a seed that is drawn once for a folder, so that nobody can train against them beforehand. They are
    compared only where their weights are the same.

    Attributes:
        seed: The seed of the twins.
        twins: Weights of the trained twins, by name of their file.
    """

    seed: int
    twins: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, root: Path, seed: int | None = None) -> Panel:
        """Return the panel of a folder of results.

        Args:
            root: The folder.
            seed: The seed of its twins; None: that of earlier runs in the folder, or else a new one at random.
        """
        folder = root / "judges"
        if seed is None:
            stored = read_json(folder / "panel.json").get("seed")
            new = 1 + secrets.randbelow(MAX_SEED)
            seed = stored if isinstance(stored, int) and 0 <= stored < 2**63 else new
        files = folder.glob(f"*-{twin_name(seed)}.safetensors")
        return cls(seed, {file.name: file.read_bytes() for file in files if is_regular(file)})

    def write(self, root: Path) -> None:
        """Write the seed and the twins into a folder of results.

        Raises:
            ZooError: If that cannot be done.
        """
        write_atomically(root / "judges" / "panel.json", json.dumps({"seed": self.seed}).encode())
        for name, weights in self.twins.items():
            write_atomically(root / "judges" / name, weights)

    def train(self, spec: TaskSpec, task: Task, log: Callable[[str], None]) -> None:
        """Train the twin of a task if it has none yet, or its file is damaged.

        Args:
            spec: The task's spec.
            task: The task.
            log: Called with a sentence before that, which takes seconds, and if it fails.
        """
        name = self._file(spec)
        if not _applies(task) or twin_judge(task, self.seed, self.twins.get(name)):
            return
        log(f"training {twin_name(self.seed)}, a second judge of {spec.name}")
        try:
            weights = train_twin(task, self.seed)
        except FAILURES as error:
            log(f"zoo: no second judge of {spec.name} could be trained: {error_sentence(error)}")
            return
        if weights:
            self.twins[name] = weights

    def seated(self, spec: TaskSpec, task: Task) -> Task:
        """Return the task with the judges beside its own, of those that there are; points have none."""
        if not _applies(task):
            return task
        twin = twin_judge(task, self.seed, self.twins.get(self._file(spec)))
        judges: list[Judge] = [PixelJudge(task.train.data), *([twin] if twin else [])]
        return replace(task, panel=tuple(judges))

    def _file(self, spec: TaskSpec) -> str:
        return file_name(f"{spec.name}-{spec.version}-{twin_name(self.seed)}.safetensors")


def _applies(task: Task) -> bool:
    return len(task.shape) == 3 and len(task.train) >= MIN_ITEMS

"""Signs of a slip or a plain cheat in a run: optimiser steps, files opened, functions replaced, and CPU time.

They are no wall: plugins are trusted code, which runs in the harness's own process.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from itertools import islice
from traceback import walk_stack
from typing import Any, Self

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from zoo.catalogue import Entry
from zoo.data import cache_root, data_root
from zoo.isolation import functions_of
from zoo.model import load_class
from zoo.specs import ModelSpec
from zoo_bench.plan.record import RunRecord

CPU_EXCESS, CPU_EXCESS_SECONDS = 1.5, 1.0
"""Multiple of wall-clock times threads, and seconds above it, beyond which the CPU time of training is odd."""

CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time")

ORIGINALS: dict[str, object] = {}
"""Functions of the harness as the fork server had them before it imported any plugin."""


def harness_functions() -> dict[str, object]:
    """Return the functions and methods that loaded modules of genzoo hold, and Python's clocks, by dotted name."""
    modules = [(name, m) for name, m in list(sys.modules.items()) if _package(name) in ("zoo", "zoo_bench")]
    functions = {name: value for key, module in modules for name, _, _, value in functions_of(module, key)}
    return functions | {f"time.{clock}": getattr(time, clock) for clock in CLOCKS}


class Watch:
    """What is watched in one run; from :meth:`begin` to :meth:`end` its model is built, trained and sampled."""

    def __init__(self) -> None:
        self._hooks: list[Any] = []
        self._steps = self._depth = 0
        self._packages: set[str] = set()
        self._opened: dict[str, None] = {}

    def __enter__(self) -> Self:
        """Note the harness's functions, before the model's code is imported."""
        self._functions = harness_functions() | ORIGINALS
        return self

    def __exit__(self, *exception: object) -> None:
        """End all watching."""
        self.end()
        functions = harness_functions()
        self._replaced = [name for name, old in self._functions.items() if functions.get(name, old) is not old]

    def begin(self, entry: Entry[ModelSpec]) -> None:
        """Count optimiser steps, and note files that the model's code opens; errors as in ``zoo.model.load_class``."""
        self._hooks.append(register_optimizer_step_pre_hook(self._step_begins))
        self._hooks.append(register_optimizer_step_post_hook(self._step_ends))
        folders = (
            data_root(),
            cache_root(),
            files("zoo_bench") / "judges" / "weights",
            files("sklearn.datasets") / "data",
        )
        self._folders = tuple(os.path.realpath(str(folder)) + os.sep for folder in folders)
        _hook_into_open()
        _watches.add(self)
        self._packages.add(_package(entry.spec.target.partition(":")[0]))
        self._packages.add(_package(load_class(entry).__module__))

    def end(self) -> None:
        """Count no more, and note no more files: a metric may train networks and read files of its own."""
        for hook in self._hooks:
            hook.remove()
        _watches.discard(self)

    def state_dict(self) -> dict[str, Any]:
        """Return what was seen so far, for the checkpoint of a run."""
        return {"steps": self._steps, "opened": self._opened}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what an earlier watch had seen; the model was built again, and its steps there count once."""
        self._steps = state["steps"]
        self._opened |= state["opened"]

    def marks(self, record: RunRecord) -> list[str]:
        """Return what speaks against a run's figures, in clauses that can follow a name and a comma."""
        most = CPU_EXCESS * (record.train_seconds or 0.0) * (record.threads or 1) + CPU_EXCESS_SECONDS
        signs = {
            f"{self._steps:,} optimiser steps were taken and {record.updates or 0:,} of them counted": (
                record.updates is not None and self._steps > record.updates
            ),
            f"the model's code opened {', '.join(islice(self._opened, 3))}": self._opened,
            f"functions of the harness were replaced: {', '.join(self._replaced[:3])}": self._replaced,
            "training took more CPU time than its wall-clock and threads allow": (
                record.spec.device == "cpu" and (record.cpu_seconds or 0.0) > most
            ),
        }
        return [mark for mark, is_seen in signs.items() if is_seen]

    def opening(self, path: Any) -> None:
        """Note a file that is about to be read, if it is one of data or judges and the model's code opens it."""
        with suppress(TypeError, ValueError, OSError):
            file = os.path.realpath(os.fsdecode(path))
            if file.startswith(self._folders) and not file.endswith((".py", ".pyc")) and self._is_called_by_the_model():
                self._opened[os.path.basename(file)] = None

    def _is_called_by_the_model(self) -> bool:
        """Return whether code of the model's package is at work, and not as the task's judge."""
        is_found = False
        for frame, _ in walk_stack(sys._getframe()):
            module = frame.f_globals.get("__name__", "")
            if module == "zoo_bench.run.execute":
                break
            is_found = module != "zoo.evaluation" and (is_found or _package(module) in self._packages)
        return is_found

    def _step_begins(self, *call: Any) -> None:
        self._depth += 1

    def _step_ends(self, optimizer: Optimizer, *call: Any) -> None:
        """Count a step on parameters; one within another optimiser's step is part of that."""
        self._depth -= 1
        trained = (weight for group in optimizer.param_groups for weight in group["params"])
        self._steps += not self._depth and any(isinstance(weight, nn.Parameter) for weight in trained)


_watches: set[Watch] = set()


@cache
def _hook_into_open() -> None:
    """Tell watches of every file that Python code of this process opens; such a hook cannot be removed."""

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not arguments[2] & os.O_WRONLY:
            for watch in _watches:
                watch.opening(arguments[0])

    sys.addaudithook(on_event)


def _package(module: str) -> str:
    return module.partition(".")[0]

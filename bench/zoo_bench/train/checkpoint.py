"""The checkpoint of a run under way: all that training goes on from after an interruption."""

from __future__ import annotations

import hashlib
import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from zoo.errors import ZooError
from zoo.files import write_atomically

LAYOUT = 1
"""Version of the file's layout."""

LEAST_WAIT = 100
"""Multiple of the time that the last checkpoint took before which no other is due: it costs under 1 % of the time."""

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name)]
"""What asks a run for a checkpoint while it trains; SIGTERM also ends it. Windows has no SIGUSR1."""


class Stateful(Protocol):
    """A part of a run, with a state of tensors, numbers, text, None, and lists, tuples and mappings of them."""

    def state_dict(self) -> Any:
        """Return the state; the caller changes nothing in it."""

    def load_state_dict(self, state: Any) -> None:
        """Take a state over, or raise a :class:`ZooError` and stay as it was."""


class Generators:
    """The state of torch's global generators: of the CPU, and of the device if it is another."""

    def __init__(self, device: torch.device) -> None:
        self._modules = [torch] if device.type == "cpu" else [torch, torch.get_device_module(device)]

    def state_dict(self) -> list[Tensor]:
        """See :class:`Stateful`."""
        return [module.get_rng_state() for module in self._modules]

    def load_state_dict(self, state: list[Tensor]) -> None:
        """See :class:`Stateful`."""
        for module, generator in zip(self._modules, state, strict=True):
            module.set_rng_state(generator)


class Checkpoint:
    """The checkpoint of one run, in one file, which is written whole or not at all.

    It is a safetensors file; what is no tensor is JSON in its metadata, with a hash of everything.

    Attributes:
        key: What must be the same for training to go on: run, code, versions.
        parts: What is kept, by name; the first may refuse a state.
        note: Why a checkpoint was not used, or could not be written, in a sentence; empty if neither happened.

    Args:
        path: The file.
        seconds: Time from one checkpoint to the next.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.key: dict[str, Any] = {}
        self.parts: dict[str, Stateful] = {}
        self.note = ""
        self._path = path
        self._seconds = seconds
        self._due = time.monotonic() + seconds

    def is_due(self) -> bool:
        """Return whether enough time has passed since the last one."""
        return time.monotonic() >= self._due

    def write(self) -> None:
        """Write the state of all parts; if that cannot be done, ``note`` says why, and training may go on."""
        start = time.monotonic()
        try:
            tensors: dict[str, Tensor] = {}
            state = json.dumps(_packed({name: part.state_dict() for name, part in self.parts.items()}, tensors))
            metadata = {"key": self._key(), "state": state, "sha256": _hash(state, tensors)}
            write_atomically(self._path, save(tensors, metadata))
        except (ZooError, TypeError) as error:
            self.note = f"no checkpoint could be written: {error}"
        end = time.monotonic()
        self._due = end + max(self._seconds, LEAST_WAIT * (end - start))

    def restore(self) -> bool:
        """Give all parts the state in the file, and return whether there was one that could be used.

        If it cannot be used, ``note`` says why, and all parts are as they were.
        """
        try:
            if not self._path.is_file():
                return False
            state = self._read()
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
        except ZooError as error:
            self.note = f"checkpoint {self._path.name!r} was not used, and training began anew: {error}"
        return not self.note

    def _key(self) -> str:
        return json.dumps({**self.key, "layout": LAYOUT, "torch": torch.__version__}, sort_keys=True)

    def _read(self) -> Any:
        try:
            with safe_open(self._path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        except (OSError, SafetensorError, ValueError) as error:
            raise ZooError(f"it is damaged or not one: {' '.join(str(error).split())}") from error
        if not metadata.keys() >= {"key", "state", "sha256"}:
            raise ZooError("it is not one")
        if metadata["sha256"] != _hash(metadata["state"], tensors):
            raise ZooError("it is damaged")
        if metadata["key"] != self._key():
            raise ZooError("it is of another run, other code or another version of genzoo or torch")
        return _unpacked(json.loads(metadata["state"]), tensors)


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return a state as JSON can hold it; its tensors are put into ``tensors``, in memory of their own."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = torch.empty(value.shape, dtype=value.dtype).copy_(value.detach())
        return {"tensor": name, "stride": torch.empty_like(value, device="meta").stride()}
    if isinstance(value, Mapping):
        return {"mapping": [[_packed(key, tensors), _packed(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_packed(item, tensors) for item in value]}
    return value


def _unpacked(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return the state that :func:`_packed` made JSON of; tensors have their places in memory in the same order."""
    match value:
        case {"tensor": name, "stride": stride}:
            tensor = tensors[name]
            return torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype).copy_(tensor)
        case {"mapping": items}:
            return {_unpacked(key, tensors): _unpacked(item, tensors) for key, item in items}
        case {"list": items}:
            return [_unpacked(item, tensors) for item in items]
        case {"tuple": items}:
            return tuple(_unpacked(item, tensors) for item in items)
    return value


def _hash(state: str, tensors: Mapping[str, Tensor]) -> str:
    sha256 = hashlib.sha256(state.encode())
    for name, tensor in sorted(tensors.items()):
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha256.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return sha256.hexdigest()


@contextmanager
def signals_noted() -> Iterator[set[int]]:
    """Yield a set to which every one of :data:`SIGNALS` is added that arrives within the block.

    Only a main thread can receive signals; elsewhere the set stays empty.
    """
    received: set[int] = set()
    is_main = threading.current_thread() is threading.main_thread()
    before = {n: signal.signal(n, lambda number, frame: received.add(number)) for n in SIGNALS} if is_main else {}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

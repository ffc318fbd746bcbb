"""Settings of torch that belong to the whole process, and therefore not to a plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "default device": (torch.get_default_device, torch.set_default_device),
    "number of threads": (torch.get_num_threads, torch.set_num_threads),
    "gradient mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "float32 matmul precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "deterministic algorithms": (
        torch.are_deterministic_algorithms_enabled,
        lambda value: torch.use_deterministic_algorithms(value),
    ),
    "cudnn.benchmark": (
        lambda: torch.backends.cudnn.benchmark,
        lambda value: setattr(torch.backends.cudnn, "benchmark", value),
    ),
}
"""How each setting is read and written."""

FACTORY_VALUES = {
    "default dtype": torch.float32,
    "default device": torch.device("cpu"),
    "gradient mode": True,
    "anomaly detection": False,
    "float32 matmul precision": "highest",
    "deterministic algorithms": False,
    "cudnn.benchmark": False,
}
"""Values after torch is imported; the number of threads depends on the machine."""


def snapshot() -> dict[str, Any]:
    """Return the value of every setting."""
    return {name: read() for name, (read, _) in SETTINGS.items()}


def changed(before: dict[str, Any]) -> list[str]:
    """Return a phrase for each setting that has another value than in ``before``, which may lack some."""
    after = snapshot()
    return [f"{name} from {value} to {after[name]}" for name, value in before.items() if after[name] != value]


def restore(before: dict[str, Any]) -> None:
    """Set the settings in ``before`` back to these values."""
    for name, value in before.items():
        read, write = SETTINGS[name]
        if read() != value:
            write(value)


@contextmanager
def restored() -> Iterator[None]:
    """Restore settings and torch's global generator on exit."""
    before = snapshot()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        restore(before)

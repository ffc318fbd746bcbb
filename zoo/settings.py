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

FACTORY = {
    "default dtype": torch.float32,
    "default device": torch.device("cpu"),
    "gradient mode": True,
    "anomaly detection": False,
    "float32 matmul precision": "highest",
    "deterministic algorithms": False,
    "cudnn.benchmark": False,
}


def snapshot() -> dict[str, Any]:
    """Return the value of every setting."""
    return {name: read() for name, (read, _) in SETTINGS.items()}


def changed(before: dict[str, Any]) -> list[str]:
    """Return a phrase for each setting that has another value than in ``before``, which may lack some."""
    now = snapshot()
    return [f"{name} from {value} to {now[name]}" for name, value in before.items() if now[name] != value]


def restore(before: dict[str, Any]) -> None:
    """Give the settings in ``before`` these values again."""
    for name, value in before.items():
        read, write = SETTINGS[name]
        if read() != value:
            write(value)


@contextmanager
def restored() -> Iterator[None]:
    """Give settings and torch's global generator back as they were."""
    before = snapshot()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        restore(before)

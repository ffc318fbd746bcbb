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


def snapshot() -> dict[str, Any]:
    """Return the value of every setting."""
    return {name: read() for name, (read, _) in SETTINGS.items()}


def changed(before: dict[str, Any]) -> list[str]:
    """Return a phrase for each setting that has another value than in ``before``."""
    return [f"{name} from {before[name]} to {now}" for name, now in snapshot().items() if now != before[name]]


@contextmanager
def restored() -> Iterator[None]:
    """Give settings and torch's global generator back as they were."""
    before = snapshot()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        for name, (read, write) in SETTINGS.items():
            if read() != before[name]:
                write(before[name])

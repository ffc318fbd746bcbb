"""Speeds and memory of a trained model."""

from __future__ import annotations

import statistics
import sys
from time import perf_counter

import psutil
import torch

from zoo.model import GenerativeModel, sample_classes
from zoo.signs import alive

BATCH_SIZE = 256
MEASURED_SECONDS = 0.25
LATENCY_REPEATS = 30


@torch.no_grad()
def sampling(model: GenerativeModel) -> dict[str, float]:
    """Return sampling speed in batches of 256, and the median latency of one sample in milliseconds."""
    alive("the timing of samples")
    synchronise = torch.cuda.synchronize if model.device.type == "cuda" else lambda: None
    model.eval()

    def seconds(n: int) -> float:
        synchronise()
        start = perf_counter()
        sample_classes(model, n)
        synchronise()
        return perf_counter() - start

    seconds(BATCH_SIZE)
    end = perf_counter() + MEASURED_SECONDS
    batches = [seconds(BATCH_SIZE)]
    while perf_counter() < end:
        batches.append(seconds(BATCH_SIZE))
    seconds(1)
    single = [seconds(1) for _ in range(LATENCY_REPEATS)]
    return {
        "sample_images_per_s": BATCH_SIZE / statistics.median(batches),
        "sample_latency_ms": 1e3 * statistics.median(single),
    }


def peak_memory_mb(device: torch.device) -> float:
    """Return the process's peak resident memory in MB, or on CUDA the peak that torch allocated there."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 1e6
    import resource  # POSIX only

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6

"""The harness: trains every model under one identical, metered budget and compares them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo_bench.benchmark import bench
    from zoo_bench.result import BenchResult
    from zoo_bench.store.tables import load_results

_LAZY = {
    "BenchResult": "zoo_bench.result",
    "bench": "zoo_bench.benchmark",
    "load_results": "zoo_bench.store.tables",
}

__all__ = ["BenchResult", "bench", "load_results"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'zoo_bench' has no attribute {name!r}")

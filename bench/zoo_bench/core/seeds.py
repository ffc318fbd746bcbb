"""Seeds, hashed per axis, so that every model sees the same data order under the same seed."""

from __future__ import annotations

import hashlib
from typing import Literal

Axis = Literal["data", "initialisation", "training", "sampling"]


def derive(seed: int, axis: Axis) -> int:
    """Return the 63-bit seed of one axis of randomness."""
    digest = hashlib.sha256(f"genzoo/{seed}/{axis}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1

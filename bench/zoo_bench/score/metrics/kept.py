"""What metrics find out about real items alone, kept on disk for the other runs of a task."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from zoo.cache import cached
from zoo.evaluation import digest


def kept(name: str, compute: Callable[..., Tensor], *items: Tensor) -> Tensor:
    """Return ``compute(*items)``, from the cache folder if it is there.

    Args:
        name: What is computed, with its settings and a version that changes whenever its values do.
        compute: A function of the items alone.
        items: Items or features, whose contents tell one result from another.
    """
    key = " ".join([name, *map(digest, items)])
    return cached(key, lambda: {name: compute(*items)})[name]

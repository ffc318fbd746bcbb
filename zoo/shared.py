"""What several metrics share: results that are computed once, and whether one of them has written into what it read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

T = TypeVar("T")
SEALED_BYTES = 2**20
"""Bytes of a tensor whose checksum is compared: all of a small one, evenly spaced rows of a large one."""


class Seal:
    """The tensors and arrays in a value as they are now, so that it shows if somebody writes into them later.

    Writing in place with torch raises a tensor's version, which costs nothing to compare. Writing through
    ``tensor.numpy()`` does not, so that a checksum of up to 1 MB of each is compared too: a write into a few items of a
    large array may not be seen.

    Args:
        value: Tensors and arrays in containers and attributes of objects.
    """

    def __init__(self, value: Any) -> None:
        self._parts = dict(_parts(value))
        self._states = {path: _state(part) for path, part in self._parts.items()}

    def broken(self) -> list[str]:
        """Return the paths of what has been written into: "task.test.data".

        Views of one storage share a version: where contents differ, these are named, else all whose version does.
        """
        now = {path: _state(part) for path, part in self._parts.items()}
        changed = [path for path, state in now.items() if state != self._states[path]]
        return [path for path in changed if now[path][1] != self._states[path][1]] or changed

    def mend(self, clean: Any) -> bool:
        """Write what was there before into what has been written into, and return whether that could be done.

        Args:
            clean: The same value, made again.
        """
        fresh = dict(_parts(clean))
        for path in [path for path, part in self._parts.items() if _state(part) != self._states[path]]:
            part, original = self._parts[path], fresh.get(path)
            if (
                not isinstance(original, type(part))
                or original.shape != part.shape
                or _address(original) == _address(part)
            ):
                return False
            if isinstance(part, Tensor):
                with torch.no_grad():
                    part.copy_(original)
            else:
                np.copyto(part, original)
        self._states = {
            path: _state(part) for path, part in self._parts.items()
        }  # parts of one storage have one version
        return True


def _parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the tensors and arrays in a value, by path; what :class:`Shared` objects hold they seal themselves."""
    todo, visited = [(path, value)], set()
    while todo:
        path, value = todo.pop()
        if id(value) in visited or isinstance(value, type | Shared):
            continue
        visited.add(id(value))
        if isinstance(value, Tensor | np.ndarray):
            yield path, value
            continue
        inner: Any = ()
        if isinstance(value, Mapping):
            inner = value.items()
        elif isinstance(value, list | tuple | set | frozenset):
            inner = enumerate(value)
        elif isinstance(value, nn.Module) or not callable(value):
            inner = getattr(value, "__dict__", {}).items()
        todo += [(f"{path}.{name}" if path else str(name), part) for name, part in list(inner)]


def _address(part: Any) -> int:
    return part.data_ptr() if isinstance(part, Tensor) else int(part.__array_interface__["data"][0])


def _state(part: Any) -> tuple[int, int]:
    """Return a tensor's version, 0 if it has none, and a checksum of what is in it."""
    version = 0
    if isinstance(part, Tensor):
        version = 0 if part.is_inference() else part._version
        if part.layout is not torch.strided or part.is_meta:
            return version, 0
        part = part.detach()
    elif part.dtype.hasobject:
        return version, 0
    step = -(-part.nbytes // SEALED_BYTES) or 1
    rows = part[::step] if part.ndim else part.reshape(1)
    if isinstance(rows, Tensor):
        rows = rows.reshape(-1).view(torch.uint8).cpu().numpy()
    return version, zlib.crc32(rows.tobytes())


class Shared:
    """Computes results once and hands them to whoever asks, sealed."""

    def __init__(self) -> None:
        self._results: dict[tuple[Any, ...], tuple[Any, Seal]] = {}

    def once(self, function: Callable[..., T], *arguments: Hashable) -> T:
        """Return ``function(self, *arguments)``, computed once. Nobody may write into it: work on a copy."""
        key = (function, *arguments)
        if key not in self._results:
            result = function(self, *arguments)
            self._results[key] = result, Seal(result)
        return cast("T", self._results[key][0])

    def written(self) -> list[str]:
        """Return the names of the results that somebody has written into."""
        results = [item for each in self._family() for item in each._results.items()]
        return [key[0].__name__.strip("_") for key, (_, seal) in results if seal.broken()]

    def forget(self) -> None:
        """Forget all results, so that they are computed again."""
        for each in self._family():
            each._results.clear()

    def _family(self) -> list[Shared]:
        """Return this and what it holds of its kind."""
        found: dict[Shared, None] = {self: None}
        todo: list[Shared] = [self]
        while todo:
            each = todo.pop()
            held = [*vars(each).values(), *(result for result, _ in each._results.values())]
            todo += (new := [part for part in held if isinstance(part, Shared) and part not in found])
            found |= dict.fromkeys(new)
        return list(found)

"""The command of a bench as a file in its folder, which ``zoo bench --config`` runs again."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import tomli_w
from pydantic import TypeAdapter, ValidationError

from zoo.errors import UnknownNameError, ZooError
from zoo.files import write_atomically
from zoo_bench.core.budget import Budget
from zoo_bench.plan.labels import value_text
from zoo_bench.plan.options import DEFAULTS, BenchOptions
from zoo_bench.plan.seeds import canonical

NAME = "bench.toml"

ALWAYS = {"models", "task", "budget", "seeds", "metrics", "precision", "device", "throughput"}
"""Options that are written also at their defaults: what the results depend on, and throughput, whose default on the
command line depends on the executor."""

ONE_OFF = {"retry_failed", "force"}
"""Options of one call, which a file does not have."""

MAX_BYTES = 1_000_000
"""Of a file that is read; a device may never end."""


def write_bench_file(options: BenchOptions) -> None:
    """Write ``bench.toml`` into the output folder.

    Raises:
        ZooError: If that cannot be done.
    """
    write_atomically(options.out / NAME, bench_file(options).encode())


def bench_file(options: BenchOptions) -> str:
    """Return options as TOML, each as the command line takes it; most of those at their defaults are left out."""
    given = {field.name: getattr(options, field.name) for field in fields(options) if field.name not in ONE_OFF}
    given = {name: value for name, value in given.items() if name in ALWAYS or value != getattr(DEFAULTS, name)}
    seeds = canonical(options.seeds)
    written: dict[str, Any] = {
        "seeds": int(seeds) if seeds.isdecimal() else seeds,
        "settings": [
            f"{model}.{name}={value_text(setting)}"
            for model, settings in options.settings.items()
            for name, setting in settings.items()
        ],
        "out": options.out.as_posix(),
        "timeout": _duration(options.timeout),
        "checkpoint_every": _duration(options.checkpoint_every),
    }
    content = {"set" if name == "settings" else name: written.get(name, value) for name, value in given.items()}
    return f"# zoo bench --config {NAME}\n{tomli_w.dumps(content)}"


def _duration(seconds: float | None) -> str:
    return "never" if seconds is None else str(Budget(seconds=seconds))


def read_bench_file(path: Path) -> dict[str, Any]:
    """Read options as :func:`bench_file` writes them, or any of them written by hand.

    Returns:
        Values as the command line takes them, by name of the option in :class:`~zoo_bench.plan.options.BenchOptions`.

    Raises:
        ZooError: If the file is not TOML or too large, a key is no option, or a value has the wrong type.
        OSError: If the file cannot be read.
    """
    with path.open("rb") as file:
        read = file.read(MAX_BYTES + 1)
    if len(read) > MAX_BYTES:
        raise ZooError(f"{str(path)!r} is no file of options: it has more than {MAX_BYTES:,} bytes")
    try:
        content = tomllib.loads(read.decode())
    except (ValueError, RecursionError) as error:
        raise ZooError(f"{str(path)!r} is not TOML: {error}") from error
    types = _types()
    for name, value in content.items():
        if name not in types:
            raise UnknownNameError(f"key of {str(path)!r}", name, types)
        try:
            TypeAdapter(types[name]).validate_python(value, strict=True)
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            raise ZooError(f"{str(path)!r}: {name}: {message[0].lower()}{message[1:]}") from error
    if "seeds" in content:
        content["seeds"] = canonical(content["seeds"])
    return {"settings" if name == "set" else name: value for name, value in content.items()}


def _types() -> dict[str, Any]:
    """Return the type of every key: that of the option, but for what the command line takes as text."""
    types = get_type_hints(BenchOptions) | {"set": list[str], "out": str, "seeds": Any}
    types |= {"timeout": str, "checkpoint_every": str}
    return {name: kind for name, kind in types.items() if name not in {"settings", *ONE_OFF}}
